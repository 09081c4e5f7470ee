//! Lookups of the newer tables: which table they lead to, and that the row is there.

use super::client::{Client, answer, row};
use ferry::sandbox::corners::corners;
use serde_json::{Value, json};

const TARGET: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";
const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";

async fn annotated(client: &Client, path: &str) -> Value {
    let (status, body) = answer(client.dynamics(path).header("Prefer", "odata.include-annotations=\"*\"")).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

#[tokio::test]
async fn an_owner_is_a_user_or_a_team_and_only_the_annotation_tells() {
    let client = Client::start().await;
    let corners = corners(1).opportunity;
    let select = "?$select=_ownerid_value,_owninguser_value,_owningteam_value";
    for (id, target, name, owning, other) in [
        (&corners.owned_by_team, "team", "name", "_owningteam_value", "_owninguser_value"),
        (&corners.owner_email_case, "systemuser", "fullname", "_owninguser_value", "_owningteam_value"),
    ] {
        let path = format!("opportunities({id}){select}");
        let body = annotated(&client, &path).await;
        let owner = body["_ownerid_value"].as_str().unwrap();
        assert_eq!(body[format!("_ownerid_value@{TARGET}")], target);
        assert_eq!(body[format!("_ownerid_value@{NAVIGATION}")], "ownerid");
        assert_eq!(body[format!("_ownerid_value@{FORMATTED}")], row(&client.sandbox, target, owner)[name]);
        assert_eq!((&body[owning], &body[other]), (&json!(owner), &Value::Null));
        let (_, plain) = client.read(&path).await;
        assert!(!plain.to_string().contains("lookuplogicalname"), "{plain}");
    }
}

#[tokio::test]
async fn a_customer_names_the_navigation_of_its_kind() {
    let client = Client::start().await;
    let corners = corners(1).opportunity;
    for (id, target) in [(&corners.without_account, "contact"), (&corners.plain, "account")] {
        let path = format!("opportunities({id})?$select=_customerid_value,_parentaccountid_value");
        let body = annotated(&client, &path).await;
        assert_eq!(body[format!("_customerid_value@{TARGET}")], target);
        assert_eq!(body[format!("_customerid_value@{NAVIGATION}")], format!("customerid_{target}"));
        assert_eq!(body["_parentaccountid_value"].is_null(), target == "contact");
        assert_eq!(body.get(format!("_parentaccountid_value@{TARGET}")).is_some(), target == "account");
    }
}

#[tokio::test]
async fn a_lookup_whose_row_is_gone_keeps_its_value_and_loses_its_name() {
    let client = Client::start().await;
    let id = corners(1).opportunity.owned_by_team;
    let team = row(&client.sandbox, "opportunity", &id)["_ownerid_value"].as_str().unwrap().to_owned();
    assert!(client.sandbox.delete_row("team", &team));
    let body = annotated(&client, &format!("opportunities({id})?$select=_ownerid_value")).await;
    assert_eq!((&body["_ownerid_value"], &body[format!("_ownerid_value@{TARGET}")]), (&json!(team), &json!("team")));
    assert!(body.get(format!("_ownerid_value@{FORMATTED}")).is_none(), "{body}");
    assert_eq!(client.read(&format!("teams({team})")).await.0, 404);
}

#[tokio::test]
async fn every_lookup_that_has_a_value_leads_to_a_row() {
    let client = Client::start().await;
    let known = |table: &str| -> Vec<String> {
        let rows = client.sandbox.table(table);
        rows.iter().map(|row| row[&format!("{table}id")].as_str().unwrap().to_owned()).collect()
    };
    let tables = [
        "systemuser",
        "account",
        "contact",
        "opportunity",
        "team",
        "transactioncurrency",
        "businessunit",
        "new_project",
    ];
    let ids: Vec<String> = tables.iter().flat_map(|table| known(table)).collect();
    for table in tables {
        for row in client.sandbox.table(table) {
            for (name, value) in row.iter().filter(|(name, _)| name.starts_with('_') && name.ends_with("_value")) {
                // Some contacts name a company that does not exist: that is what they are for.
                let is_there = value.as_str().is_none_or(|id| ids.iter().any(|known| known == id));
                assert!(is_there || name == "_parentcustomerid_value", "{table}.{name} leads to {value}");
            }
        }
    }
}

#[tokio::test]
async fn currencies_and_units_of_older_tables_are_rows() {
    let client = Client::start().await;
    let account = annotated(&client, &format!("accounts({})", corners(1).account_quotes)).await;
    assert_eq!(account[format!("_transactioncurrencyid_value@{FORMATTED}")], "US Dollar");
    let currency = account["_transactioncurrencyid_value"].as_str().unwrap();
    let (_, currency) = client.read(&format!("transactioncurrencies({currency})")).await;
    assert_eq!((&currency["isocurrencycode"], &currency["currencysymbol"]), (&json!("USD"), &json!("$")));
    let unit = account["_owningbusinessunit_value"].as_str().unwrap();
    assert_eq!(row(&client.sandbox, "businessunit", unit)["name"], "contoso");
    let codes = client.sandbox.table("transactioncurrency").len();
    assert_eq!((codes, client.sandbox.table("team").len()), (4, 5));
}
