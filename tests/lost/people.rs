//! People and their places at companies: marked by one call each, which is an upsert and must not create anybody.

use serde_json::{Value, json};

use super::desk::{change, counted, held, id, object, run, writes};
use crate::stage::{Stage, errors};

const BOTH: &str = "ON SOURCE DELETE SET \"Company Person\".\"Active\" = FALSE, Person.\"Comments\" = 'gone' \
                    ON SOURCE LEAVE SET \"Company Person\".\"Active\" = FALSE";

fn contact(number: usize, email: &str, company: usize) -> Value {
    json!({ "contactid": format!("10000000-0000-0000-0000-{number:012}"), "firstname": format!("C{number}"), "statecode": 0,
        "emailaddress1": email, "modifiedon": format!("2024-01-{number:02}T00:00:00Z"),
        "_parentcustomerid_value": id(company),
        "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account" })
}

fn contact_id(number: usize) -> String {
    format!("10000000-0000-0000-0000-{number:012}")
}

fn people(clauses: &str) -> String {
    format!(
        "CREATE JOB \"J\" AS UPSERT INTO gainsight.Person, gainsight.\"Company Person\" KEY (Person.\"Email\") SELECT \
         c.firstname AS Person.\"First Name\", c.emailaddress1 AS Person.\"Email\", \
         c.contactid AS \"Company Person\".\"External Contact ID_gainsight123\", co.\"GSID\" AS \"Company Person\".\"Company ID\" \
         FROM dynamics.contact AS c LOOKUP gainsight.Company AS co ON co.\"Dynamics Account ID\" = c.parentcustomerid \
         WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN REJECT WHERE c.statecode = 'Active' {clauses};"
    )
}

/// Two companies, and contacts 1 and 2 at the first one, contact 3, who is the same person as the second, at the other.
async fn loaded(clauses: &str) -> Stage {
    let accounts = (1..=2).map(|n| format!("{}\n", Value::Object(super::desk::account(n)))).collect::<String>();
    let contacts = [contact(1, "one@x.com", 1), contact(2, "Two@x.com", 1), contact(3, "two@x.com", 2)];
    let stage = Stage::world("", &accounts, &contacts.map(|c| format!("{c}\n")).concat()).await;
    run(&stage, &super::desk::companies("")).await;
    assert_eq!(counted(&run(&stage, &people(clauses)).await.counts), "3 read, 3 inserted");
    stage
}

/// The places of people in the order of the contacts that they come of: whether each is active.
fn active(stage: &Stage) -> Vec<Value> {
    held(stage, "company_person", "External_Contact_ID_gainsight123__gc", "Active").into_values().collect()
}

