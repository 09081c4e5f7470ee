//! The special rows of the seeded world, each by its name: what becomes of it, and why.

use ferry::run::report::Report;
use ferry::sandbox::corners::{Corners, corners};
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use crate::stage::{CHAIN, Line, Stage, errors, line_of};

struct Ended {
    stage: Stage,
    reports: Vec<Report>,
    corners: Corners,
}

/// The chain is run once for all tests of this file.
async fn ended() -> &'static Ended {
    static ENDED: OnceCell<Ended> = OnceCell::const_new();
    ENDED
        .get_or_init(|| async {
            let stage = Stage::seeded(300).await;
            let reports = stage.run(CHAIN).await;
            Ended { stage, reports, corners: corners(1) }
        })
        .await
}

impl Ended {
    fn user(&self, key: &str) -> Option<Line> {
        line_of(&errors(&self.reports[0]), key).cloned()
    }

    fn account(&self, key: &str) -> Option<Line> {
        line_of(&errors(&self.reports[1]), key).cloned()
    }

    fn contact(&self, key: &str) -> Option<Line> {
        line_of(&errors(&self.reports[2]), key).cloned()
    }

    /// The one Gainsight record with this value.
    fn record(&self, object: &str, field: &str, value: &str) -> Option<Map<String, Value>> {
        let all = self.stage.sandbox.records(object);
        let mut hits: Vec<_> =
            all.into_iter().filter(|r| r.get(field).and_then(Value::as_str) == Some(value)).collect();
        assert!(hits.len() <= 1, "{object} has {} records with {field} = {value}", hits.len());
        hits.pop()
    }

    fn company(&self, account: &str) -> Option<Map<String, Value>> {
        self.record("company", "External_Account_ID_gainsight123__gc", account)
    }

    /// The person that a contact became, and its place at a company.
    fn person(&self, contact: &str) -> (Map<String, Value>, Map<String, Value>) {
        let place = self.record("company_person", "External_Contact_ID_gainsight123__gc", contact).expect("a place");
        let person = self.record("person", "Gsid", place["Person_ID"].as_str().unwrap()).expect("a person");
        (person, place)
    }

    fn row(&self, table: &str, id: &str) -> Map<String, Value> {
        let key = format!("{table}id");
        let rows = self.stage.sandbox.table(table);
        rows.into_iter().find(|r| r[&key].as_str() == Some(id)).expect("the row is in the world")
    }

    fn gainsight_user(&self, id: &str) -> Option<Map<String, Value>> {
        self.record("gsuser", "SFDCUserName", self.row("systemuser", id)["domainname"].as_str().unwrap())
    }
}

