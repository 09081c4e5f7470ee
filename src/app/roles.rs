//! The least that an application may have to do in Dynamics: what the administrator gives it a security role for.
//!
//! In: a project that is right. Out: the tables that its jobs read, each with the jobs. Ferry only ever reads there.

use std::collections::BTreeMap;

use serde::Serialize;

use super::connections::declared;
use super::error::Error;
use super::workspace::{Setting, Workspace, text_of};
use crate::dynamics::odata::queries;
use crate::model::connection::Service;

/// The right to read one table.
#[derive(Debug, Serialize)]
pub struct Privilege {
    /// Its logical name: `systemuser`.
    pub table: String,
    /// What people call it: `User`.
    pub label: String,
    /// Always `Read`.
    pub privilege: &'static str,
    /// Always `Organization`: with less, rows are silently left out, and change tracking refuses.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/use-change-tracking-synchronize-data-external-systems>
    pub level: &'static str,
    /// The jobs that read it.
    pub jobs: Vec<String>,
}

/// What the jobs of a Dynamics connection have to be allowed.
///
/// # Errors
/// If there is none of that name, it leads to Gainsight, or the project has mistakes.
pub async fn role(setting: &Setting, name: &str) -> Result<Vec<Privilege>, Error> {
    let text = text_of(setting)?;
    let connection = declared(&text.parsed, name)?.clone();
    if connection.service != Service::Dynamics {
        let message = format!("`{}` leads to Gainsight, whose access key knows no roles", connection.name);
        return Err(Error::Usage(message));
    }
    let workspace = Workspace::of(text, setting).await?.or_mistakes()?;
    let mut tables: BTreeMap<String, Privilege> = BTreeMap::new();
    for job in workspace.project.jobs.values().filter(|job| job.source.connection == connection.name) {
        for query in queries(job) {
            let table = query.table.name;
            let label = workspace.catalog.object(&connection.name, &table).map_or(table.clone(), |o| o.label.clone());
            let privilege = tables.entry(table.clone()).or_insert_with(|| Privilege {
                table,
                label,
                privilege: "Read",
                level: "Organization",
                jobs: Vec::new(),
            });
            if privilege.jobs.last() != Some(&job.name) {
                privilege.jobs.push(job.name.clone());
            }
        }
    }
    Ok(tables.into_values().collect())
}
