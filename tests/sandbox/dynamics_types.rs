//! The metadata of the newer tables: labels, types, behaviours of dates, states and their reasons.

use super::client::Client;
use serde_json::{Value, json};

async fn attributes(client: &Client, table: &str, kind: &str, rest: &str) -> Vec<Value> {
    let cast = format!("Microsoft.Dynamics.CRM.{kind}AttributeMetadata{rest}");
    let (status, body) = client.read(&format!("EntityDefinitions(LogicalName='{table}')/Attributes/{cast}")).await;
    assert_eq!(status, 200, "{table} {kind}: {body}");
    body["value"].as_array().expect("a list of attributes").clone()
}

fn named<'a>(list: &'a [Value], name: &str) -> &'a Value {
    list.iter().find(|one| one["LogicalName"] == name).expect("the attribute is there")
}

#[tokio::test]
async fn the_tables_say_who_owns_them_and_what_they_are_called() {
    let client = Client::start().await;
    for (table, set, name, ownership, label) in [
        ("opportunity", "opportunities", "name", "UserOwned", "Opportunity"),
        ("transactioncurrency", "transactioncurrencies", "currencyname", "OrganizationOwned", "Currency"),
        ("team", "teams", "name", "BusinessOwned", "Team"),
        ("businessunit", "businessunits", "name", "BusinessOwned", "Business Unit"),
        ("new_project", "new_projects", "new_name", "UserOwned", "Project"),
    ] {
        let (_, found) = client.read(&format!("EntityDefinitions(LogicalName='{table}')")).await;
        let told = [&found["EntitySetName"], &found["PrimaryNameAttribute"], &found["OwnershipType"]];
        assert_eq!(told, [set, name, ownership], "{table}");
        assert_eq!(found["PrimaryIdAttribute"], format!("{table}id"));
        assert_eq!(found["DisplayName"]["UserLocalizedLabel"]["Label"], label);
        assert_eq!(client.read(&format!("EntityDefinitions(LogicalName='{set}')")).await.0, 404, "a set is no table");
    }
}

#[tokio::test]
async fn columns_have_the_labels_of_the_form() {
    let client = Client::start().await;
    for (table, column, label) in [
        ("opportunity", "name", "Topic"),
        ("opportunity", "estimatedvalue", "Est. Revenue"),
        ("opportunity", "estimatedclosedate", "Est. Close Date"),
        ("opportunity", "customerid", "Potential Customer"),
        ("opportunity", "closeprobability", "Probability"),
        ("opportunity", "new_closetext", "Close Text"),
        ("transactioncurrency", "isocurrencycode", "Currency Code"),
        ("team", "emailaddress", "Email"),
        ("new_project", "new_code", "Project Code"),
    ] {
        let path = format!("EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{column}')");
        let (_, found) = client.read(&path).await;
        assert_eq!(found["DisplayName"]["UserLocalizedLabel"]["Label"], label, "{table}.{column}");
    }
}

#[tokio::test]
async fn dates_tell_their_three_behaviours() {
    let client = Client::start().await;
    let opportunity = attributes(&client, "opportunity", "DateTime", "").await;
    let project = attributes(&client, "new_project", "DateTime", "").await;
    for (list, column, behavior, format) in [
        (&opportunity, "estimatedclosedate", "DateOnly", "DateOnly"),
        (&opportunity, "actualclosedate", "DateOnly", "DateOnly"),
        (&opportunity, "modifiedon", "UserLocal", "DateAndTime"),
        (&project, "new_start", "TimeZoneIndependent", "DateAndTime"),
        (&project, "createdon", "UserLocal", "DateAndTime"),
    ] {
        let found = named(list, column);
        assert_eq!(
            (&found["DateTimeBehavior"]["Value"], &found["Format"]),
            (&json!(behavior), &json!(format)),
            "{column}"
        );
    }
    let project = &client.sandbox.table("new_project")[0];
    assert!(project["new_start"].as_str().unwrap().ends_with(":00:00Z"), "{project:?}");
}