/// What is said of people, in the order of their addresses.
fn comments(stage: &Stage) -> Vec<Value> {
    held(stage, "person", "Email", "Comments").into_values().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_are_gone_are_marked_right_after_they_came() {
    let stage = loaded(BOTH).await;
    // Nobody was told the GSIDs of new people: they are found by their keys.
    stage.sandbox.delete_row("contact", &contact_id(1));
    let before = writes(&stage).len();
    let report = run(&stage, &people(BOTH)).await;
    assert_eq!(counted(&report.counts), "3 read, 2 unchanged, 1 deleted");
    assert_eq!((report.records["Person"].updated, report.records["Company Person"].updated), (1, 1));
    assert_eq!(writes(&stage)[before..], ["PUT /v1/peoplemgmt/v1.0/people"]);
    assert_eq!(active(&stage), [json!(false), Value::Null, Value::Null]);
    assert_eq!(comments(&stage), [json!("gone"), Value::Null]);
    assert_eq!(counted(&run(&stage, &people(BOTH)).await.counts), "2 read, 2 unchanged");
    assert_eq!((stage.sandbox.records("person").len(), stage.sandbox.records("company_person").len()), (2, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_somebody_elses_row_keeps_all_but_the_place() {
    let stage = loaded(BOTH).await;
    assert_eq!(counted(&run(&stage, &people(BOTH)).await.counts), "3 read, 3 unchanged");
    stage.sandbox.delete_row("contact", &contact_id(2));
    let report = run(&stage, &people(BOTH)).await;
    assert_eq!(counted(&report.counts), "3 read, 2 unchanged, 1 deleted");
    assert_eq!(active(&stage), [Value::Null, json!(false), Value::Null]);
    assert_eq!(comments(&stage), [Value::Null, Value::Null], "the person is contact 3 too");
    stage.sandbox.delete_row("contact", &contact_id(3));
    run(&stage, &people(BOTH)).await;
    assert_eq!(active(&stage), [Value::Null, json!(false), json!(false)]);
    assert_eq!(comments(&stage), [Value::Null, json!("gone")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_rows_of_a_person_go_together() {
    let stage = loaded(BOTH).await;
    stage.sandbox.delete_row("contact", &contact_id(2));
    stage.sandbox.delete_row("contact", &contact_id(3));
    let before = writes(&stage).len();
    let report = run(&stage, &people(BOTH)).await;
    assert_eq!(counted(&report.counts), "3 read, 1 unchanged, 2 deleted");
    assert_eq!((report.records["Person"].updated, report.records["Company Person"].updated), (1, 2));
    assert_eq!(writes(&stage).len(), before + 2);
    assert_eq!(active(&stage), [Value::Null, json!(false), json!(false)]);
    assert_eq!(comments(&stage), [Value::Null, json!("gone")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_leaves_and_comes_back_keeps_the_person() {
    let stage = loaded(BOTH).await;
    change(&stage, "contact", "contactid", &contact_id(1), json!({ "statecode": 1 }));
    assert_eq!(counted(&run(&stage, &people(BOTH)).await.counts), "3 read, 2 unchanged, 1 deleted");
    assert_eq!((active(&stage)[0].clone(), comments(&stage)), (json!(false), vec![Value::Null, Value::Null]));
    assert_eq!(counted(&run(&stage, &people(BOTH)).await.counts), "3 read, 1 filtered, 2 unchanged");
    change(&stage, "contact", "contactid", &contact_id(1), json!({ "statecode": 0 }));
    assert_eq!(counted(&run(&stage, &people(BOTH)).await.counts), "3 read, 3 unchanged");
    stage.sandbox.delete_row("contact", &contact_id(1));
    assert_eq!(counted(&run(&stage, &people(BOTH)).await.counts), "3 read, 2 unchanged, 1 deleted");
    assert_eq!(comments(&stage)[0], json!("gone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_contact_is_gone_and_the_one_that_is_left_stays() {
    let stage = loaded(BOTH).await;
    run(&stage, &people(BOTH)).await;
    assert!(stage.sandbox.merge_rows("contact", &contact_id(3), &contact_id(1)));
    let report = run(&stage, &people(BOTH)).await;
    assert_eq!(counted(&report.counts), "3 read, 2 unchanged, 1 deleted");
    assert_eq!(active(&stage), [json!(false), Value::Null, Value::Null]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_created_who_is_gone_from_gainsight_too() {
    let stage = loaded(BOTH).await;
    run(&stage, &people(BOTH)).await;
    let gsids = held(&stage, "person", "Email", "Gsid");
    stage.sandbox.delete_record("person", gsids["one@x.com"].as_str().unwrap());
    stage.sandbox.delete_row("contact", &contact_id(1));
    let before = writes(&stage).len();
    assert_eq!(counted(&run(&stage, &people(BOTH)).await.counts), "3 read, 1 filtered, 2 unchanged");
    assert_eq!((writes(&stage).len(), stage.sandbox.records("person").len()), (before, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_of_another_address_now_is_left_alone_and_told() {
    let stage = loaded(BOTH).await;
    run(&stage, &people(BOTH)).await;
    let gsids = held(&stage, "person", "Email", "Gsid");
    let other = object(json!({ "Email": "other@x.com" }));
    stage.sandbox.edit_record("person", gsids["one@x.com"].as_str().unwrap(), other);
    stage.sandbox.delete_row("contact", &contact_id(1));
    let before = writes(&stage).len();
    let report = run(&stage, &people(BOTH)).await;
    assert_eq!(counted(&report.counts), "3 read, 1 error, 2 unchanged");
    assert_eq!(errors(&report)[0]["code"], "KEY_CHANGED");
    assert_eq!((writes(&stage).len(), stage.sandbox.records("person").len()), (before, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_moves_is_linked_to_its_new_place() {
    let stage = loaded(BOTH).await;
    change(&stage, "contact", "contactid", &contact_id(1), json!({ "_parentcustomerid_value": id(2) }));
    assert_eq!(counted(&run(&stage, &people(BOTH)).await.counts), "3 read, 1 inserted, 2 unchanged");
    stage.sandbox.delete_row("contact", &contact_id(1));
    assert_eq!(counted(&run(&stage, &people(BOTH)).await.counts), "3 read, 2 unchanged, 1 deleted");
    let places = stage.sandbox.records("company_person");
    let of = |r: &&serde_json::Map<String, Value>| r["External_Contact_ID_gainsight123__gc"] == contact_id(1);
    let mut marked: Vec<Value> =
        places.iter().filter(of).map(|r| r.get("Active").cloned().unwrap_or(Value::Null)).collect();
    marked.sort_by_key(Value::to_string);
    assert_eq!(marked, [json!(false), Value::Null], "the place that was left before is no row's any more");
}
