//! `avatar list` and `avatar show`: with names where both services answer, without them where not.

use ferry::app::avatars::{list, show};
use ferry::app::workspace::Setting;

use super::desk::{associates, change, dissociates, held, id, job, put, run, setting, user, world};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn who_is_who_is_listed_with_names() {
    let stage = world(&[user(1), user(2), user(3)]).await;
    let (one, two) = (put(&stage, "Email", 1, 7), put(&stage, "Email", 1, 8));
    run(&stage, &job("Email")).await;
    change(&stage, "systemuser", "systemuserid", &id(2), json!({ "isdisabled": true }));
    dissociates(&stage, 3, false).await.unwrap();
    let listed = list(&setting(&stage), false, None).await.unwrap();
    assert_eq!(listed.notices, [] as [String; 0]);
    let brief: Vec<_> = listed.avatars.iter().map(|a| (a.dynamics_id.as_str(), a.status, a.active)).collect();
    let expected =
        [(id(1), "ambiguous", Some(true)), (id(2), "associated", Some(false)), (id(3), "dissociated", Some(true))];
    assert_eq!(brief, expected.each_ref().map(|(id, status, active)| (id.as_str(), *status, *active)));
    let [first, second, third] = &listed.avatars[..] else { panic!("{listed:?}") };
    assert_eq!((first.name.as_deref(), first.username.as_deref()), (Some("F L1"), Some("u1@example.com")));
    let mut candidates: Vec<_> =
        first.candidates.iter().map(|c| (c.gsid.clone(), c.username.clone().unwrap())).collect();
    candidates.sort();
    let mut expected = vec![(one.clone(), "other7@example.com".to_owned()), (two, "other8@example.com".to_owned())];
    expected.sort();
    assert_eq!((candidates, &first.user, first.settled_by.as_deref()), (expected, &None, None));
    assert_eq!(second.user.as_ref().and_then(|user| user.username.as_deref()), Some("u2@example.com"));
    assert_eq!((second.settled_by.as_deref(), second.kind.as_str()), (Some("key"), "Avatar_Dynamics"));
    assert_eq!((third.settled_by.as_deref(), third.not.is_some()), (Some("anna"), true));
    let only = list(&setting(&stage), true, Some("dynamics")).await.unwrap();
    assert_eq!(only.avatars, std::slice::from_ref(first));
    // A candidate who is somebody else already is said to be.
    associates(&stage, 3, &one, false).await.unwrap();
    let only = list(&setting(&stage), true, None).await.unwrap();
    let taken = only.avatars[0].candidates.iter().find(|c| c.gsid == one).unwrap();
    assert_eq!(taken.is, Some(id(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_do_not_answer_cost_the_names_alone() {
    let stage = world(&[user(1)]).await;
    run(&stage, &job("Username")).await;
    let offline = Setting { offline: true, ..setting(&stage) };
    let listed = list(&offline, false, None).await.unwrap();
    assert_eq!((listed.avatars.len(), &listed.avatars[0].name, listed.notices.len()), (1, &None, 0));
    stage.sandbox.revoke_client_secret();
    let listed = list(&setting(&stage), false, None).await.unwrap();
    assert_eq!((listed.avatars.len(), listed.avatars[0].active), (1, Some(true)), "as the last run saw it");
    assert!(listed.notices[0].starts_with("Avatar_Dynamics is listed without names: connection `dynamics`"));
    assert!(list(&setting(&stage), false, Some("nowhere")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_shown_by_any_of_its_names() {
    let stage = world(&[user(1), user(2)]).await;
    assert!(show(&setting(&stage), &id(1)).await.is_err(), "nobody is known yet");
    run(&stage, &job("Username")).await;
    let gsid = held(&stage, "SFDCUserName").into_iter().find(|(_, name)| name == "u2@example.com").unwrap().0;
    for who in [format!("{{{}}}", id(2).to_uppercase()), id(2), "U2@example.com".to_owned(), gsid.clone()] {
        let (one, _) = show(&setting(&stage), &who).await.unwrap();
        assert_eq!((one.dynamics_id, one.user.unwrap().gsid), (id(2), gsid.clone()), "{who}");
    }
    let said = show(&setting(&stage), "u3@example.com").await.unwrap_err().to_string();
    assert!(said.contains("nobody called \"u3@example.com\""), "{said}");
}
