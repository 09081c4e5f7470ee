//! What a plan shows: what it costs, and that what is shown is what is done.

mod applied;
mod chained;
mod days;
mod files;
mod refused;
mod shown;

use std::collections::BTreeMap;

use ferry::app::applying;
use ferry::app::error::Error;
use ferry::app::projects::{OUT_OF_THE_BOX, Text};
use ferry::app::runs;
use ferry::app::workspace::Workspace;
use ferry::diagnostic::source::Sources;
use ferry::lang::project::read;
use ferry::run::plan::Plan;
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::run::undertaking::How;
use serde_json::{Map, Value, json};

use crate::stage::Stage;

pub fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

pub fn row(value: &Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

pub fn account(number: usize, name: &str, employees: i64) -> Value {
    json!({ "accountid": id(number), "name": name, "numberofemployees": employees })
}

/// A sandbox with that many accounts of which Gainsight refuses nothing.
pub async fn accounts(count: usize) -> Stage {
    let rows: Vec<String> = (0..count).map(|n| account(n, &format!("Account {n}"), 10).to_string()).collect();
    Stage::world("", &rows.join("\n"), "").await
}

/// Changes accounts in Dynamics.
pub fn put_accounts(stage: &Stage, numbers: impl IntoIterator<Item = usize>, name: &str, employees: i64) {
    for number in numbers {
        assert!(stage.sandbox.put_row("account", row(&account(number, &format!("{name} {number}"), employees))));
    }
}

pub fn writes(stage: &Stage) -> usize {
    stage.sandbox.calls().iter().filter(|call| call.write).count()
}

/// The project with some of its text replaced.
pub async fn workspace_with(stage: &Stage, replaced: &[(&str, &str)]) -> Workspace {
    let mut sources = Sources::default();
    for (name, text) in OUT_OF_THE_BOX {
        let mut text = text
            .replace("https://gainsight123.crm.dynamics.com", stage.sandbox.dynamics_url())
            .replace("https://acme.gainsightcloud.com", stage.sandbox.gainsight_url());
        for (from, to) in replaced {
            text = text.replace(from, to);
        }
        sources.add(name.to_owned(), text);
    }
    let text = Text { parsed: read(&sources), sources };
    Workspace::of(text, &stage.setting).await.expect("it opens").or_mistakes().expect("it is right")
}

pub async fn plan_with(stage: &Stage, job: &str, sample: usize, replaced: &[(&str, &str)]) -> (Report, Plan) {
    let workspace = workspace_with(stage, replaced).await;
    runs::plan(&workspace, &stage.setting, job, &How::default(), sample, &silent()).await.expect("the plan ends")
}

pub async fn apply(stage: &Stage, run: &str) -> Result<Report, Error> {
    apply_with(stage, run, &[]).await
}

pub async fn apply_with(stage: &Stage, run: &str, replaced: &[(&str, &str)]) -> Result<Report, Error> {
    let workspace = workspace_with(stage, replaced).await;
    let mut reports = Vec::new();
    applying::apply(&workspace, &stage.setting, run, &silent(), |report| reports.push(report.clone())).await?;
    Ok(reports.remove(0))
}

/// All records of Gainsight: by object and GSID.
pub type Held = BTreeMap<(String, String), Map<String, Value>>;

pub fn held(stage: &Stage) -> Held {
    let objects = ["gsuser", "company", "person", "company_person"];
    let all = objects.into_iter().flat_map(|object| {
        let of = move |record: Map<String, Value>| {
            ((object.to_owned(), record["Gsid"].as_str().expect("a text").to_owned()), record)
        };
        stage.sandbox.records(object).into_iter().map(of)
    });
    all.collect()
}
