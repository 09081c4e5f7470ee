//! The service document, entities and attributes.

use super::client::{Client, with_query};
use serde_json::{Value, json};

const ACCOUNT: &str = "EntityDefinitions(LogicalName='account')";

#[tokio::test]
async fn the_service_document_and_the_entities_agree() {
    let client = Client::start().await;
    let (_, document) = client.read("").await;
    let sets: Vec<&Value> = document["value"].as_array().unwrap().iter().map(|set| &set["name"]).collect();
    let (_, entities) = client.read("EntityDefinitions?$select=EntitySetName,LogicalName").await;
    let named: Vec<&Value> = entities["value"].as_array().unwrap().iter().map(|set| &set["EntitySetName"]).collect();
    assert_eq!(sets, named);
    let path =
        with_query("EntityDefinitions", &[("$select", "EntitySetName"), ("$filter", "LogicalName eq 'contact'")]);
    let (_, one) = client.read(&path).await;
    assert_eq!((one["value"].as_array().unwrap().len(), &one["value"][0]["EntitySetName"]), (1, &json!("contacts")));
    assert!(one["value"][0].get("LogicalName").is_none());
}

#[tokio::test]
async fn attributes_have_real_labels_and_derived_companions() {
    let client = Client::start().await;
    for (table, column, label) in [
        ("systemuser", "personalemailaddress", "Email 2"),
        ("systemuser", "domainname", "User Name"),
        ("systemuser", "isdisabled", "Status"),
        ("systemuser", "parentsystemuserid", "Manager"),
        ("account", "name", "Account Name"),
        ("account", "numberofemployees", "Number of Employees"),
        ("contact", "parentcustomerid", "Company Name"),
        ("contact", "emailaddress1", "Email"),
    ] {
        let path = format!("EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{column}')");
        let (_, attribute) = client.read(&path).await;
        assert_eq!(attribute["DisplayName"]["UserLocalizedLabel"]["Label"], label, "{column}");
    }
    let (_, all) = client.read(&format!("{ACCOUNT}/Attributes?$select=LogicalName,AttributeOf")).await;
    let derived = all["value"].as_array().unwrap().iter().find(|one| one["LogicalName"] == "industrycodename").unwrap();
    assert_eq!(derived["AttributeOf"], "industrycode");
}

#[tokio::test]
async fn casts_bring_what_belongs_to_the_type() {
    let client = Client::start().await;
    let cast =
        |kind: &str, rest: &str| format!("{ACCOUNT}/Attributes/Microsoft.Dynamics.CRM.{kind}AttributeMetadata{rest}");
    let options = "?$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet";
    let (_, picklists) = client.read(&cast("Picklist", options)).await;
    let industry =
        picklists["value"].as_array().unwrap().iter().find(|one| one["LogicalName"] == "industrycode").unwrap();
    assert_eq!(industry["OptionSet"]["Options"].as_array().unwrap().len(), 33);
    assert_eq!(industry["GlobalOptionSet"], Value::Null);
    let (_, states) = client.read(&cast("Status", "?$expand=OptionSet")).await;
    assert_eq!(states["value"][0]["OptionSet"]["Options"][1]["State"], 1);
    let (_, texts) = client.read(&cast("String", "?$select=LogicalName,MaxLength")).await;
    assert!(texts["value"].as_array().unwrap().iter().all(|one| one["MaxLength"].is_u64()));
    let user = "EntityDefinitions(LogicalName='systemuser')/Attributes(LogicalName='isdisabled')";
    let path = format!("{user}/Microsoft.Dynamics.CRM.BooleanAttributeMetadata?$expand=OptionSet");
    let (_, flag) = client.read(&path).await;
    let label = |side: &str| flag["OptionSet"][side]["Label"]["UserLocalizedLabel"]["Label"].clone();
    assert_eq!((label("TrueOption"), label("FalseOption")), (json!("Disabled"), json!("Enabled")));
    let contact = "EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='parentcustomerid')";
    let (_, lookup) = client.read(&format!("{contact}/Microsoft.Dynamics.CRM.LookupAttributeMetadata")).await;
    assert_eq!(lookup["Targets"], json!(["account", "contact"]));
}

#[tokio::test]
async fn unknown_metadata_is_refused() {
    let client = Client::start().await;
    for (path, status) in [
        ("EntityDefinitions(LogicalName='lead')".to_owned(), 404),
        (format!("{ACCOUNT}/Attributes(LogicalName='nothing')"), 404),
        (format!("{ACCOUNT}/Attributes(LogicalName='name')/Microsoft.Dynamics.CRM.MoneyAttributeMetadata"), 404),
        (format!("{ACCOUNT}?$select=Nothing"), 400),
        (format!("{ACCOUNT}/Attributes?$expand=OptionSet"), 400),
        (format!("{ACCOUNT}?$expand=Privileges"), 501),
        (format!("{ACCOUNT}?$expand=Nothing"), 400),
        (format!("{ACCOUNT}?$select=IsManaged"), 501),
        (format!("{ACCOUNT}/Attributes/Microsoft.Dynamics.CRM.EnumAttributeMetadata"), 501),
    ] {
        assert_eq!(client.read(&path).await.0, status, "{path}");
    }
}
