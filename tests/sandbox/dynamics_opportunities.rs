//! Opportunities: pages, amounts, dates without a time, and what is refused.

use std::collections::HashSet;

use super::client::{Client, answer, row, with_query};
use ferry::sandbox::corners::corners;
use serde_json::{Map, Value, json};

const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";

/// The raw text of one opportunity, annotated.
async fn text(client: &Client, id: &str, select: &str) -> String {
    let request = client.dynamics(&format!("opportunities({id})?$select={select}"));
    let request = request.header("Prefer", "odata.include-annotations=\"*\"");
    request.send().await.expect("the sandbox answers").text().await.expect("the answer is text")
}

#[tokio::test]
async fn every_row_of_every_new_table_comes_once() {
    let client = Client::start().await;
    for (table, set, order) in [
        ("opportunity", "opportunities", "estimatedclosedate%20desc"),
        ("opportunity", "opportunities", "estimatedvalue"),
        ("opportunity", "opportunities", "_ownerid_value"),
        ("opportunity", "opportunities", "new_stages"),
        ("transactioncurrency", "transactioncurrencies", "isocurrencycode"),
        ("team", "teams", "emailaddress"),
        ("businessunit", "businessunits", "name"),
        ("new_project", "new_projects", "new_start"),
    ] {
        let count = client.sandbox.table(table).len();
        for size in [1, 3, 5000] {
            let (mut keys, mut pages) = (Vec::new(), 0);
            let mut next = Some(client.dynamics(&format!("{set}?$select={table}id&$orderby={order}")));
            while let Some(request) = next {
                let (status, body) = answer(request.header("Prefer", format!("odata.maxpagesize={size}"))).await;
                assert_eq!(status, 200, "{set} by {order}: {body}");
                let rows = body["value"].as_array().unwrap();
                keys.extend(rows.iter().map(|row| row[format!("{table}id")].as_str().unwrap().to_owned()));
                next = body["@odata.nextLink"].as_str().map(|link| client.link(link));
                pages += 1;
            }
            assert_eq!((keys.len(), keys.iter().collect::<HashSet<_>>().len()), (count, count), "{set} by {order}");
            assert_eq!(pages, count.div_ceil(size).max(1), "{set} by {order}");
        }
    }
}

#[tokio::test]
async fn amounts_have_four_decimals_and_the_sign_of_their_currency() {
    let client = Client::start().await;
    let corners = corners(1).opportunity;
    let select = "estimatedvalue,estimatedvalue_base";
    let dollars = text(&client, &corners.plain, select).await;
    assert!(dollars.contains("\"estimatedvalue\":25000.5000"), "{dollars}");
    assert!(dollars.contains(&format!("\"estimatedvalue@{FORMATTED}\":\"$25,000.50\"")), "{dollars}");
    assert!(dollars.contains("\"_transactioncurrencyid_value\":"), "a money column brings its currency: {dollars}");
    let yen = text(&client, &corners.yen, select).await;
    assert!(yen.contains(&format!("\"estimatedvalue@{FORMATTED}\":\"¥3,500,000\"")), "{yen}");
    assert!(yen.contains(&format!("\"estimatedvalue_base@{FORMATTED}\":\"$23,140.50\"")), "{yen}");
    let none = text(&client, &corners.without_currency, select).await;
    assert!(none.contains(&format!("\"estimatedvalue@{FORMATTED}\":\"$25,000.50\"")), "{none}");
    assert!(none.contains("\"_transactioncurrencyid_value\":null"), "{none}");
    let null = text(&client, &corners.without_value, select).await;
    assert!(null.contains("\"estimatedvalue\":null") && !null.contains("estimatedvalue@"), "{null}");
}

#[tokio::test]
async fn a_date_without_a_time_stays_a_date() {
    let client = Client::start().await;
    let corners = corners(1).opportunity;
    let due = text(&client, &corners.plain, "estimatedclosedate").await;
    assert!(due.contains("\"estimatedclosedate\":\"2026-06-30\""), "{due}");
    assert!(due.contains(&format!("\"estimatedclosedate@{FORMATTED}\":\"6/30/2026\"")), "{due}");
    let filter = [("$filter", "estimatedclosedate eq 2026-06-30T00:00:00Z")];
    assert_eq!(client.refused(&with_query("opportunities", &filter)).await.0, 400);
    let put = |column: &str, value: Value| {
        let mut row = Map::new();
        row.extend([("opportunityid".to_owned(), json!(corners.plain)), (column.to_owned(), value)]);
        client.sandbox.put_row("opportunity", row)
    };
    for value in ["2026-06-30T00:00:00Z", "2026-02-30", "30.06.2026", "soon", ""] {
        assert!(!put("estimatedclosedate", json!(value)), "{value}");
    }
    assert!(put("estimatedclosedate", json!("2024-02-29")));
    assert_eq!(row(&client.sandbox, "opportunity", &corners.plain)["estimatedclosedate"], "2024-02-29");
}