#[tokio::test]
async fn numbers_tell_precision_and_bounds() {
    let client = Client::start().await;
    let money = attributes(&client, "opportunity", "Money", "").await;
    assert_eq!(
        (&named(&money, "estimatedvalue")["Precision"], &named(&money, "estimatedvalue_base")["Precision"]),
        (&json!(2), &json!(4))
    );
    assert_eq!(named(&money, "estimatedvalue_base")["IsValidForUpdate"], false);
    let chance = attributes(&client, "opportunity", "Integer", "").await;
    let chance = named(&chance, "closeprobability");
    assert_eq!((&chance["MinValue"], &chance["MaxValue"]), (&json!(0), &json!(100)));
    let rate = attributes(&client, "transactioncurrency", "Decimal", "").await;
    assert_eq!(rate[0]["Precision"], 10);
    let codes = attributes(&client, "transactioncurrency", "String", "").await;
    assert_eq!(named(&codes, "isocurrencycode")["MaxLength"], 5);
    for (table, column, kind) in [
        ("opportunity", "estimatedvalue", "Decimal"),
        ("opportunity", "closeprobability", "BigInt"),
        ("opportunity", "statecode", "Picklist"),
        ("opportunity", "description", "String"),
        ("new_project", "new_start", "String"),
    ] {
        let cast = format!("Microsoft.Dynamics.CRM.{kind}AttributeMetadata");
        let path = format!("EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{column}')/{cast}");
        assert_eq!(client.read(&path).await.0, 404, "{column} is no {kind}");
    }
}

#[tokio::test]
async fn lookups_name_every_table_they_may_lead_to() {
    let client = Client::start().await;
    let lookups = attributes(&client, "opportunity", "Lookup", "").await;
    for (column, kind, targets) in [
        ("ownerid", "Owner", json!(["systemuser", "team"])),
        ("customerid", "Customer", json!(["account", "contact"])),
        ("parentaccountid", "Lookup", json!(["account"])),
        ("transactioncurrencyid", "Lookup", json!(["transactioncurrency"])),
    ] {
        let found = named(&lookups, column);
        assert_eq!((&found["AttributeType"], &found["Targets"]), (&json!(kind), &targets), "{column}");
    }
    let (_, all) =
        client.read("EntityDefinitions(LogicalName='opportunity')/Attributes?$select=LogicalName,AttributeOf").await;
    let all = all["value"].as_array().unwrap();
    for (derived, column) in
        [("owneridtype", "ownerid"), ("customeridname", "customerid"), ("new_stagesname", "new_stages")]
    {
        assert_eq!(named(all, derived)["AttributeOf"], column);
    }
}

#[tokio::test]
async fn a_reason_belongs_to_a_state_and_the_first_is_its_default() {
    let client = Client::start().await;
    let states = attributes(&client, "opportunity", "State", "?$expand=OptionSet").await;
    let states = states[0]["OptionSet"]["Options"].as_array().unwrap().clone();
    let told: Vec<_> = states.iter().map(|one| (one["InvariantName"].clone(), one["DefaultStatus"].clone())).collect();
    assert_eq!(told, [(json!("Open"), json!(1)), (json!("Won"), json!(3)), (json!("Lost"), json!(4))]);
    let reasons = attributes(&client, "opportunity", "Status", "?$expand=OptionSet").await;
    let reasons = reasons[0]["OptionSet"]["Options"].as_array().unwrap().clone();
    let told: Vec<_> = reasons.iter().map(|one| (one["Value"].as_i64(), one["State"].as_i64())).collect();
    assert_eq!(told, [(1, 0), (2, 0), (3, 1), (4, 2), (5, 2)].map(|(value, state)| (Some(value), Some(state))));
    for row in client.sandbox.table("opportunity") {
        let reason = told.iter().find(|(value, _)| *value == row["statuscode"].as_i64()).unwrap();
        assert_eq!(reason.1, row["statecode"].as_i64(), "{}", row["opportunityid"]);
    }
}
