//! What changes about a user who is associated: the identity is consulted before any key, so nobody is created twice.

use serde_json::json;

use super::desk::{
    KEYS, ambiguous, associates, change, counted, held, id, job, job_from, map, object, of, only_error, put, run, user,
    world, writes,
};

/// The other trap of users: the product makes a second user of somebody whose user name was changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_keeps_the_user_the_same() {
    for (key, column, field) in [
        ("Username", "domainname", "SFDCUserName"),
        ("Email", "personalemailaddress", "Email"),
        ("Name", "fullname", "Name"),
    ] {
        let stage = world(&[user(1)]).await;
        run(&stage, &job(key)).await;
        let users = held(&stage, "Gsid");
        let new = if key == "Name" { "F Married" } else { "new1@example.com" };
        change(&stage, "systemuser", "systemuserid", &id(1), json!({ column: new }));
        assert_eq!(counted(&run(&stage, &job(key)).await.counts), "1 read, 1 updated", "{key}");
        assert_eq!(held(&stage, "Gsid"), users, "nobody new: {key}");
        assert_eq!(of(&stage, &users[0].0, field), new, "{key}");
        let before = writes(&stage).len();
        assert_eq!(counted(&run(&stage, &job(key)).await.counts), "1 read, 1 unchanged", "{key}");
        assert_eq!(writes(&stage).len(), before, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_empty_now_does_not_matter_to_who_is_known() {
    let stage = world(&[user(1), user(2)]).await;
    change(&stage, "systemuser", "systemuserid", &id(2), json!({ "personalemailaddress": null }));
    let report = run(&stage, &job("Email")).await;
    assert_eq!(
        (counted(&report.counts).as_str(), only_error(&report).0.as_str()),
        ("2 read, 1 error, 1 inserted", "NULL_KEY")
    );
    change(&stage, "systemuser", "systemuserid", &id(1), json!({ "personalemailaddress": null, "lastname": "New" }));
    let report = run(&stage, &job("Email")).await;
    assert_eq!(counted(&report.counts), "2 read, 1 error, 1 updated", "the one who is not known needs his key");
    let (gsid, name) = held(&stage, "LastName").remove(0);
    assert_eq!((name.as_str(), of(&stage, &gsid, "Email").as_str()), ("New", "m1@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_of_one_name_are_two_users_once_somebody_said_who_they_are() {
    let mut twin = user(2);
    twin["fullname"] = json!("F L1");
    let stage = world(&[user(1), twin]).await;
    let report = run(&stage, &job("Name")).await;
    assert_eq!(counted(&report.counts), "2 read, 2 error");
    let lines = crate::stage::errors(&report);
    assert!(
        lines.iter().all(|line| line["code"] == "DUPLICATE_KEY" && line["message"].contains("ferry avatar associate"))
    );
    let (one, two) = (put(&stage, "Name", 1, 7), put(&stage, "Name", 1, 8));
    associates(&stage, 1, &one, false).await.unwrap();
    let report = run(&stage, &job("Name")).await;
    assert_eq!(counted(&report.counts), "2 read, 1 error, 1 updated", "the key of the other is no proof");
    assert_eq!(only_error(&report).0, "DUPLICATE_KEY");
    associates(&stage, 2, &two, false).await.unwrap();
    assert_eq!(counted(&run(&stage, &job("Name")).await.counts), "2 read, 1 updated, 1 unchanged");
    assert_eq!(counted(&run(&stage, &job("Name")).await.counts), "2 read, 2 unchanged");
    assert_eq!(held(&stage, "Gsid").len(), 2, "two people, two users");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_of_one_key_does_not_hide_who_is_known() {
    let mut twin = user(2);
    twin["fullname"] = json!("F L1");
    twin["modifiedon"] = json!("2024-02-01T00:00:00Z");
    let stage = world(&[user(1), twin]).await;
    let (one, _) = (put(&stage, "Name", 1, 7), put(&stage, "Username", 2, 9));
    associates(&stage, 1, &one, false).await.unwrap();
    let latest = job("Name")
        .replace(" SELECT u.fullname", " WHEN DUPLICATE KEY THEN KEEP LATEST BY u.modifiedon SELECT u.fullname");
    let report = run(&stage, &latest).await;
    assert_eq!(
        (counted(&report.counts).as_str(), only_error(&report).0.as_str()),
        ("2 read, 1 error, 1 updated", "AVATAR_CONFLICT")
    );
    assert_eq!(of(&stage, &one, "LastName"), "L1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_is_gone_from_gainsight_is_sought_by_the_key_again_or_created() {
    for key in KEYS {
        let stage = world(&[user(1)]).await;
        run(&stage, &job(key)).await;
        let gone = held(&stage, "Gsid")[0].0.clone();
        assert!(stage.sandbox.delete_record("gsuser", &gone));
        assert_eq!(counted(&run(&stage, &job(key)).await.counts), "1 read, 1 inserted", "{key}");
        let new = held(&stage, "Gsid")[0].0.clone();
        assert_eq!((map(&stage)[0].user_gsid.as_ref(), new == gone), (Some(&new), false), "{key}");
        assert!(stage.sandbox.delete_record("gsuser", &new));
        let another = put(&stage, key, 1, 5);
        assert_eq!(counted(&run(&stage, &job(key)).await.counts), "1 read, 1 updated", "{key}");
        assert_eq!((held(&stage, "Gsid").len(), map(&stage)[0].user_gsid.as_ref()), (1, Some(&another)), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_not_sign_in_any_more_stays_the_same_one() {
    let stage = world(&[user(1)]).await;
    run(&stage, &job("Username")).await;
    let gsid = held(&stage, "Gsid")[0].0.clone();
    assert!(stage.sandbox.edit_record("gsuser", &gsid, object(json!({ "IsActiveUser": false }))));
    change(&stage, "systemuser", "systemuserid", &id(1), json!({ "domainname": "new1@example.com" }));
    assert_eq!(counted(&run(&stage, &job("Username")).await.counts), "1 read, 1 updated");
    assert_eq!(held(&stage, "SFDCUserName"), [(gsid, "new1@example.com".to_owned())]);
    let inactive =
        stage.sandbox.records("gsuser").into_iter().find(|r| r["SFDCUserName"] == "new1@example.com").unwrap();
    assert_eq!(inactive["IsActiveUser"], false, "whoever was switched off is not switched on by the way");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ambiguous_no_more_is_listed_no_more() {
    let stage = world(&[user(1), user(2)]).await;
    let (one, two) = (put(&stage, "Email", 1, 7), put(&stage, "Email", 1, 8));
    let (_, _) = (put(&stage, "Email", 2, 10), put(&stage, "Email", 2, 11));
    run(&stage, &job("Email")).await;
    let since: Vec<String> = ambiguous(&stage).into_iter().map(|one| one.since).collect();
    run(&stage, &job("Email")).await;
    let again: Vec<String> = ambiguous(&stage).into_iter().map(|one| one.since).collect();
    assert_eq!((since.len(), &since), (2, &again), "since when stays");
    // One of the two is merged away in Gainsight, and the other Dynamics user is deleted.
    assert!(stage.sandbox.delete_record("gsuser", &one));
    assert!(stage.sandbox.delete_row("systemuser", &id(2)));
    assert_eq!(counted(&run(&stage, &job("Email")).await.counts), "1 read, 1 updated");
    assert_eq!((ambiguous(&stage), map(&stage)[0].user_gsid.as_ref()), (vec![], Some(&two)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_reads_what_changed_sees_what_was_said_in_between() {
    let stage = world(&[user(1), user(2)]).await;
    let changes = job_from("Email", "CHANGES OF dynamics.systemuser");
    let (one, two) = (put(&stage, "Email", 1, 7), put(&stage, "Username", 9, 9));
    run(&stage, &changes).await;
    // The user name is free again before another user takes it.
    let freed = object(json!({ "SFDCUserName": "freed@example.com" }));
    assert!(stage.sandbox.edit_record("gsuser", &one, freed));
    associates(&stage, 1, &two, false).await.unwrap();
    let report = run(&stage, &changes).await;
    assert!(report.read.as_ref().is_some_and(|read| read.full.is_none()), "{report:?}");
    assert_eq!(counted(&report.counts), "2 read, 1 updated, 1 unchanged");
    assert_eq!((map(&stage)[0].user_gsid.as_ref(), of(&stage, &two, "LastName").as_str()), (Some(&two), "L1"));
    assert_eq!(of(&stage, &one, "LastName"), "L1", "the one before keeps what it has");
    let before = writes(&stage).len();
    assert_eq!(counted(&run(&stage, &changes).await.counts), "2 read, 2 unchanged");
    assert_eq!(writes(&stage).len(), before);
}
