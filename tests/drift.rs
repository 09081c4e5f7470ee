//! Schemas that change while a run is under way: the run stops before it writes, and says what changed.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferry::app::error::Error;
use ferry::app::runs;
use ferry::run;
use ferry::run::progress::{Event, Progress};
use ferry::run::report::Report;
use ferry::sandbox::{Drift, Sandbox, Service};
use serde_json::json;

use crate::stage::{CHAIN, COMPANIES, Stage, errors};

const JOB: &str = r#"CREATE JOB "J" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id") SELECT
  o.opportunityid AS "Opportunity External Id", LEFT(o.name, 100) AS "Name", o.estimatedvalue AS "Amount",
  LABEL(o.salesstage) AS "Stage", o.description AS "Description", o.parentaccountid.fax AS "Currency",
  o.closeprobability AS "Score", u.domainname AS "Notes", co."GSID" AS "Company ID"
  FROM dynamics.opportunity AS o
  LOOKUP gainsight.Company AS co ON co."External Account ID_gainsight123" = o.parentaccountid
    WHEN MULTIPLE MATCHED THEN USE ANY WHEN NOT MATCHED THEN USE NULL
  LOOKUP dynamics.systemuser AS u ON u.systemuserid = o.createdby
    WHEN MULTIPLE MATCHED THEN USE ANY WHEN NOT MATCHED THEN USE NULL;"#;

type Change = (Service, &'static str, Drift<'static>);

/// Two opportunities, and schemas that are never new enough.
async fn stage() -> Arc<Stage> {
    let mut stage = Stage::world("", "", "").await;
    stage.setting.drift_after = Duration::ZERO;
    for (number, salesstage) in [(1, 0), (2, 3)] {
        let row = json!({"opportunityid": format!("00000000-0000-4000-8000-{number:012}"), "name": format!("O{number}"),
            "salesstage": salesstage, "estimatedvalue": 7.5});
        assert!(stage.sandbox.put_row("opportunity", row.as_object().expect("an object").clone()));
    }
    Arc::new(stage)
}

fn writes(sandbox: &Sandbox) -> usize {
    sandbox.calls().iter().filter(|call| call.write).count()
}

fn metadata_calls(sandbox: &Sandbox) -> usize {
    let is_metadata = |path: &str| path.contains("EntityDefinitions") || path.contains("/meta/services/");
    sandbox.calls().iter().filter(|call| is_metadata(&call.path)).count()
}

/// Does something when the plan is made and nothing is written yet.
fn when_planned(then: impl Fn() + Send + Sync + 'static) -> Progress {
    let is_done = AtomicBool::new(false);
    Arc::new(move |event| {
        let is_planned = matches!(event, Event::Advanced { stage: "plan", rows, of: Some(of), .. } if rows == of);
        if is_planned && !is_done.swap(true, Ordering::SeqCst) {
            then();
        }
    })
}

async fn run(stage: &Arc<Stage>, job: &str, progress: &Progress) -> (Report, Result<(), Error>) {
    let workspace = stage.workspace(&[("j.ferry", JOB)]).await.or_mistakes().expect("the project is right");
    let mut reports = Vec::new();
    let ended = runs::run(&workspace, &stage.setting, job, progress, |report| reports.push(report.clone())).await;
    (reports.pop().expect("a report"), ended)
}

/// A run whose services change so between its plan and its first call.
async fn drifting(stage: &Arc<Stage>, job: &str, changes: &[Change]) -> (Report, Result<(), Error>) {
    let (here, changes) = (Arc::clone(stage), changes.to_vec());
    let change_it = move || {
        for (service, place, drift) in &changes {
            assert!(here.sandbox.drift(*service, place, *drift), "{place}: {drift:?}");
        }
    };
    run(stage, job, &when_planned(change_it)).await
}

fn changed(ended: Result<(), Error>) -> Vec<String> {
    match ended.expect_err("it stops") {
        Error::Run(run::error::Error::Drift(lines)) => lines,
        other => panic!("{other}"),
    }
}

