//! Tables of Dynamics: by the service's links, by a column, whole where that costs no more.

use ferry::sandbox::Change;
use serde_json::json;

use super::{employees, held, id, job, ran_plainly, stage, wanted};

const TRACKED: &str = "CHANGES OF dynamics.account AS a";

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_is_asked_for_and_written() {
    let (stage, script) = (stage(60).await, job(TRACKED, ""));
    let first = ran_plainly(&stage, &script).await;
    assert_eq!((first.full(), first.report.counts.inserted), (Some("it is the first run of the job"), 60));
    assert_eq!(first.asked("accounts").len(), 3);
    employees(&stage, 7, 4711);
    employees(&stage, 61, 1);
    // The run behind one of several pages looks back over the time of the first one, once.
    let second = ran_plainly(&stage, &script).await;
    assert_eq!((second.full(), second.report.counts.updated, second.report.counts.inserted), (None, 1, 1));
    assert_eq!((second.report.counts.read, second.report.counts.unchanged), (61, 59));
    let quiet = ran_plainly(&stage, &script).await;
    assert_eq!((quiet.changed_and_gone(), quiet.report.calls.gainsight_writes), ((0, 0), 0));
    assert_eq!((quiet.asked("accounts").len(), quiet.report.counts.unchanged), (1, 61));
    assert!(quiet.asked("accounts")[0].contains("$deltatoken="), "{:?}", quiet.asked("accounts"));
    employees(&stage, 8, 4712);
    let last = ran_plainly(&stage, &script).await;
    assert_eq!((last.changed_and_gone(), last.report.counts.updated, last.asked("accounts").len()), ((1, 0), 1, 1));
    assert_eq!(held(&stage), wanted(&stage));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_come_on_several_pages() {
    let (stage, script) = (stage(10).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    (1..=70).for_each(|n| employees(&stage, n, 1_000 + n));
    let second = ran_plainly(&stage, &script).await;
    assert_eq!((second.changed_and_gone(), second.asked("accounts").len()), ((70, 0), 4));
    assert_eq!(held(&stage), wanted(&stage));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_gone_is_read_no_more() {
    let (stage, script) = (stage(60).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    ran_plainly(&stage, &script).await;
    assert!(stage.sandbox.delete_row("account", &id(7)));
    // Made and deleted between two runs: a deletion of a row that nobody knows.
    employees(&stage, 99, 1);
    assert!(stage.sandbox.delete_row("account", &id(99)));
    let report = ran_plainly(&stage, &script).await;
    assert_eq!((report.changed_and_gone(), report.report.counts.read), ((0, 2), 59));
    assert_eq!(held(&stage).len(), 60, "the job says nothing of rows that are gone");
}

/// What changes while the first run reads is there after the second, whichever moment the link stands for.
#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_everything_is_read_is_lost_by_neither_reading_of_a_link() {
    for is_by_first_page in [false, true] {
        let (stage, script) = (stage(60).await, job(TRACKED, ""));
        stage.sandbox.mark_delta_tokens_by_first_page(is_by_first_page);
        let mut pages = 0;
        stage.sandbox.write_between_pages(move |_| {
            pages += 1;
            if pages > 2 {
                return Vec::new();
            }
            let row = json!({ "accountid": id(pages), "numberofemployees": 4_000 + pages });
            let row = row.as_object().expect("an object").clone();
            vec![Change::Put("account".to_owned(), row), Change::Delete("account".to_owned(), id(10 + pages))]
        });
        ran_plainly(&stage, &script).await;
        let second = ran_plainly(&stage, &script).await;
        assert_eq!(second.full(), None);
        let there = wanted(&stage);
        assert_eq!((there.len(), second.report.counts.read), (58, 58), "{is_by_first_page}");
        let held = held(&stage);
        assert!(there.iter().all(|row| held.contains(row)), "{is_by_first_page}");
        let third = ran_plainly(&stage, &script).await;
        assert_eq!((third.asked("accounts").len(), third.report.calls.gainsight_writes), (1, 0));
    }
}

/// Rows are as they are when they are read, so one that is in a page is there: it was made again with its key, or restored.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_told_of_as_gone_beside_itself_is_there() {
    let (stage, script) = (stage(10).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    let url = format!("{}/api/data/v9.2/", stage.sandbox.dynamics_url());
    let page = json!({ "value": [
        { "accountid": id(7), "name": "Account 007", "numberofemployees": 4711 },
        { "@odata.context": format!("{url}$metadata#accounts/$deletedEntity"), "id": id(7), "reason": "deleted" },
        { "@odata.context": format!("{url}$metadata#accounts/$deletedEntity"), "id": id(8), "reason": "deleted" },
    ], "@odata.deltaLink": format!("{url}accounts?$select=name&$deltatoken=1") });
    let (path, text) = ("/api/data/v9.2/accounts", page.to_string());
    let rule = json!({ "service": "dynamics", "path": path, "nth": [1], "status": 200, "text": text });
    stage.sandbox.strike_by(&rule.to_string()).expect("a rule");
    let second = ran_plainly(&stage, &script).await;
    assert_eq!((second.changed_and_gone(), second.report.counts.read, second.report.counts.updated), ((1, 1), 9, 1));
}

/// The end is where no link comes: a page without rows can be the last of two.
#[tokio::test(flavor = "multi_thread")]
async fn a_last_page_without_rows_is_a_page_too() {
    let (stage, script) = (stage(1).await, job(TRACKED, ""));
    let url = |tail: &str| format!("{}/api/data/v9.2/accounts?$select=accountid,{tail}", stage.sandbox.dynamics_url());
    let row = json!({ "accountid": id(1), "name": "Account 001", "numberofemployees": 1 });
    let pages = [
        json!({ "value": [row], "@odata.nextLink": url("name&$skiptoken=two") }),
        json!({ "value": [], "@odata.deltaLink": url("name&$deltatoken=1000000%2101%2f01%2f2026%2000%3a00%3a00") }),
    ];
    let rule = |(n, page): (usize, &serde_json::Value)| {
        let (path, text) = ("/api/data/v9.2/accounts", page.to_string());
        json!({ "service": "dynamics", "path": path, "nth": [n + 1], "status": 200, "text": text }).to_string()
    };
    let rules: Vec<String> = pages.iter().enumerate().map(rule).collect();
    stage.sandbox.strike_by(&rules.join("\n")).expect("rules");
    assert_eq!(ran_plainly(&stage, &script).await.asked("accounts").len(), 2);
    stage.sandbox.strike_by("").expect("no rule");
    // Between the two pages the row may have changed, which the link need not tell.
    let second = ran_plainly(&stage, &script).await;
    assert!(second.asked("accounts")[0].contains("modifiedon%20ge%20"), "{:?}", second.asked("accounts"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_tracking_is_asked_by_its_column() {
    let (stage, script) = (stage(60).await, job(TRACKED, ""));
    assert!(stage.sandbox.track("account", false));
    ran_plainly(&stage, &script).await;
    employees(&stage, 7, 4711);
    let second = ran_plainly(&stage, &script).await;
    let asked = second.asked("accounts");
    let is_key = |asked: &&String| asked.starts_with("$select=accountid") && !asked.contains("name");
    // The changes, and three pages of keys.
    assert_eq!((asked.len(), asked.iter().filter(is_key).count()), (4, 3), "{asked:?}");
    assert!(asked.iter().filter(|asked| !is_key(asked)).all(|asked| asked.contains("modifiedon%20ge%20")), "{asked:?}");
    assert_eq!((second.full(), second.report.counts.updated), (None, 1));
    assert_eq!(held(&stage), wanted(&stage));
}

/// A row that is gone does not hold its key against the one that took its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_gone_from_a_table_without_tracking_is_read_no_more() {
    let (stage, script) = (stage(60).await, job(TRACKED, ""));
    let script = script.replace("a.accountid AS", "a.accountnumber AS");
    assert!(stage.sandbox.track("account", false));
    let numbered = |n: usize| json!({ "accountid": id(n), "name": format!("A{n}"), "accountnumber": "N7" });
    let put = |n: usize| assert!(stage.sandbox.put_row("account", numbered(n).as_object().expect("an object").clone()));
    put(7);
    ran_plainly(&stage, &script).await;
    assert!(stage.sandbox.delete_row("account", &id(7)));
    put(99);
    let second = ran_plainly(&stage, &script).await;
    let counts = second.report.counts;
    assert_eq!((second.full(), counts.read, counts.updated, counts.error), (None, 60, 1, 59), "{:?}", second.report);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_column_turns_tracking_off_and_a_lag_looks_further_back() {
    let (stage, script) = (stage(60).await, job(&format!("{TRACKED} BY modifiedon LAG 2h"), ""));
    ran_plainly(&stage, &script).await;
    stage.sandbox.advance_clock(3 * 3_600_000);
    employees(&stage, 7, 4711);
    ran_plainly(&stage, &script).await;
    let third = ran_plainly(&stage, &script).await;
    assert!(third.asked("accounts")[0].contains("modifiedon%20ge%20"), "{:?}", third.asked("accounts"));
    assert_eq!(third.changed_and_gone(), (1, 0), "the one of the last two hours comes again, and is unchanged");
    assert_eq!(third.report.calls.gainsight_writes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_table_without_tracking_is_read_whole_for_the_same_one_request() {
    let (stage, script) = (stage(10).await, job(TRACKED, ""));
    assert!(stage.sandbox.track("account", false));
    ran_plainly(&stage, &script).await;
    assert!(stage.sandbox.delete_row("account", &id(7)));
    let second = ran_plainly(&stage, &script).await;
    assert_eq!((second.full(), second.report.counts.read, second.asked("accounts").len()), (None, 9, 1));
}
