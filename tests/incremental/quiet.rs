//! A day without change of the chain out of the box: one request for data of each table that is asked for, and nothing written.

use std::collections::BTreeMap;

use ferry::app::runs;
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::sandbox::{Call, Service};

use crate::stage::{CHAIN, Stage};

const DAY_MS: i64 = 86_400_000;
const API: &str = "/api/data/v9.2/";

/// Runs the chain with pages of that many rows; gives its reports, and the calls beside those that a project is opened with.
async fn ran(stage: &Stage, page_size: u32) -> (Vec<Report>, Vec<Call>) {
    let mut workspace = stage.workspace(&[]).await;
    workspace.services.consented = true;
    for dynamics in workspace.services.dynamics.values_mut() {
        dynamics.page_size = page_size;
    }
    let (before, mut reports) = (stage.sandbox.calls().len(), Vec::new());
    let ended = runs::run(&workspace, &stage.setting, CHAIN, &silent(), |r| reports.push(r.clone())).await;
    ended.expect("the chain ends");
    (reports, stage.sandbox.calls().split_off(before))
}

/// Requests to Dynamics by what they ask for. Who one is, and the schema, is no data.
fn asked(calls: &[Call]) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for call in calls.iter().filter(|call| call.service == Service::Dynamics) {
        let what = call.path.trim_start_matches(API).split(['?', '(']).next().expect("there is a first part");
        if !matches!(what, "WhoAmI" | "EntityDefinitions" | "$metadata") {
            *asked.entry(what.to_owned()).or_default() += 1;
        }
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_change_costs_one_request_a_table_and_no_write() {
    // Users are few: without tracking they are one page, or more. Their managers are a query of their own, with other columns.
    for (are_users_tracked, page_size) in [(false, 5_000), (true, 10), (false, 10)] {
        let what = format!("users tracked: {are_users_tracked}, pages of {page_size}");
        let stage = Stage::seeded(100).await;
        assert!(stage.sandbox.track("systemuser", are_users_tracked));
        let (first, _) = ran(&stage, page_size).await;
        stage.sandbox.advance_clock(DAY_MS);
        // The run behind one of several pages looks back over the time of the first one, once.
        ran(&stage, page_size).await;
        stage.sandbox.advance_clock(DAY_MS);
        let (reports, calls) = ran(&stage, page_size).await;
        let mut asked = asked(&calls);
        if !are_users_tracked && page_size < 5_000 {
            // Nothing but their keys tells which users are gone.
            let all = asked.remove("systemusers").unwrap_or_default()
                + asked.remove("RetrieveTotalRecordCount").unwrap_or_default();
            assert!(all > 2, "{what}: {calls:#?}");
            asked.insert("systemusers".to_owned(), 2);
        }
        let wanted = [("accounts", 1), ("contacts", 1), ("systemusers", 2)].map(|(set, n)| (set.to_owned(), n));
        assert_eq!(asked, BTreeMap::from(wanted), "{what}: {calls:#?}");
        assert_eq!(calls.iter().filter(|call| call.write).count(), 0, "{what}: {calls:#?}");
        assert_eq!((reports.len(), first.len()), (3, 3), "{what}");
        for (report, first) in reports.iter().zip(&first) {
            let (counts, read) = (report.counts, report.read.as_ref().expect("it says how it read"));
            assert_eq!((counts.inserted, counts.updated, counts.read), (0, 0, first.counts.read), "{what}: {report:?}");
            assert_eq!((read.changed, read.gone, &read.full), (0, 0, &None), "{what}: {report:?}");
            assert!(report.calls.gainsight_writes == 0 && counts.unchanged > 0, "{what}: {report:?}");
        }
    }
}
