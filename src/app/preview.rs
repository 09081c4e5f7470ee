//! `preview`: the mapped rows of a job, before anything is compared with the target.

use serde::Serialize;

use super::connections::admit;
use super::error::Error;
use super::held::Held;
use super::runs::{Named, find};
use super::workspace::{Setting, Workspace};
use crate::engine::trial;
use crate::model::literal::Literal;
use crate::model::moment;
use crate::run::preview;
use crate::run::progress::Progress;
use crate::run::session::engine_over;

/// The first rows of a job, mapped.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// The source column that names a row.
    pub key: String,
    /// The target fields, with their object where a job writes several.
    pub fields: Vec<String>,
    /// The rows.
    pub rows: Vec<PreviewRow>,
    /// How many source rows were read for it.
    pub read: u64,
}

/// One row.
#[derive(Debug, Serialize)]
pub struct PreviewRow {
    /// Its number.
    pub row: i64,
    /// The source row's primary key.
    pub source_key: String,
    /// Why it will not be written.
    pub reason: Option<String>,
    /// The values, as texts; none where the field stays empty.
    pub values: Vec<Option<String>>,
}

/// Reads the first rows of a job's source, and all that its lookups need, and maps them.
///
/// # Errors
/// What stops it; a chain has no rows of its own.
pub async fn preview(
    workspace: &Workspace,
    setting: &Setting,
    name: &str,
    limit: usize,
    progress: &Progress,
) -> Result<Preview, Error> {
    let Named::Job(job) = find(&workspace.project, name)? else {
        return Err(Error::Usage(format!("\"{name}\" is a chain; preview one of its jobs")));
    };
    let job = &job.at(workspace.services.clock.now().timestamp_millis());
    // Rows of a preview are staging like those of a run: one at a time, below the home.
    let Held { state, home } = Held::at_once(setting)?;
    admit([job], workspace, &state, setting).await?;
    let (folder, read) = preview::read(job, &workspace.services, &home, limit, progress).await?;
    let engine = engine_over(&folder)?;
    let mapped = trial::mapped(&engine, job, limit).await.map_err(crate::run::error::Error::from)?;
    let several = job.targets.len() > 1;
    let field = |m: &crate::model::job::Mapping| {
        let label = &m.field.label;
        if several { format!("{}.{label}", job.targets[m.target].object.label) } else { label.clone() }
    };
    let rows = mapped.into_iter().map(|row| PreviewRow {
        row: row.row,
        source_key: row.source_key,
        reason: row.reason,
        values: row.values.iter().map(shown).collect(),
    });
    Ok(Preview {
        key: job.columns[job.id].field.name.clone(),
        fields: job.mappings.iter().map(field).collect(),
        rows: rows.collect(),
        read,
    })
}

fn shown(value: &Option<Literal>) -> Option<String> {
    match value {
        None => Some("(after load)".to_owned()),
        Some(Literal::Text(text)) => Some(text.clone()),
        Some(Literal::Integer(number)) => Some(number.to_string()),
        Some(Literal::Decimal(written)) => Some(trial::plain(written)),
        Some(Literal::Boolean(truth)) => Some(truth.to_string()),
        Some(Literal::Date(day)) => moment::date(*day).map(|d| d.to_string()),
        Some(Literal::DateTime(at)) => chrono::DateTime::from_timestamp_millis(*at).map(|m| m.to_rfc3339()),
        Some(Literal::Interval(_) | Literal::Null) => None,
    }
}
