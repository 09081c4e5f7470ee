//! `explain`: what a job will ask of both services, and how it is planned.

use serde::Serialize;
use serde_json::Value;

use super::error::Error;
use super::runs::{Named, find};
use super::workspace::Workspace;
use crate::dynamics::odata::{queries, shown};
use crate::engine::session::Engine;
use crate::gainsight::read::query;
use crate::model::dataset;
use crate::model::job::{Job, Route};

/// Everything there is to say about a job before it runs.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The job's name.
    pub job: String,
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
/// If there is no such job.
pub fn explain(workspace: &Workspace, name: &str) -> Result<Explanation, Error> {
    let Named::Job(job) = find(&workspace.project, name)? else {
        return Err(Error::Usage(format!("\"{name}\" is a chain; explain one of its jobs")));
    };
    let origin = workspace.project.connections.get(&job.source.connection).map_or("", |c| c.url.as_str());
    let page_size = workspace.services.source(job)?.page_size;
    let asked = queries(job);
    let dynamics = asked.iter().filter_map(|q| Some((shown(origin, q)?.to_string(), q.prefer(page_size))));
    let read = dataset::objects(job);
    let engine = Engine::new("/").map_err(crate::run::error::Error::from)?;
    let plans = engine.explain(job).map_err(crate::run::error::Error::from)?;
    Ok(Explanation {
        job: job.name.clone(),
        dynamics: dynamics.collect(),
        gainsight: read.iter().map(|(o, f)| (format!("POST /v1/data/objects/query/{o}"), query(f, None))).collect(),
        writes: job.targets.iter().map(|t| (t.object.label.clone(), road(job, t.route, &t.object.name))).collect(),
        plans: plans.into_iter().map(|(stage, plan)| (stage.to_owned(), plan)).collect(),
    })
}

fn road(job: &Job, route: Route, object: &str) -> String {
    let key: Vec<String> = job.key.iter().map(|k| format!("\"{}\"", job.mappings[k.mapping].field.label)).collect();
    let key = key.join(", ");
    match route {
        Route::Object => {
            format!("by {key}: POST new ones, PUT changed ones by GSID, to /v1/data/objects/{object}, 50 a call")
        }
        Route::User => format!("by {key}: POST new ones, PUT changed ones by GSID, to /v1/users/services, 50 a call"),
        Route::Person => format!("by {key}: PUT /v1/peoplemgmt/v1.0/people, one a call"),
        Route::CompanyPerson => "by person and company: in the person's call".to_owned(),
        Route::Avatar => "by Dynamics user: in Ferry's own identity map, without a call".to_owned(),
    }
}
