//! The columns of the shipped tables: those the reference lists are there, with their types and lengths.

use std::collections::HashMap;

use super::client::Client;
use serde_json::{Value, json};

async fn attributes(client: &Client, table: &str) -> HashMap<String, Value> {
    let (_, body) = client.read(&format!("EntityDefinitions(LogicalName='{table}')/Attributes")).await;
    let list = body["value"].as_array().unwrap().clone();
    let count = list.len();
    let named: HashMap<String, Value> =
        list.into_iter().map(|one| (one["LogicalName"].as_str().unwrap().to_owned(), one)).collect();
    assert_eq!(named.len(), count, "{table}: no column stands twice");
    named
}

#[tokio::test]
async fn texts_have_the_lengths_of_the_reference() {
    let client = Client::start().await;
    for (table, texts) in [
        ("account", &[("name", 160), ("tickersymbol", 10), ("traversedpath", 1250), ("address2_line3", 250)][..]),
        (
            "account",
            &[("address1_name", 200), ("address2_upszone", 4), ("address1_composite", 1000), ("yominame", 160)],
        ),
        ("contact", &[("childrensnames", 255), ("yomifullname", 450), ("suffix", 10), ("address3_city", 80)]),
        ("contact", &[("pager", 50), ("governmentid", 50), ("spousesname", 100), ("ftpsiteurl", 200)]),
        ("systemuser", &[("domainname", 1024), ("address1_line3", 1024), ("address1_telephone2", 50), ("title", 128)]),
    ] {
        let found = attributes(&client, table).await;
        for (column, length) in texts {
            assert_eq!(found[*column]["MaxLength"], *length, "{table}.{column}");
        }
    }
}

#[tokio::test]
async fn other_columns_have_the_types_of_the_reference() {
    let client = Client::start().await;
    for (table, column, kind, writable) in [
        ("account", "address1_utcoffset", "Integer", true),
        ("account", "address2_addressid", "Uniqueidentifier", false),
        ("account", "aging90", "Money", false),
        ("account", "creditlimit_base", "Money", false),
        ("account", "followemail", "Boolean", true),
        ("account", "merged", "Boolean", false),
        ("account", "accountratingcode", "Picklist", true),
        ("account", "originatingleadid", "Lookup", true),
        ("account", "owningteam", "Lookup", false),
        ("account", "lastonholdtime", "DateTime", true),
        ("contact", "accountid", "Lookup", false),
        ("contact", "address3_latitude", "Double", true),
        ("contact", "isbackofficecustomer", "Boolean", true),
        ("contact", "createdonbehalfby", "Lookup", false),
        ("systemuser", "queueid", "Lookup", true),
        ("systemuser", "systemmanagedusertype", "Picklist", true),
    ] {
        let found = &attributes(&client, table).await[column];
        assert_eq!(
            (&found["AttributeType"], &found["IsValidForUpdate"]),
            (&json!(kind), &json!(writable)),
            "{table}.{column}"
        );
    }
}

#[tokio::test]
async fn users_have_no_state_and_no_owner() {
    let client = Client::start().await;
    let found = attributes(&client, "systemuser").await;
    for column in ["statecode", "statuscode", "ownerid", "owninguser"] {
        assert!(!found.contains_key(column), "{column}");
        assert_eq!(client.read(&format!("systemusers?$select={column}")).await.0, 400);
    }
}
