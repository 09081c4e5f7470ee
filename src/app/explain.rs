//! `explain`: what a job will ask of both services, and how it is planned.

use serde::Serialize;
use serde_json::Value;

use super::error::Error;
use super::lineage::{Lineage, lineage};
use super::runs::{Named, find};
use super::workspace::{Setting, Workspace};
use crate::dynamics::odata::shown;
use crate::engine::session::Engine;
use crate::gainsight::read::query;
use crate::model::connection::Limits;
use crate::model::dataset;
use crate::model::job::{Job, Route};
use crate::model::policy::{DuplicateKey, Verb, Via};
use crate::run::explained::{asked_whole, reading};
use crate::run::handing::columns;
use crate::store::ledger::Ledger;
use crate::store::state::State;

/// Everything there is to say about a job before it runs.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The job's name.
    pub job: String,
    /// Where each target field comes from.
    pub lineage: Vec<Lineage>,
    /// What becomes of rows, in the order in which it is decided.
    pub decisions: Vec<String>,
    /// How the next run would read each table and object, and why.
    pub reading: Vec<(String, String)>,
    /// Requests to Dynamics: the URL, and the `Prefer` header.
    pub dynamics: Vec<(String, String)>,
    /// Reads of Gainsight: path and body of the first page.
    pub gainsight: Vec<(String, Value)>,
    /// How records are written: object and road.
    pub writes: Vec<(String, String)>,
    /// The plans of the engine's stages.
    pub plans: Vec<(String, String)>,
}

/// Explains a job.
///
/// # Errors
/// If there is no such job, or what is kept of its last run cannot be read.
pub fn explain(workspace: &Workspace, setting: &Setting, name: &str) -> Result<Explanation, Error> {
    let Named::Job(job) = find(&workspace.project, name)? else {
        return Err(Error::Usage(format!("\"{name}\" is a chain; explain one of its jobs")));
    };
    let job = &job.at(workspace.services.clock.now().timestamp_millis());
    let connection = workspace.project.connections.get(&job.source.connection);
    let origin = connection.map_or("", |c| c.url.as_str());
    let page_size = connection.map_or(Limits::DEFAULT, |c| c.limits).page_size;
    let state = State::look(setting.place())?;
    let base = state.map(|state| state.base(&workspace.services.tenancy(job), &job.name)).transpose()?.flatten();
    let now_ms = workspace.services.clock.now().timestamp_millis();
    let asked = asked_whole(job);
    let asked = asked.iter().filter(|query| !query.table.is_of_files);
    let dynamics = asked.filter_map(|q| Some((shown(origin, q)?.to_string(), q.prefer(page_size))));
    let read = dataset::objects(job);
    let engine = Engine::new("/").map_err(crate::run::error::Error::from)?;
    let plans = engine.explain(job).map_err(crate::run::error::Error::from)?;
    Ok(Explanation {
        job: job.name.clone(),
        lineage: lineage(job),
        decisions: decisions(job),
        reading: reading(job, base.as_ref(), now_ms, page_size),
        dynamics: dynamics.collect(),
        gainsight: read.iter().map(|(o, f)| (format!("POST /v1/data/objects/query/{o}"), query(f, None))).collect(),
        writes: job.targets.iter().map(|t| (t.object.label.clone(), road(job, t.route, &t.object.name))).collect(),
        plans: plans.into_iter().map(|(stage, plan)| (stage.to_owned(), plan)).collect(),
    })
}

/// The clauses that decide about rows, as they are written or as they hold where nothing is written.
fn decisions(job: &Job) -> Vec<String> {
    let mut said = Vec::new();
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    if job.filter.is_some() || job.late_filter.is_some() {
        said.push("rows that do not pass WHERE are filtered".to_owned());
    }
    if !job.requires.is_empty() {
        said.push(format!("{}: rows that do not meet them are rejected", count(job.requires.len(), "REQUIRE")));
    }
    said.push(match &job.duplicate_key {
        DuplicateKey::Error => "rows of one key are all in error".to_owned(),
        DuplicateKey::Reject => "rows of one key are all rejected".to_owned(),
        DuplicateKey::KeepLatest(_) => "of rows of one key the latest is kept, the others are superseded".to_owned(),
    });
    match job.verb {
        Verb::Upsert => {}
        Verb::Insert => said.push("a row whose record is there is rejected".to_owned()),
        Verb::Update => said.push("a row whose record is not there is rejected".to_owned()),
    }
    said.push(job.on_error.shown());
    said
}

fn road(job: &Job, route: Route, object: &str) -> String {
    let key: Vec<String> = job.key.iter().map(|k| format!("\"{}\"", job.mappings[k.mapping].field.label)).collect();
    let key = key.join(", ");
    let ways = match job.verb {
        Verb::Upsert => "POST new ones, PUT changed ones by GSID,",
        Verb::Insert => "POST new ones",
        Verb::Update => "PUT changed ones by GSID",
    };
    if let (Via::Files { url }, false) = (&job.via, matches!(route, Route::Avatar | Route::CompanyPerson)) {
        let columns: Vec<String> = columns(job).iter().map(|column| format!("\"{column}\"")).collect();
        return format!(
            "by {key}: as files {url}/{object}/RUN-NUMBER-DIGEST.csv for a connector that upserts by the key, with the columns {}",
            columns.join(", ")
        );
    }
    match route {
        Route::CompanyPerson if job.via != Via::Api => "by person and company: in the person's line".to_owned(),
        Route::Object if job.via != Via::Api => {
            let columns: Vec<String> = job.mappings_of(0).map(|(_, m)| format!("\"{}\"", m.field.label)).collect();
            let or = if matches!(job.via, Via::Auto { .. }) { ", or 50 a call, whichever is done sooner" } else { "" };
            format!(
                "by {key}: as files for a bulk import{or}; its job upserts by the key, and takes the columns {}",
                columns.join(", ")
            )
        }
        Route::Object => format!("by {key}: {ways} to /v1/data/objects/{object}, 50 a call"),
        Route::User => format!("by {key}: {ways} to /v1/users/services, 50 a call"),
        Route::Person => format!("by {key}: PUT /v1/peoplemgmt/v1.0/people, one a call"),
        Route::CompanyPerson => "by person and company: in the person's call".to_owned(),
        Route::Avatar => "by Dynamics user: in Ferry's own identity map, without a call".to_owned(),
    }
}
