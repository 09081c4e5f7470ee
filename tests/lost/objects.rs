//! Companies and custom objects: deleted, set, left alone, and found again.

use serde_json::{Value, json};

use super::desk::{account, accounts, change, companies, counted, gsid, held, id, names, object, run, writes};
use crate::stage::{Stage, errors};

const DELETE: &str = "ON SOURCE DELETE DELETE";
const SET: &str = "ON SOURCE DELETE SET \"Status\" = 'Churn', \"Employees\" = 0";

/// How many links the job has.
fn links(stage: &Stage) -> i64 {
    let database = rusqlite::Connection::open(stage.setting.home.join("state.db")).unwrap();
    database.query_row("SELECT count(*) FROM link WHERE job = 'J'", [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_gone_takes_its_record_with_it_once() {
    let stage = accounts(4).await;
    let job = companies(DELETE);
    assert_eq!(counted(&run(&stage, &job).await.counts), "4 read, 4 inserted");
    assert_eq!(links(&stage), 4);
    stage.sandbox.delete_row("account", &id(2));
    stage.sandbox.delete_row("account", &id(4));
    let gone = [gsid(&stage, "A2"), gsid(&stage, "A4")];
    let before = writes(&stage).len();
    let report = run(&stage, &job).await;
    assert_eq!(counted(&report.counts), "4 read, 2 unchanged, 2 deleted");
    assert_eq!((report.records["Company"].deleted, report.records["Company"].unchanged), (2, 2));
    assert_eq!(names(&stage), ["A1", "A3"]);
    let mut made = writes(&stage)[before..].to_vec();
    made.sort();
    let mut wanted = gone.map(|gsid| format!("DELETE /v1/data/objects/company/{gsid}"));
    wanted.sort();
    assert_eq!(made, wanted);
    assert_eq!(links(&stage), 2);
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 2 unchanged", "it is settled once");
    assert_eq!(writes(&stage).len(), before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_shows_in_changes_as_in_a_whole_read() {
    for is_tracked in [true, false] {
        let stage = accounts(6).await;
        stage.sandbox.track("account", is_tracked);
        let job = companies("ON SOURCE DELETE DELETE ON SOURCE LEAVE SET \"Employees\" = 0")
            .replace("FROM dynamics.account", "FROM CHANGES OF dynamics.account");
        run(&stage, &job).await;
        stage.sandbox.delete_row("account", &id(1));
        assert!(stage.sandbox.merge_rows("account", &id(3), &id(2)));
        change(&stage, "account", "accountid", &id(4), json!({ "statecode": 1 }));
        let report = run(&stage, &job).await;
        assert_eq!(counted(&report.counts), "6 read, 3 unchanged, 3 deleted", "{is_tracked}");
        assert_eq!(names(&stage), ["A3", "A4", "A5", "A6"], "{is_tracked}");
        assert_eq!(held(&stage, "company", "Name", "Employees")["A4"], json!(0), "{is_tracked}");
        assert_eq!(counted(&run(&stage, &job).await.counts), "5 read, 2 filtered, 3 unchanged", "{is_tracked}");
        stage.sandbox.put_row("account", account(1));
        assert_eq!(counted(&run(&stage, &job).await.counts), "6 read, 2 filtered, 1 inserted, 3 unchanged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_gone_marks_its_record() {
    let stage = accounts(3).await;
    let job = companies(SET);
    run(&stage, &job).await;
    stage.sandbox.delete_row("account", &id(1));
    let before = writes(&stage).len();
    let report = run(&stage, &job).await;
    assert_eq!(counted(&report.counts), "3 read, 2 unchanged, 1 deleted");
    assert_eq!((report.records["Company"].updated, report.records["Company"].deleted), (1, 0), "a mark is a change");
    assert_eq!(writes(&stage)[before..], ["PUT /v1/data/objects/company?keys=Gsid"]);
    assert_eq!(held(&stage, "company", "Name", "Employees")["A1"], json!(0));
    let marked = held(&stage, "company", "Name", "Status");
    assert!(marked["A1"].is_string() && marked["A2"].is_null(), "{marked:?}");
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 2 unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_holds_the_mark_already_costs_no_call() {
    let stage = accounts(2).await;
    let job = companies("ON SOURCE DELETE SET \"Employees\" = 7");
    run(&stage, &job).await;
    stage.sandbox.edit_record("company", &gsid(&stage, "A1"), object(json!({ "Employees": 7 })));
    stage.sandbox.delete_row("account", &id(1));
    let before = writes(&stage).len();
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 filtered, 1 unchanged", "nothing was done");
    assert_eq!((writes(&stage).len(), links(&stage)), (before, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_gone_too_costs_no_call() {
    let stage = accounts(2).await;
    let job = companies(DELETE);
    run(&stage, &job).await;
    stage.sandbox.delete_record("company", &gsid(&stage, "A1"));
    stage.sandbox.delete_row("account", &id(1));
    let before = writes(&stage).len();
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 filtered, 1 unchanged");
    assert_eq!((writes(&stage).len(), links(&stage)), (before, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_clause_records_stay() {
    let stage = accounts(2).await;
    for job in [companies(""), companies("ON SOURCE DELETE IGNORE ON SOURCE LEAVE IGNORE")] {
        run(&stage, &job).await;
        assert_eq!(links(&stage), 0);
    }
    stage.sandbox.delete_row("account", &id(1));
    change(&stage, "account", "accountid", &id(2), json!({ "statecode": 1 }));
    run(&stage, &companies("ON SOURCE DELETE IGNORE")).await;
    assert_eq!(names(&stage), ["A1", "A2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_begin_with_the_clause_and_without_a_call() {
    let stage = accounts(3).await;
    run(&stage, &companies("")).await;
    let before = writes(&stage).len();
    // A row that is gone by then was never linked.
    stage.sandbox.delete_row("account", &id(3));
    assert_eq!(counted(&run(&stage, &companies(DELETE)).await.counts), "2 read, 2 unchanged");
    assert_eq!((links(&stage), writes(&stage).len()), (2, before));
    stage.sandbox.delete_row("account", &id(2));
    assert_eq!(counted(&run(&stage, &companies(DELETE)).await.counts), "2 read, 1 unchanged, 1 deleted");
    assert_eq!(names(&stage), ["A1", "A3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_leaves_the_filter_is_dealt_with_once_and_comes_back() {
    let stage = accounts(2).await;
    let job = companies("ON SOURCE LEAVE SET \"Employees\" = 0");
    run(&stage, &job).await;
    change(&stage, "account", "accountid", &id(1), json!({ "statecode": 1 }));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 unchanged, 1 deleted");
    assert_eq!(held(&stage, "company", "Name", "Employees")["A1"], json!(0));
    // Somebody in Gainsight knows better, and is not contradicted every day.
    stage.sandbox.edit_record("company", &gsid(&stage, "A1"), object(json!({ "Employees": 5 })));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 filtered, 1 unchanged");
    change(&stage, "account", "accountid", &id(1), json!({ "statecode": 0, "name": "A1 again" }));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 updated, 1 unchanged");
    change(&stage, "account", "accountid", &id(1), json!({ "statecode": 1 }));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 unchanged, 1 deleted", "it left once more");
    assert_eq!(held(&stage, "company", "Name", "Employees")["A1 again"], json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_left_can_be_gone_later() {
    let stage = accounts(2).await;
    let job = companies("ON SOURCE DELETE DELETE ON SOURCE LEAVE SET \"Employees\" = 0");
    run(&stage, &job).await;
    change(&stage, "account", "accountid", &id(1), json!({ "statecode": 1 }));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 unchanged, 1 deleted");
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 filtered, 1 unchanged");
    stage.sandbox.delete_row("account", &id(1));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 unchanged, 1 deleted");
    assert_eq!((names(&stage), links(&stage)), (vec!["A2".to_owned()], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_left_without_a_clause_for_it_can_be_gone_later() {
    let stage = accounts(2).await;
    let job = companies(DELETE);
    run(&stage, &job).await;
    change(&stage, "account", "accountid", &id(1), json!({ "statecode": 1 }));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 filtered, 1 unchanged");
    stage.sandbox.delete_row("account", &id(1));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 unchanged, 1 deleted");
    assert_eq!(names(&stage), ["A2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_departure_may_delete() {
    let stage = accounts(2).await;
    let job = companies("ON SOURCE LEAVE DELETE");
    run(&stage, &job).await;
    change(&stage, "account", "accountid", &id(2), json!({ "statecode": 1 }));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 unchanged, 1 deleted");
    assert_eq!(names(&stage), ["A1"]);
    change(&stage, "account", "accountid", &id(2), json!({ "statecode": 0 }));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 inserted, 1 unchanged", "it came back");
    stage.sandbox.delete_row("account", &id(2));
    // Whoever is gone has not left: that is another clause.
    assert_eq!(counted(&run(&stage, &job).await.counts), "1 read, 1 unchanged");
    assert_eq!(names(&stage), ["A1", "A2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_comes_back_is_found_by_its_key() {
    let stage = accounts(2).await;
    let job = companies(SET);
    run(&stage, &job).await;
    stage.sandbox.delete_row("account", &id(1));
    run(&stage, &job).await;
    stage.sandbox.put_row("account", account(1));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 2 unchanged");
    assert_eq!(links(&stage), 2, "it is linked anew");
    stage.sandbox.edit_record("company", &gsid(&stage, "A1"), object(json!({ "Employees": 3 })));
    stage.sandbox.delete_row("account", &id(1));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 unchanged, 1 deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_on_a_looked_up_field_has_leavers_too() {
    let stage = accounts(2).await;
    run(&stage, &companies("")).await;
    let job = "CREATE JOB \"J\" AS UPSERT INTO gainsight.\"Opportunity__gc\" KEY (\"Opportunity External Id\") SELECT \
               a.accountid AS \"Opportunity External Id\", a.name AS \"Name\" FROM dynamics.account AS a \
               LOOKUP gainsight.Company AS co ON co.\"Dynamics Account ID\" = a.accountid WHEN MULTIPLE MATCHED THEN ERROR \
               WHEN NOT MATCHED THEN USE NULL WHERE co.\"Employees\" IS NULL ON SOURCE LEAVE DELETE;";
    assert_eq!(counted(&run(&stage, job).await.counts), "2 read, 2 inserted");
    stage.sandbox.edit_record("company", &gsid(&stage, "A2"), object(json!({ "Employees": 3 })));
    let report = run(&stage, job).await;
    assert_eq!(counted(&report.counts), "2 read, 1 unchanged, 1 deleted");
    assert_eq!(stage.sandbox.records("Opportunity__gc").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_row_counts_as_gone() {
    let stage = accounts(3).await;
    let job = companies(DELETE);
    run(&stage, &job).await;
    assert!(stage.sandbox.merge_rows("account", &id(1), &id(2)));
    let report = run(&stage, &job).await;
    assert_eq!(counted(&report.counts), "3 read, 2 unchanged, 1 deleted");
    assert_eq!(names(&stage), ["A1", "A3"]);
    assert_eq!(counted(&run(&stage, &job).await.counts), "3 read, 1 filtered, 2 unchanged", "it is still in the table");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_row_is_like_any_other_without_the_clause() {
    let stage = accounts(2).await;
    let job = companies("").replace("WHERE a.statecode = 'Active'", "");
    run(&stage, &job).await;
    assert!(stage.sandbox.merge_rows("account", &id(1), &id(2)));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 2 unchanged");
    let leaves = companies("ON SOURCE LEAVE SET \"Employees\" = 0");
    run(&stage, &leaves).await;
    assert_eq!(names(&stage), ["A1", "A2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_another_rows_is_left_alone() {
    let stage = accounts(2).await;
    // The key is a name, which another account may take over.
    let job = companies(DELETE).replace("(\"Dynamics Account ID\")", "(\"Name\")");
    run(&stage, &job).await;
    stage.sandbox.delete_row("account", &id(1));
    let mut heir = account(3);
    heir.insert("name".to_owned(), "A1".into());
    stage.sandbox.put_row("account", heir);
    assert_eq!(counted(&run(&stage, &job).await.counts), "3 read, 1 filtered, 1 updated, 1 unchanged");
    assert_eq!(held(&stage, "company", "Name", "Dynamics_Account_ID__gc")["A1"], json!(id(3)));
    assert_eq!(links(&stage), 2, "the link of the one that is gone went");
    stage.sandbox.delete_row("account", &id(3));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 unchanged, 1 deleted");
    assert_eq!(names(&stage), ["A2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_failing_row_has_is_left_alone() {
    let stage = accounts(2).await;
    let job = companies("REQUIRE a.fax IS NULL ELSE REJECT 'has a fax' ON SOURCE DELETE DELETE")
        .replace("(\"Dynamics Account ID\")", "(\"Name\")");
    run(&stage, &job).await;
    stage.sandbox.delete_row("account", &id(1));
    let mut heir = account(3);
    heir.extend(object(json!({ "name": "A1", "fax": "1" })));
    stage.sandbox.put_row("account", heir);
    assert_eq!(counted(&run(&stage, &job).await.counts), "3 read, 1 filtered, 1 rejected, 1 unchanged");
    assert_eq!(names(&stage), ["A1", "A2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_several_rows_of_one_record_takes_it_along() {
    let stage = accounts(1).await;
    let job = companies(DELETE).replace("(\"Dynamics Account ID\")", "(\"Name\")");
    run(&stage, &job).await;
    // The account gets another id: the record goes over to it, and the link of the first one stays behind with an error.
    stage.sandbox.delete_row("account", &id(1));
    let mut heir = account(2);
    heir.insert("name".to_owned(), "A1".into());
    stage.sandbox.put_row("account", heir);
    stage.sandbox.put_row("account", account(1));
    assert_eq!(run(&stage, &job).await.counts.error, 2, "both have the key");
    stage.sandbox.delete_row("account", &id(1));
    stage.sandbox.delete_row("account", &id(2));
    let before = writes(&stage).len();
    assert_eq!(counted(&run(&stage, &job).await.counts), "1 read, 1 deleted");
    assert_eq!(writes(&stage).len(), before + 1);
    assert!(names(&stage).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_whose_key_is_another_now_is_left_alone_and_told() {
    let stage = accounts(2).await;
    let job = companies(DELETE);
    run(&stage, &job).await;
    let lost = gsid(&stage, "A1");
    stage.sandbox.edit_record("company", &lost, object(json!({ "Dynamics_Account_ID__gc": "of something else" })));
    stage.sandbox.delete_row("account", &id(1));
    let before = writes(&stage).len();
    for _ in 0..2 {
        let report = run(&stage, &job).await;
        assert_eq!(counted(&report.counts), "2 read, 1 error, 1 unchanged");
        let line = errors(&report).remove(0);
        assert_eq!((line["code"].as_str(), line["source_key"].as_str()), ("KEY_CHANGED", id(1).as_str()));
        assert_eq!((line["row"].as_str(), line["clause"].as_str()), ("2", "ON SOURCE DELETE DELETE"), "{line:?}");
        assert_eq!((line["name"].as_str(), line["accountid"].as_str()), ("", ""), "nothing of it is known any more");
        assert!(line["message"].starts_with("the row is gone: the Company record"), "{}", line["message"]);
    }
    assert_eq!(writes(&stage).len(), before);
    // Once it has its key back, it goes.
    stage.sandbox.edit_record("company", &lost, object(json!({ "Dynamics_Account_ID__gc": id(1) })));
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 unchanged, 1 deleted");
    assert_eq!(names(&stage), ["A2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_is_refused_is_told_and_not_sent_again() {
    let stage = accounts(2).await;
    let job = companies("ON SOURCE DELETE SET \"Employees\" = -1");
    run(&stage, &job).await;
    stage.sandbox.delete_row("account", &id(2));
    let before = writes(&stage).len();
    let report = run(&stage, &job).await;
    assert_eq!(counted(&report.counts), "2 read, 1 error, 1 unchanged");
    let line = errors(&report).remove(0);
    assert_eq!((line["code"].as_str(), line["target_field"].as_str()), ("REFUSED", "Employees"), "{line:?}");
    assert_eq!(line["clause"], "ON SOURCE DELETE SET \"Employees\" = -1");
    assert_eq!((writes(&stage).len(), links(&stage)), (before + 1, 2), "the link stays");
    let report = run(&stage, &job).await;
    assert_eq!(errors(&report)[0]["code"], "REFUSED_BEFORE");
    assert_eq!(writes(&stage).len(), before + 1, "nothing about it has changed");
    let better = companies("ON SOURCE DELETE SET \"Employees\" = 1");
    assert_eq!(counted(&run(&stage, &better).await.counts), "2 read, 1 unchanged, 1 deleted");
    assert_eq!(held(&stage, "company", "Name", "Employees")["A2"], json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clause_sets_what_a_mapping_fills_too() {
    let stage = accounts(2).await;
    let job = companies("ON SOURCE LEAVE SET \"Name\" = 'left on ' || CAST(TODAY AS TEXT), \"Renewal Date\" = TODAY");
    run(&stage, &job).await;
    change(&stage, "account", "accountid", &id(1), json!({ "statecode": 1 }));
    run(&stage, &job).await;
    let names = names(&stage);
    assert!(names[0] == "A2" && names[1].starts_with("left on 20"), "{names:?}");
    let day: Value = held(&stage, "company", "Name", "RenewalDate")[&names[1]].clone();
    assert!(!day.is_null(), "{day}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_has_lost_rows_too() {
    let stage = accounts(4).await;
    let job = companies("ON SOURCE DELETE DELETE LOAD FIRST BY a.name DESC");
    run(&stage, &job).await;
    stage.sandbox.delete_row("account", &id(1));
    stage.sandbox.put_row("account", account(5));
    assert_eq!(counted(&run(&stage, &job).await.counts), "5 read, 1 inserted, 3 unchanged, 1 deleted");
    assert_eq!(names(&stage), ["A2", "A3", "A4", "A5"]);
}
