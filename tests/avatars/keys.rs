//! Each key that a User job may have, against nobody, one user and two users in Gainsight who have it.

use super::desk::{
    KEYS, ambiguous, associates, counted, held, id, job, map, of, only_error, put, run, user, world, writes,
};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_the_key_so_the_user_is_created_and_associated() {
    for key in KEYS {
        let stage = world(&[user(1)]).await;
        assert_eq!(counted(&run(&stage, &job(key)).await.counts), "1 read, 1 inserted", "{key}");
        let users = held(&stage, "SFDCUserName");
        assert_eq!(users.len(), 1, "{key}");
        let entries = map(&stage);
        assert_eq!((entries.len(), entries[0].user_gsid.as_ref()), (1, Some(&users[0].0)), "{key}");
        assert_eq!((entries[0].source_id.as_str(), entries[0].settled_by.as_deref()), (&*id(1), Some("key")));
        assert!(entries[0].since.is_some(), "{key}");
        let before = writes(&stage).len();
        assert_eq!(counted(&run(&stage, &job(key)).await.counts), "1 read, 1 unchanged", "{key}");
        assert_eq!((map(&stage), writes(&stage).len()), (entries, before), "since and by whom stay: {key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_has_the_key_and_is_updated_and_associated() {
    for key in KEYS {
        let stage = world(&[user(1)]).await;
        let there = put(&stage, key, 1, 7);
        assert_eq!(counted(&run(&stage, &job(key)).await.counts), "1 read, 1 updated", "{key}");
        assert_eq!(held(&stage, "SFDCUserName"), [(there.clone(), "u1@example.com".to_owned())], "{key}");
        assert_eq!((of(&stage, &there, "Email"), of(&stage, &there, "Name")), ("m1@example.com".into(), "F L1".into()));
        assert_eq!(map(&stage)[0].user_gsid.as_ref(), Some(&there), "{key}");
        let before = writes(&stage).len();
        assert_eq!(counted(&run(&stage, &job(key)).await.counts), "1 read, 1 unchanged", "{key}");
        assert_eq!(writes(&stage).len(), before, "{key}");
    }
}

/// One of the two traps of users: the product leaves an error file and a page in Gainsight.
#[tokio::test(flavor = "multi_thread")]
async fn two_users_have_the_key_and_somebody_says_which_one_it_is() {
    for key in KEYS {
        let stage = world(&[user(1), user(2)]).await;
        let (one, two) = (put(&stage, key, 1, 7), put(&stage, key, 1, 8));
        let report = run(&stage, &job(key)).await;
        assert_eq!(counted(&report.counts), "2 read, 1 error, 1 inserted", "{key}");
        let (code, message) = only_error(&report);
        assert_eq!(code, "AMBIGUOUS_TARGET", "{key}");
        let (first, second) = if one < two { (&one, &two) } else { (&two, &one) };
        let command = format!("`ferry avatar associate {} {first}`, or with {second}", id(1));
        assert!(message.contains(&command), "{message}");
        let several = ambiguous(&stage);
        assert_eq!((several.len(), several[0].source_id.as_str()), (1, &*id(1)), "{key}");
        assert_eq!(several[0].candidates, [first.clone(), second.clone()], "{key}");
        assert!(!map(&stage).iter().any(|entry| entry.source_id == id(1)), "nothing is associated by itself: {key}");
        let untouched = (of(&stage, &one, "LastName"), of(&stage, &two, "LastName"));
        assert_eq!(untouched, ("7".to_owned(), "8".to_owned()), "{key}");

        associates(&stage, 1, &two, false).await.unwrap();
        assert_eq!(ambiguous(&stage), [], "settled: {key}");
        let report = run(&stage, &job(key)).await;
        assert_eq!(counted(&report.counts), "2 read, 1 updated, 1 unchanged", "{key}");
        let loaded = (of(&stage, &one, "LastName"), of(&stage, &two, "LastName"));
        assert_eq!(loaded, ("7".to_owned(), "L1".to_owned()), "only the one that was chosen: {key}");
        assert_eq!(held(&stage, "Gsid").len(), 3, "no duplicate: {key}");
        let before = writes(&stage).len();
        assert_eq!(counted(&run(&stage, &job(key)).await.counts), "2 read, 2 unchanged", "{key}");
        assert_eq!(writes(&stage).len(), before, "{key}");
    }
}