/// Each change with the words for it.
const CHANGES: [(Change, &str); 19] = [
    ((Service::Dynamics, "opportunity", Drift::Gone), "dynamics.opportunity: the table is gone"),
    (
        (Service::Dynamics, "opportunity.description", Drift::Gone),
        "dynamics.opportunity.description: the column is gone",
    ),
    ((Service::Dynamics, "account.fax", Drift::Gone), "dynamics.account.fax: the column is gone"),
    ((Service::Dynamics, "systemuser.domainname", Drift::Gone), "dynamics.systemuser.domainname: the column is gone"),
    (
        (Service::Dynamics, "opportunity.closeprobability", Drift::Type("Decimal")),
        "dynamics.opportunity.closeprobability: its type went from INTEGER to DECIMAL",
    ),
    (
        (Service::Dynamics, "opportunity.salesstage", Drift::Renamed("Close", "Closing")),
        "dynamics.opportunity.salesstage: the option \"Close\" is called \"Closing\" now",
    ),
    (
        (Service::Dynamics, "opportunity.salesstage", Drift::WithoutOption("Qualify")),
        "dynamics.opportunity.salesstage: the option \"Qualify\" is gone",
    ),
    (
        (Service::Dynamics, "opportunity.parentaccountid", Drift::Targets("account,contact")),
        "dynamics.opportunity.parentaccountid: it leads to contact too now",
    ),
    (
        (Service::Dynamics, "opportunity.parentaccountid", Drift::Targets("contact")),
        "dynamics.opportunity.parentaccountid: it does not lead to account any more; \
             dynamics.opportunity.parentaccountid: it leads to contact too now",
    ),
    ((Service::Gainsight, "Opportunity__gc", Drift::Gone), "gainsight.Opportunity: the object is gone"),
    (
        (Service::Gainsight, "Opportunity__gc.Amount__gc", Drift::Gone),
        "gainsight.Opportunity.\"Amount\": the field is gone",
    ),
    (
        (Service::Gainsight, "company.External_Account_ID_gainsight123__gc", Drift::Gone),
        "gainsight.Company.\"External Account ID_gainsight123\": the field is gone",
    ),
    (
        (Service::Gainsight, "Opportunity__gc.Name", Drift::Length(60)),
        "gainsight.Opportunity.\"Name\": its length went from 100 to 60",
    ),
    (
        (Service::Gainsight, "Opportunity__gc.Amount__gc", Drift::Type("STRING")),
        "gainsight.Opportunity.\"Amount\": its type went from NUMBER to TEXT",
    ),
    (
        (Service::Gainsight, "Opportunity__gc.Amount__gc", Drift::Decimals(0)),
        "gainsight.Opportunity.\"Amount\": its decimal places went from 2 to 0",
    ),
    (
        (Service::Gainsight, "Opportunity__gc.Amount__gc", Drift::ReadOnly),
        "gainsight.Opportunity.\"Amount\": it cannot be written any more",
    ),
    (
        (Service::Gainsight, "Opportunity__gc.Amount__gc", Drift::Required),
        "gainsight.Opportunity.\"Amount\": it became required",
    ),
    // Nothing fills it, so no record could be created.
    (
        (Service::Gainsight, "Opportunity__gc.Website__gc", Drift::Required),
        "gainsight.Opportunity.\"Website\": it became required",
    ),
    (
        (Service::Gainsight, "Opportunity__gc.Stage__gc", Drift::Renamed("Close", "Closed")),
        "gainsight.Opportunity.\"Stage\": the item \"Close\" is called \"Closed\" now",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_change_stops_the_run_before_it_writes() {
    for (change, expected) in CHANGES {
        let stage = stage().await;
        let (report, ended) = drifting(&stage, "J", &[change]).await;
        let error = ended.as_ref().expect_err(expected);
        assert_eq!(error.exit_code(), 3, "{error}");
        assert!(error.to_string().contains("nothing was written: ") && error.to_string().contains("`ferry check`"));
        assert_eq!(report.status.word(), "failed");
        assert_eq!(changed(ended).join("; "), expected);
        assert_eq!((writes(&stage.sandbox), stage.sandbox.records("Opportunity__gc").len()), (0, 0), "{expected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_changes_stand_in_order_and_of_many_the_number_is_told() {
    let stage = stage().await;
    let changes: [Change; 3] = [
        (Service::Gainsight, "Opportunity__gc.Name", Drift::Length(1)),
        (Service::Dynamics, "systemuser.domainname", Drift::Gone),
        (Service::Dynamics, "account.fax", Drift::Gone),
    ];
    let lines = changed(drifting(&stage, "J", &changes).await.1);
    let places: Vec<&str> = lines.iter().filter_map(|line| line.split_once(": ")).map(|(place, _)| place).collect();
    assert_eq!(places, ["dynamics.account.fax", "dynamics.systemuser.domainname", "gainsight.Opportunity.\"Name\""]);

    let mut stage = Stage::seeded(5).await;
    stage.setting.drift_after = Duration::ZERO;
    let stage = Arc::new(stage);
    // Of 33 industries, as another option set: each of them is gone.
    let lines = changed(drifting(&stage, COMPANIES, &all_industries()).await.1);
    assert_eq!((lines.len(), lines[20].as_str()), (21, "and 2 more"), "{lines:?}");
    assert_eq!(writes(&stage.sandbox), 0);
}

fn all_industries() -> Vec<Change> {
    let schema = include_str!("../src/sandbox/dynamics/schema.txt");
    let line = schema.lines().find(|line| line.starts_with("industrycode ")).expect("industries");
    let options = line.split(" | ").nth(3).expect("options").split(';');
    let labels = options.filter_map(|option| option.split_once('=')).map(|(_, label)| label);
    labels.take(22).map(|l| (Service::Dynamics, "account.industrycode", Drift::WithoutOption(l))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_longer_or_of_no_use_to_the_job_is_no_drift() {
    use Service::{Dynamics, Gainsight};
    let stage = stage().await;
    let changes: [Change; 14] = [
        (Dynamics, "opportunity.new_region", Drift::New),
        (Dynamics, "opportunity.salesstage", Drift::NewOption("Later")),
        (Dynamics, "opportunity.name", Drift::Length(4_000)),
        (Dynamics, "opportunity.description", Drift::Length(10)),
        (Dynamics, "opportunity.stepname", Drift::Gone),
        (Dynamics, "opportunity.opportunityratingcode", Drift::Renamed("Hot", "Boiling")),
        (Dynamics, "contact", Drift::Gone),
        (Gainsight, "Opportunity__gc.Region__gc", Drift::New),
        (Gainsight, "Opportunity__gc.Stage__gc", Drift::NewOption("Later")),
        (Gainsight, "Opportunity__gc.Name", Drift::Length(255)),
        (Gainsight, "Opportunity__gc.Currency__gc", Drift::Type("RICHTEXTAREA")),
        (Gainsight, "Opportunity__gc.Forecast__gc", Drift::WithoutOption("Commit")),
        (Gainsight, "company.Name", Drift::Length(3)),
        (Gainsight, "company.Industry", Drift::Required),
    ];
    let (report, ended) = drifting(&stage, "J", &changes).await;
    ended.expect("nothing that it relies on has changed");
    assert_eq!(report.counts.inserted, 2);
    assert_eq!(stage.sandbox.records("Opportunity__gc").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_every_kind_find_their_schemas_as_they_were() {
    let mut stage = Stage::seeded(40).await;
    let calm = stage.run(CHAIN).await;
    stage = Stage::seeded(40).await;
    stage.setting.drift_after = Duration::ZERO;
    let asking = stage.run(CHAIN).await;
    for (calm, asking) in calm.iter().zip(&asking) {
        assert_eq!(asking.counts, calm.counts, "{}", calm.job);
        assert!(calm.counts.inserted > 0 && asking.calls.gainsight > calm.calls.gainsight, "{}", calm.job);
    }
}

/// Requests for schemas between the plan and the end of a run.
async fn asked_again(stage: &Arc<Stage>, drift: Option<Change>) -> (usize, Result<(), Error>) {
    let (here, before) = (Arc::clone(stage), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&before);
    let progress = when_planned(move || {
        if let Some((service, place, drift)) = drift {
            assert!(here.sandbox.drift(service, place, drift));
        }
        seen.store(metadata_calls(&here.sandbox), Ordering::SeqCst);
    });
    let ended = run(stage, "J", &progress).await.1;
    (metadata_calls(&stage.sandbox) - before.load(Ordering::SeqCst), ended)
}

const SHORTER: Change = (Service::Gainsight, "Opportunity__gc.Name", Drift::Length(60));

#[tokio::test(flavor = "multi_thread")]
async fn schemas_of_a_moment_ago_cost_no_call() {
    let mut fresh = stage().await;
    Arc::get_mut(&mut fresh).expect("nobody else has it").setting.drift_after = Duration::from_secs(3_600);
    let (calls, ended) = asked_again(&fresh, Some(SHORTER)).await;
    ended.expect("it does not ask");
    assert_eq!((calls, fresh.sandbox.records("Opportunity__gc").len()), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_nothing_asks_nothing() {
    let stage = stage().await;
    let (calls, ended) = asked_again(&stage, None).await;
    ended.expect("it runs");
    assert_eq!(calls, 3 * 9 + 2, "three tables, the list of objects and one call for all of them");
    let (calls, ended) = asked_again(&stage, Some(SHORTER)).await;
    ended.expect("all is there already");
    assert_eq!(calls, 0);
}

/// A machine that slept, or a clock that was set: what was asked for may be old, whatever the other clock says.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_makes_schemas_old_and_never_young() {
    for (jump_ms, is_old) in [(86_400_000, true), (-3_600_000, false)] {
        let mut stage = stage().await;
        let set: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(0)));
        let setting = &mut Arc::get_mut(&mut stage).expect("nobody else has it").setting;
        (setting.drift_after, setting.clock) = (Duration::from_secs(600), setting.clock.set_by(set));
        let here = Arc::clone(&stage);
        let progress = when_planned(move || {
            assert!(here.sandbox.drift(SHORTER.0, SHORTER.1, SHORTER.2));
            set.store(jump_ms, Ordering::SeqCst);
        });
        let ended = run(&stage, "J", &progress).await.1;
        assert_eq!(ended.is_err(), is_old, "{jump_ms}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_whose_clock_is_far_from_ours_is_told_of() {
    for (ours_ms, said) in [(0, None), (-50_000, None), (-7_200_000, Some("s ahead of")), (90_000, Some("s behind"))] {
        let mut stage = stage().await;
        let set: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(ours_ms)));
        let setting = &mut Arc::get_mut(&mut stage).expect("nobody else has it").setting;
        setting.clock = setting.clock.set_by(set);
        let notices: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&notices);
        let progress: Progress = Arc::new(move |event| {
            if let Event::Notice(text) = event {
                heard.lock().expect("nobody panicked").push(text);
            }
        });
        run(&stage, "J", &progress).await.1.expect("the run goes on");
        let notices = notices.lock().expect("nobody panicked").join("; ");
        assert_eq!(notices.is_empty(), said.is_none(), "{ours_ms}: {notices}");
        assert!(notices.contains(said.unwrap_or_default()), "{ours_ms}: {notices}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_be_asked_stops_the_run_too() {
    for service in [Service::Dynamics, Service::Gainsight] {
        let stage = stage().await;
        let here = Arc::clone(&stage);
        let progress = when_planned(move || here.sandbox.fail_next(service, 403, 100, None));
        let error = run(&stage, "J", &progress).await.1.expect_err("nobody knows what changed");
        assert_eq!((error.exit_code(), writes(&stage.sandbox)), (3, 0), "{error}");
        assert!(!matches!(error, Error::Run(run::error::Error::Drift(_))), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_before_the_run_is_a_mistake_with_its_place() {
    let cases: [(Change, &str); 3] = [
        ((Service::Dynamics, "opportunity.description", Drift::Gone), "no field \"description\""),
        ((Service::Gainsight, "Opportunity__gc.Amount__gc", Drift::Gone), "no field \"Amount\""),
        ((Service::Gainsight, "Opportunity__gc.Website__gc", Drift::Required), "needs \"Website\""),
    ];
    for ((service, place, drift), expected) in cases {
        let stage = stage().await;
        assert!(stage.sandbox.drift(service, place, drift));
        let workspace = stage.workspace(&[("j.ferry", JOB)]).await;
        let found: Vec<String> = workspace.diagnostics.sorted().iter().map(|d| d.message.clone()).collect();
        assert!(workspace.diagnostics.has_errors() && found.iter().any(|m| m.contains(expected)), "{found:?}");
    }
}

/// Of a choice that a page brings and no metadata knows, the job decides; the other row is written in any case.
#[tokio::test(flavor = "multi_thread")]
async fn an_option_that_metadata_does_not_know_becomes_what_the_job_says() {
    for (policy, field) in [("", None), ("NULL", Some(json!(null))), ("TEXT", Some(json!("3")))] {
        let stage = stage().await;
        assert!(stage.sandbox.drift(Service::Dynamics, "opportunity.salesstage", Drift::WithoutOption("Close")));
        let clause = if policy.is_empty() { String::new() } else { format!("ON UNKNOWN CHOICE {policy}") };
        let job = format!(
            "CREATE JOB \"K\" AS UPSERT INTO gainsight.\"Opportunity__gc\" KEY (\"Opportunity External Id\") SELECT \
             o.opportunityid AS \"Opportunity External Id\", o.name AS \"Name\", LABEL(o.salesstage) AS \"Notes\" \
             FROM dynamics.opportunity AS o {clause};"
        );
        let (reports, ended) = stage.try_run_with("K", &[("k.ferry", &job)]).await;
        ended.expect("it ends");
        let mut notes: Vec<(String, serde_json::Value)> = stage
            .sandbox
            .records("Opportunity__gc")
            .into_iter()
            .map(|record| (record["Name"].as_str().expect("a name").to_owned(), record["Notes__gc"].clone()))
            .collect();
        notes.sort_by(|a, b| a.0.cmp(&b.0));
        let known = ("O1".to_owned(), json!("Qualify"));
        match field {
            Some(value) => {
                assert_eq!(reports[0].counts.inserted, 2, "{policy}");
                assert_eq!(notes, [known, ("O2".to_owned(), value)], "{policy}");
            }
            None => {
                assert_eq!((reports[0].counts.inserted, reports[0].counts.error), (1, 1));
                assert_eq!(notes, [known]);
                let lines = errors(&reports[0]);
                let of = |column: &str| lines[0][column].as_str();
                assert_eq!((of("code"), of("target_field"), of("value")), ("BAD_VALUE", "Notes", "3"));
                assert!(
                    of("message").contains("no name for this option") && of("message").contains("ON UNKNOWN CHOICE")
                );
            }
        }
        assert!(reports[0].counts.balance());
    }
}
