//! A column that takes several options: a text of numbers, and its own kind of metadata.

use super::client::{Client, answer, row, with_query};
use ferry::sandbox::corners::corners;
use serde_json::{Value, json};

const COLUMN: &str = "EntityDefinitions(LogicalName='opportunity')/Attributes(LogicalName='new_stages')";

fn put(client: &Client, stages: Value) -> bool {
    let row = json!({"opportunityid": corners(1).opportunity.plain, "new_stages": stages});
    client.sandbox.put_row("opportunity", row.as_object().expect("a row is an object").clone())
}

#[tokio::test]
async fn the_numbers_come_in_order_and_the_labels_beside_them() {
    let client = Client::start().await;
    let id = corners(1).opportunity.plain;
    assert!(put(&client, json!("100000003, 100000000,100000003")));
    let request = client.dynamics(&format!("opportunities({id})?$select=new_stages"));
    let (_, body) = answer(request.header("Prefer", "odata.include-annotations=\"*\"")).await;
    assert_eq!(body["new_stages"], "100000000,100000003");
    assert_eq!(body["new_stages@OData.Community.Display.V1.FormattedValue"], "Discovery; Contract");
}

#[tokio::test]
async fn what_is_no_set_of_its_options_is_not_stored() {
    let client = Client::start().await;
    assert!(put(&client, json!("100000001")));
    for bad in
        [json!(""), json!("5"), json!("100000001,5"), json!("Demo"), json!(100_000_001), json!("100000001;100000000")]
    {
        assert!(!put(&client, bad.clone()), "{bad}");
    }
    let id = corners(1).opportunity.plain;
    assert_eq!(row(&client.sandbox, "opportunity", &id)["new_stages"], "100000001");
    assert!(put(&client, Value::Null));
    assert_eq!(row(&client.sandbox, "opportunity", &id)["new_stages"], Value::Null);
}

#[tokio::test]
async fn a_filter_compares_the_whole_set() {
    let client = Client::start().await;
    let rows = client.sandbox.table("opportunity");
    let expected = rows.iter().filter(|row| row["new_stages"] == "100000000,100000001").count();
    assert!(expected > 0);
    for text in ["100000000,100000001", "100000001,100000000"] {
        let filter = format!("new_stages eq '{text}'");
        let (_, body) = client.read(&with_query("opportunities", &[("$filter", &filter)])).await;
        assert_eq!(body["value"].as_array().unwrap().len(), expected, "{filter}");
    }
    let contain = "Microsoft.Dynamics.CRM.ContainValues(PropertyName='new_stages',PropertyValues=[\"Demo\"])";
    for (filter, status) in [
        ("new_stages eq 100000000", 400),
        ("new_stages eq 'Demo'", 400),
        ("contains(new_stages,'100000000')", 400),
        (contain, 400),
    ] {
        assert_eq!(client.refused(&with_query("opportunities", &[("$filter", filter)])).await.0, status, "{filter}");
    }
}

#[tokio::test]
async fn its_metadata_is_virtual_and_its_options_need_the_cast() {
    let client = Client::start().await;
    let (_, plain) = client.read(COLUMN).await;
    assert_eq!(plain["AttributeType"], "Virtual");
    assert_eq!(plain["AttributeTypeName"]["Value"], "MultiSelectPicklistType");
    assert_eq!(plain["@odata.type"], "#Microsoft.Dynamics.CRM.MultiSelectPicklistAttributeMetadata");
    let cast = |kind: &str| format!("{COLUMN}/Microsoft.Dynamics.CRM.{kind}AttributeMetadata?$expand=OptionSet");
    let (_, body) = client.read(&cast("MultiSelectPicklist")).await;
    let options = body["OptionSet"]["Options"].as_array().unwrap();
    assert_eq!((options.len(), &options[1]["Value"]), (4, &json!(100_000_001)));
    assert_eq!(body["OptionSet"]["OptionSetType"], "Picklist");
    assert_eq!(client.read(&cast("Picklist")).await.0, 404);
    assert_eq!(client.read(&format!("{COLUMN}?$expand=OptionSet")).await.0, 400);
}
