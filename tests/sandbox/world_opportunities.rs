//! The opportunities, projects, currencies and teams of a world, and the special ones among them.

use super::client::{Client, records, row};
use ferry::sandbox::corners::corners;
use ferry::sandbox::{Options, start};
use serde_json::{Map, Value, json};

const NEW: [&str; 5] = ["opportunity", "transactioncurrency", "team", "businessunit", "new_project"];

async fn tables(rows: usize, seed: u64) -> Vec<Vec<Map<String, Value>>> {
    let sandbox = start(Options { rows, seed, ..Options::default() }).await.expect("the sandbox starts");
    NEW.iter().map(|table| sandbox.table(table)).collect()
}

#[tokio::test]
async fn the_same_seed_gives_the_same_rows_and_another_does_not() {
    assert!(tables(100, 1).await == tables(100, 1).await);
    for (table, (one, other)) in NEW.iter().zip(tables(100, 1).await.iter().zip(&tables(100, 2).await)) {
        assert_ne!(one, other, "{table}");
    }
}

#[tokio::test]
async fn counts_follow_the_rows_but_not_below_the_special_ones() {
    for (rows, opportunities, projects) in [(1, 30, 12), (40, 30, 12), (1000, 300, 40)] {
        let counts: Vec<usize> = tables(rows, 1).await.iter().map(Vec::len).collect();
        assert_eq!(counts, [opportunities, 4, 5, 1, projects], "{rows}");
    }
}

#[tokio::test]
async fn the_special_ones_are_what_their_names_say() {
    let client = Client::start().await;
    let (sandbox, all) = (&client.sandbox, corners(1));
    let corners = &all.opportunity;
    let opportunity = |id: &str| row(sandbox, "opportunity", id);
    for (id, column, value) in [
        (&corners.plain, "estimatedvalue", json!(25_000.5)),
        (&corners.won, "statecode", json!(1)),
        (&corners.won, "actualclosedate", json!("2025-11-30")),
        (&corners.lost, "statecode", json!(2)),
        (&corners.without_value, "estimatedvalue", Value::Null),
        (&corners.without_value, "estimatedvalue_base", Value::Null),
        (&corners.below_thousand, "estimatedvalue", json!(999.99)),
        (&corners.without_close_date, "estimatedclosedate", Value::Null),
        (&corners.without_account, "_parentaccountid_value", Value::Null),
        (&corners.account_not_there, "_parentaccountid_value", json!(all.account_void_name)),
        (&corners.account_twice_there, "_parentaccountid_value", json!(all.account_twice_there)),
        (&corners.owner_email_case, "_ownerid_value", json!(all.user_late_manager)),
        (&corners.blanks, "name", json!("  Blank Deal  ")),
        (&corners.without_currency, "_transactioncurrencyid_value", Value::Null),
        (&corners.without_currency, "exchangerate", Value::Null),
        (&corners.probability_39, "closeprobability", json!(39)),
        (&corners.probability_40, "closeprobability", json!(40)),
        (&corners.probability_79, "closeprobability", json!(79)),
        (&corners.probability_80, "closeprobability", json!(80)),
        (&corners.close_text_unreadable, "new_closetext", json!("soon")),
        (&corners.close_text_readable, "new_closetext", json!("2026-03-31")),
    ] {
        assert_eq!(opportunity(id)[column], value, "{column} of {id}");
    }
    let team = opportunity(&corners.owned_by_team);
    assert_eq!(team["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "team");
    assert!(sandbox.table("team").iter().any(|one| one["teamid"] == team["_ownerid_value"]));
    for id in [&corners.plain, &corners.owned_by_team, &corners.blanks, &corners.probability_80, &corners.yen] {
        let one = opportunity(id);
        let told = [&one["statecode"], &one["statuscode"], &one["estimatedclosedate"], &one["_parentaccountid_value"]];
        assert_eq!(told, [&json!(0), &json!(1), &json!("2026-06-30"), &json!(all.account_unchanged)], "{id}");
    }
}

#[tokio::test]
async fn gainsight_knows_the_owner_under_another_case_only() {
    let client = Client::start().await;
    let owner = row(&client.sandbox, "systemuser", &corners(1).user_late_manager);
    let mail = owner["internalemailaddress"].as_str().unwrap();
    assert!(records(&client.sandbox, "gsuser", "Email", mail).is_empty());
    let users = client.sandbox.records("gsuser");
    let same = |user: &&Map<String, Value>| user["Email"].as_str().unwrap_or("").eq_ignore_ascii_case(mail);
    let found: Vec<_> = users.iter().filter(same).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["LastName"], owner["lastname"]);
    assert_ne!(found[0]["SFDCUserName"], owner["domainname"], "it is not the record that the User job writes");
}

#[tokio::test]
async fn special_ids_depend_on_the_seed_alone() {
    let (one, other) = (corners(7), corners(8));
    assert_eq!(one, corners(7));
    assert_ne!(one.opportunity, other.opportunity);
    let sandbox = start(Options { rows: 40, seed: 7, ..Options::default() }).await.unwrap();
    assert_eq!(row(&sandbox, "opportunity", &one.opportunity.plain)["name"], "Plain Deal");
}

#[tokio::test]
async fn amounts_and_rates_fit_their_currency() {
    let sandbox = start(Options { rows: 1000, ..Options::default() }).await.unwrap();
    let currencies = sandbox.table("transactioncurrency");
    let mut seen = std::collections::BTreeSet::new();
    for row in sandbox.table("opportunity") {
        let Some(id) = row["_transactioncurrencyid_value"].as_str() else { continue };
        let currency = currencies.iter().find(|one| one["transactioncurrencyid"] == id).expect("the currency is a row");
        assert_eq!(row["exchangerate"], currency["exchangerate"]);
        seen.insert(currency["isocurrencycode"].as_str().unwrap());
        let Some(value) = row["estimatedvalue"].as_f64() else { continue };
        let base = row["estimatedvalue_base"].as_f64().unwrap();
        assert!((value / currency["exchangerate"].as_f64().unwrap() - base).abs() < 0.001, "{}", row["opportunityid"]);
        assert!(currency["currencyprecision"] != 0 || value.fract() == 0.0, "{}", row["opportunityid"]);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["EUR", "GBP", "JPY", "USD"]);
}

#[tokio::test]
async fn a_world_from_a_folder_has_the_tables_and_only_what_rows_point_to() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for name in ["systemusers", "accounts", "contacts"] {
        std::fs::write(folder.path().join(format!("{name}.jsonl")), "").expect("a file can be written");
    }
    let client = Client::with(Options { world: Some(folder.path().to_owned()), ..Options::default() }).await;
    for (set, count) in
        [("opportunities", 0), ("new_projects", 0), ("transactioncurrencies", 4), ("teams", 5), ("businessunits", 1)]
    {
        let (status, body) = client.read(set).await;
        assert_eq!((status, body["value"].as_array().map(Vec::len)), (200, Some(count)), "{set}");
        assert!(body.get("@odata.nextLink").is_none());
    }
}