#[tokio::test]
async fn values_that_do_not_fit_are_not_stored() {
    let client = Client::start().await;
    let id = corners(1).opportunity.plain;
    let before = row(&client.sandbox, "opportunity", &id);
    let target = "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname";
    for bad in [
        json!({"estimatedvalue": "many"}),
        json!({"statecode": 3}),
        json!({"statuscode": 6}),
        json!({"closeprobability": "60"}),
        json!({"name": "x".repeat(301)}),
        json!({"new_closetext": "x".repeat(101)}),
        json!({"parentaccountid": before["_parentaccountid_value"]}),
        json!({"_ownerid_value": before["_ownerid_value"], target: "account"}),
        json!({"opportunityid": "no guid"}),
    ] {
        let mut values = bad.as_object().unwrap().clone();
        values.entry("opportunityid").or_insert_with(|| json!(id));
        assert!(!client.sandbox.put_row("opportunity", values), "{bad}");
    }
    assert_eq!(row(&client.sandbox, "opportunity", &id), before);
}

#[tokio::test]
async fn sets_and_columns_have_their_own_names() {
    let client = Client::start().await;
    for path in ["opportunitys", "opportunity", "Opportunities", "transactioncurrencys", "new_project", "projects"] {
        let (status, code, _) = client.refused(path).await;
        assert_eq!((status, code.as_str()), (404, "0x8006088a"), "{path}");
    }
    for path in [
        "opportunities?$select=ownerid",
        "opportunities?$select=parentaccountid",
        "opportunities?$select=Name",
        "opportunities?$select=new_closeText",
        "teams?$select=internalemailaddress",
        "new_projects?$select=name",
        "new_projects?$orderby=new_accountid",
    ] {
        assert_eq!(client.refused(path).await.0, 400, "{path}");
    }
    let (status, code, message) = client.refused("teams(00000000-0000-0000-0000-000000000001)").await;
    assert_eq!((status, code.as_str()), (404, "0x80040217"), "{message}");
    assert_eq!(client.refused("new_projects(new_code='PRJ-00001')").await.0, 400, "the table has no such key");
}

#[tokio::test]
async fn a_filter_on_amount_probability_and_state_selects_what_it_says() {
    let client = Client::start().await;
    let rows = client.sandbox.table("opportunity");
    let value = |row: &Map<String, Value>| row["estimatedvalue"].as_f64();
    let chance = |row: &Map<String, Value>| row["closeprobability"].as_i64();
    let expected = |keeps: &dyn Fn(&Map<String, Value>) -> bool| rows.iter().filter(|row| keeps(row)).count();
    for (filter, count) in [
        ("estimatedvalue ge 1000", expected(&|row| value(row) >= Some(1000.0))),
        ("estimatedvalue lt 1000", expected(&|row| value(row).is_some_and(|value| value < 1000.0))),
        ("estimatedvalue eq null", expected(&|row| value(row).is_none())),
        (
            "closeprobability ge 40 and closeprobability lt 80",
            expected(&|row| (40..80).contains(&chance(row).unwrap())),
        ),
        ("statecode eq 0 or statecode eq 1", expected(&|row| row["statecode"] != 2)),
        ("_transactioncurrencyid_value eq null", expected(&|row| row["_transactioncurrencyid_value"].is_null())),
        ("_owningteam_value ne null", expected(&|row| !row["_owningteam_value"].is_null())),
    ] {
        let (status, body) = client.read(&with_query("opportunities/$count", &[("$filter", filter)])).await;
        assert_eq!((status, body), (200, json!(count)), "{filter}");
        assert!(count > 0, "{filter} selects something");
    }
    for filter in ["estimatedvalue ge '1000'", "statecode eq 'Open'", "ownerid eq null", "closeprobability eq 40%"] {
        assert_eq!(client.refused(&with_query("opportunities", &[("$filter", filter)])).await.0, 400, "{filter}");
    }
}
