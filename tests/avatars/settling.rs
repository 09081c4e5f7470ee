//! What a person may say of who is who, and what becomes of it.

use ferry::store::home::Home;
use serde_json::json;

use super::desk::{
    activities, ambiguous, associates, change, counted, dissociates, held, id, job, map, of, only_error, put, run,
    try_run, user, world, writes,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_association_holds_before_any_run_and_is_an_activity() {
    let stage = world(&[user(1)]).await;
    let other = put(&stage, "Username", 9, 9);
    let settled = associates(&stage, 1, "u9@example.com", false).await.unwrap();
    assert_eq!(
        (settled.before, settled.user.unwrap().gsid, settled.kind.as_str()),
        (None, other.clone(), "Avatar_Dynamics")
    );
    let entry = map(&stage).remove(0);
    assert_eq!((entry.user_gsid.as_ref(), entry.settled_by.as_deref()), (Some(&other), Some("person anna")));
    assert_eq!(counted(&run(&stage, &job("Username")).await.counts), "1 read, 1 updated");
    assert_eq!(held(&stage, "SFDCUserName"), [(other.clone(), "u1@example.com".to_owned())]);
    let entry = map(&stage).remove(0);
    assert_eq!(
        (entry.active, entry.settled_by.as_deref()),
        (Some(true), Some("person anna")),
        "a run changes that not"
    );
    associates(&stage, 1, &other, false).await.unwrap();
    assert_eq!(activities(&stage), [("associated".to_owned(), None, Some(other))], "saying it twice changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_there_is_refused() {
    let stage = world(&[user(1)]).await;
    let there = put(&stage, "Username", 9, 9);
    let said = associates(&stage, 2, &there, false).await.unwrap_err().to_string();
    assert!(said.contains("Dynamics has no user") && said.contains(&id(2)), "{said}");
    for nobody in ["nobody@example.com", "1P010000000000000000000000000000000000", "' OR 1=1"] {
        let said = associates(&stage, 1, nobody, false).await.unwrap_err().to_string();
        assert!(said.contains("Gainsight has no user"), "{said}");
    }
    let said = dissociates(&stage, 1, false).await.unwrap_err().to_string();
    assert!(said.contains("the identity map has no Dynamics user"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_somebody_is_handed_over_only_when_asked_for() {
    let stage = world(&[user(1), user(2)]).await;
    run(&stage, &job("Username")).await;
    let users = held(&stage, "SFDCUserName");
    let (one, two) = (users[0].0.clone(), users[1].0.clone());
    let said = associates(&stage, 2, &one, false).await.unwrap_err().to_string();
    assert!(said.contains(&format!("is Dynamics user {} already", id(1))) && said.contains("--move"), "{said}");
    assert_eq!(activities(&stage), []);
    let settled = associates(&stage, 2, &one, true).await.unwrap();
    assert_eq!((settled.before.as_ref(), settled.taken_from), (Some(&two), Some(id(1))));
    assert_eq!(
        activities(&stage),
        [
            ("dissociated".to_owned(), Some(one.clone()), None),
            ("associated".to_owned(), Some(two.clone()), Some(one.clone()))
        ]
    );
    // The first one's key still finds the user: it is not taken back, and he is told of.
    let (report, _) = try_run(&stage, &job("Username")).await;
    let lines = crate::stage::errors(&report);
    let first = crate::stage::line_of(&lines, &id(1)).unwrap();
    assert_eq!(first["code"], "AVATAR_CONFLICT", "{lines:?}");
    assert!(first["message"].contains(&format!("who is {}", id(2))), "{}", first["message"]);
    assert_eq!(held(&stage, "Gsid").len(), 2, "no duplicate");
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_somebody_parted_no_key_joins_again() {
    let stage = world(&[user(1)]).await;
    run(&stage, &job("Username")).await;
    let gsid = held(&stage, "Gsid")[0].0.clone();
    dissociates(&stage, 1, false).await.unwrap();
    let before = writes(&stage).len();
    for _ in 0..2 {
        let report = run(&stage, &job("Username")).await;
        let (code, message) = only_error(&report);
        assert_eq!((counted(&report.counts).as_str(), code.as_str()), ("1 read, 1 error", "AVATAR_DISSOCIATED"));
        assert!(message.contains(&format!("`ferry avatar associate {} {gsid}`", id(1))), "{message}");
        assert!(message.contains("--rematch"), "{message}");
    }
    assert_eq!((writes(&stage).len(), map(&stage)[0].user_gsid.as_ref()), (before, None));
    let said = dissociates(&stage, 1, false).await.unwrap_err().to_string();
    assert!(said.contains("is not associated with anybody"), "{said}");
    // Whoever lets the key decide gets the same one again, and whoever says so too.
    dissociates(&stage, 1, true).await.unwrap();
    assert_eq!(counted(&run(&stage, &job("Username")).await.counts), "1 read, 1 updated");
    let entry = map(&stage).remove(0);
    assert_eq!((entry.user_gsid.as_ref(), entry.settled_by.as_deref()), (Some(&gsid), Some("key")));
    let actions: Vec<String> = activities(&stage).into_iter().map(|(action, ..)| action).collect();
    assert_eq!(actions, ["dissociated", "left to its key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_parted_and_has_another_key_now_is_a_new_user() {
    let stage = world(&[user(1)]).await;
    run(&stage, &job("Username")).await;
    let gsid = held(&stage, "Gsid")[0].0.clone();
    dissociates(&stage, 1, false).await.unwrap();
    change(
        &stage,
        "systemuser",
        "systemuserid",
        &id(1),
        json!({ "domainname": "new1@example.com", "personalemailaddress": "new1@example.com" }),
    );
    assert_eq!(counted(&run(&stage, &job("Username")).await.counts), "1 read, 1 inserted");
    assert_eq!(held(&stage, "Gsid").len(), 2);
    assert_ne!(map(&stage)[0].user_gsid.as_ref(), Some(&gsid));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_settled_while_a_run_has_the_home() {
    let stage = world(&[user(1)]).await;
    let there = put(&stage, "Username", 9, 9);
    let home = Home::open(&stage.setting.home).unwrap();
    let busy = associates(&stage, 1, &there, false).await.unwrap_err();
    assert_eq!(busy.exit_code(), 5, "{busy}");
    drop(home);
    associates(&stage, 1, &there, false).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_interrupted_does_not_load_what_was_planned_without_that() {
    let stage = world(&[user(1)]).await;
    let other = put(&stage, "Username", 9, 9);
    // The load fails for good, behind the plan.
    stage.sandbox.strike_by("{\"service\":\"gainsight\",\"path\":\"/v1/users/services\",\"status\":503}").unwrap();
    let (report, failed) = try_run(&stage, &job("Username")).await;
    assert!(failed.is_some(), "{report:?}");
    stage.sandbox.strike_by("").unwrap();
    associates(&stage, 1, &other, false).await.unwrap();
    let report = run(&stage, &job("Username")).await;
    assert_eq!((counted(&report.counts).as_str(), report.resumed), ("1 read, 1 updated", 0));
    assert_eq!(held(&stage, "SFDCUserName"), [(other, "u1@example.com".to_owned())], "nobody was created");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clause_about_lost_users_touches_nobody_who_is_somebody_else_now() {
    let stage = world(&[user(1)]).await;
    let set = "SET User.\"Is Active User\" = FALSE, Avatar_Dynamics.\"Active\" = FALSE";
    let job = job("Username").replace(" AS u;", &format!(" AS u WHERE u.isdisabled = FALSE ON SOURCE LEAVE {set};"));
    run(&stage, &job).await;
    let (one, two) = (held(&stage, "Gsid")[0].0.clone(), put(&stage, "Username", 9, 9));
    associates(&stage, 1, &two, false).await.unwrap();
    change(&stage, "systemuser", "systemuserid", &id(1), json!({ "isdisabled": true }));
    let before = writes(&stage).len();
    assert_eq!(counted(&run(&stage, &job).await.counts), "1 read, 1 filtered");
    assert_eq!((writes(&stage).len(), map(&stage)[0].user_gsid.as_ref()), (before, Some(&two)));
    assert!(stage.sandbox.records("gsuser").iter().all(|r| r["IsActiveUser"] != false), "{one}");
}

#[tokio::test(flavor = "multi_thread")]
async fn chosen_rows_settle_no_others() {
    let stage = world(&[user(1), user(2)]).await;
    for number in [1, 2] {
        let _ = (put(&stage, "Email", number, number * 10), put(&stage, "Email", number, number * 10 + 1));
    }
    run(&stage, &job("Email")).await;
    let first = ambiguous(&stage)[0].candidates[0].clone();
    assert!(stage.sandbox.delete_record("gsuser", &first));
    let how = ferry::run::undertaking::How { chosen: Some(vec![id(1)]), ..Default::default() };
    crate::lost::desk::run_so(&stage, &job("Email"), &how).await;
    let left: Vec<String> = ambiguous(&stage).into_iter().map(|one| one.source_id).collect();
    assert_eq!(left, [id(2)]);
    assert_eq!(of(&stage, &map(&stage)[0].user_gsid.clone().unwrap(), "LastName"), "L1");
}