fn code(line: Option<Line>) -> String {
    line.map_or_else(|| "written".to_owned(), |l| l["code"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_without_an_email_is_filtered() {
    let e = ended().await;
    let contacts = e.stage.sandbox.table("contact");
    let without = contacts.iter().filter(|c| c["emailaddress1"].is_null()).count() as u64;
    let counts = e.reports[2].counts;
    assert_eq!((counts.read, counts.filtered), (contacts.len() as u64, without));
    assert_eq!(code(e.contact(&e.corners.contact_without_email)), "written", "it is no failure");
    assert!(
        e.record("company_person", "External_Contact_ID_gainsight123__gc", &e.corners.contact_without_email).is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_that_find_no_company_are_rejected() {
    let e = ended().await;
    let line = e.contact(&e.corners.contact_unknown_company).unwrap();
    assert_eq!((line["code"].as_str(), line["outcome"].as_str()), ("NO_MATCH", "rejected"));
    assert!(line["script"].ends_with("company_person_sync.ferry:15"), "{}", line["script"]);
    assert_eq!(code(e.contact(&e.corners.contact_without_parent)), "NO_MATCH");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_whose_company_matches_twice_is_an_error() {
    let e = ended().await;
    let line = e.contact(&e.corners.contact_company_twice).unwrap();
    assert_eq!((line["code"].as_str(), line["outcome"].as_str()), ("SEVERAL_MATCHES", "error"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_with_a_contact_as_parent_has_a_code_of_its_own() {
    let e = ended().await;
    assert_eq!(code(e.contact(&e.corners.contact_parent_contact)), "PARENT_IS_CONTACT");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_email_twice_at_one_company_is_an_error_of_both() {
    let e = ended().await;
    assert_eq!(code(e.contact(&e.corners.contact_same_company_first)), "DUPLICATE_KEY");
    assert_eq!(code(e.contact(&e.corners.contact_same_company_second)), "DUPLICATE_KEY");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_email_at_two_companies_is_one_person_whose_newest_row_wins() {
    let e = ended().await;
    for (older, newer) in [
        (&e.corners.contact_two_companies_first, &e.corners.contact_two_companies_second),
        (&e.corners.contact_case_first, &e.corners.contact_case_second),
    ] {
        let ((one, at_one), (other, at_other)) = (e.person(older), e.person(newer));
        assert_eq!(one["Gsid"], other["Gsid"]);
        assert_ne!(at_one["Company_ID"], at_other["Company_ID"]);
        assert_eq!(one["FirstName"], e.row("contact", newer)["firstname"]);
        assert_eq!(one["Email"], e.row("contact", newer)["emailaddress1"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_who_arrives_later_in_the_run_is_found() {
    let e = ended().await;
    let user = e.gainsight_user(&e.corners.user_manager_later).unwrap();
    let manager = e.gainsight_user(&e.corners.user_late_manager).unwrap();
    assert_eq!(user["Manager"], manager["Gsid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_who_never_arrives_leaves_the_field_empty() {
    let e = ended().await;
    for id in [&e.corners.user_manager_disabled, &e.corners.user_manager_without_email] {
        assert_eq!(code(e.user(id)), "written");
        assert!(e.gainsight_user(id).unwrap()["Manager"].is_null());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_users_do_not_arrive() {
    let e = ended().await;
    assert!(e.gainsight_user(&e.corners.user_disabled).is_none());
    assert!(e.user(&e.corners.user_disabled).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_every_kind_arrive_as_they_are() {
    let e = ended().await;
    let c = &e.corners;
    for id in [&c.account_quotes, &c.account_emoji, &c.account_right_to_left, &c.account_formula, &c.account_blanks] {
        assert_eq!(e.company(id).unwrap()["Name"], e.row("account", id)["name"]);
    }
    let contacts = [&c.contact_quotes, &c.contact_newline, &c.contact_emoji, &c.contact_right_to_left];
    for id in contacts.into_iter().chain([&c.contact_formula, &c.contact_blanks, &c.contact_multibyte]) {
        let (person, row) = (e.person(id).0, e.row("contact", id));
        assert_eq!((&person["FirstName"], &person["LastName"]), (&row["firstname"], &row["lastname"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_metadata_forbids_is_decided_before_any_call() {
    let e = ended().await;
    let c = &e.corners;
    assert_eq!(code(e.user(&c.user_long_username)), "TOO_LONG");
    assert_eq!(code(e.user(&c.user_without_username)), "NULL_KEY");
    assert_eq!(code(e.user(&c.user_without_email)), "REQUIRED_EMPTY");
    assert_eq!(code(e.account(&c.account_null_name)), "REQUIRED_EMPTY");
    for line in errors(&e.reports[0]).iter().chain(&errors(&e.reports[1])) {
        let was_sent = ["REFUSED", "REFERENCE_FAILED"].contains(&line["code"].as_str());
        assert_eq!(line["attempts"] != "0", was_sent, "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_users_are_judged_on_both_sides() {
    let e = ended().await;
    let c = &e.corners;
    assert_eq!(code(e.user(&c.user_same_username_first)), "DUPLICATE_KEY");
    assert_eq!(code(e.user(&c.user_same_username_second)), "DUPLICATE_KEY");
    let twice = e.user(&c.user_twice_there).unwrap();
    assert_eq!(twice["code"], "AMBIGUOUS_TARGET");
    let command = format!("`ferry avatar associate {} 1P", c.user_twice_there);
    assert!(twice["message"].contains(&command), "{}", twice["message"]);
    let there = e.gainsight_user(&c.user_already_there).expect("one user, not two");
    let row = e.row("systemuser", &c.user_already_there);
    assert_eq!((&there["FirstName"], &there["Email"]), (&row["firstname"], &row["personalemailaddress"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn companies_that_were_there_are_updated_or_left_alone() {
    let e = ended().await;
    let c = &e.corners;
    assert_eq!(e.company(&c.account_renamed).unwrap()["Name"], e.row("account", &c.account_renamed)["name"]);
    assert_eq!(code(e.account(&c.account_unchanged)), "written");
    assert_eq!((e.reports[1].counts.updated, e.reports[1].counts.unchanged), (1, 1));
    assert_eq!(code(e.account(&c.account_twice_there)), "AMBIGUOUS_TARGET");
    assert!(e.company(&c.account_null_industry).unwrap()["Industry"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_record_takes_no_other_with_it_and_keeps_gainsights_words() {
    let e = ended().await;
    let c = &e.corners;
    let named = e.account(&c.account_negative_employees).unwrap();
    assert_eq!((named["code"].as_str(), named["target_field"].as_str()), ("REFUSED", "Employees"));
    assert!(named["message"].contains("GSOBJ_1008"), "{}", named["message"]);
    assert_eq!(named["value"], "'-5", "a cell that a spreadsheet would execute");
    assert_eq!(named["numberofemployees"], "-5", "a number is left alone");
    let unnamed = e.account(&c.account_void_name).unwrap();
    assert!(unnamed["message"].contains("Invalid field, please re-check data mapping"), "{}", unnamed["message"]);
    let contact = e.contact(&c.contact_refused).unwrap();
    assert!(contact["message"].contains("GSOBJ_VDTEMAIL1001"), "{}", contact["message"]);
    let user = e.user(&c.user_refused).unwrap();
    assert_eq!(user["code"], "REFUSED");
    // All other accounts are there: 2 refused, 1 without a name, 1 ambiguous.
    let accounts = e.stage.sandbox.table("account").len() as u64;
    let counts = &e.reports[1].counts;
    assert_eq!(counts.inserted + counts.updated + counts.unchanged, accounts - 4);
}
