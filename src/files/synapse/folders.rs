//! An export in folders, one for each interval: only those count that are finished.
//!
//! The changelog names the folder that is being written now, and is read before anything is listed, so that a folder which begins in between is
//! left to the next time. A finished one has its description. One without it is still being finished, or never will be: its rows come
//! again in a later folder. <https://learn.microsoft.com/power-apps/maker/data-platform/azure-synapse-incremental-updates>

use chrono::NaiveDateTime;
use object_store::path::Path;

use super::super::assumptions::FOLDER_GRACE_SECONDS;
use super::super::client::Files;
use super::super::csv::Fields;
use super::super::error::Error;
use super::super::reading::{Mark, Piece, Reading};
use super::super::shape::Shape;
use super::model::Model;

/// A finished folder.
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) path: Path,
    pub(super) model: Model,
}

/// What the folders of an export come to.
pub(super) struct Folders {
    pub(super) finished: Vec<Folder>,
    /// Folders that were passed over, as they will never be finished.
    pub(super) abandoned: Vec<String>,
}

impl Files {
    /// The folder that is being written now; none if the export has no folders.
    pub(super) async fn changelog(&self) -> Result<Option<String>, Error> {
        let path = self.root.clone().join("Changelog").join("changelog.info");
        let Some(bytes) = self.small(&path).await? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let name = text.trim().trim_start_matches('\u{FEFF}').trim_end_matches('/').to_owned();
        if moment(&name).is_none() {
            return Err(self.export_error(format!("Changelog/changelog.info names no folder (\"{name}\")")));
        }
        Ok(Some(name))
    }

    /// The names of all folders of intervals.
    pub(super) async fn interval_names(&self) -> Result<Vec<String>, Error> {
        let prefix = Some(&self.root).filter(|root| !root.as_ref().is_empty());
        let listed = self.store.list_with_delimiter(prefix).await.map_err(|e| Error::of(self.root.as_ref(), &e))?;
        let names = listed.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned));
        let mut names: Vec<String> = names.filter(|name| moment(name).is_some()).collect();
        names.sort();
        Ok(names)
    }

    /// The finished folders before `end`, and behind `since`.
    pub(super) async fn folders(&self, end: &str, since: Option<&str>) -> Result<Folders, Error> {
        let now = self.clock.now().timestamp();
        let names = self.interval_names().await?;
        let mut found = Folders { finished: Vec::new(), abandoned: Vec::new() };
        for name in names.iter().filter(|name| name.as_str() < end && since.is_none_or(|since| name.as_str() > since)) {
            let path = self.root.clone().join(name.as_str());
            if let Some(model) = self.model(&path).await? {
                found.finished.push(Folder { name: name.clone(), path, model });
                continue;
            }
            // Its interval ends where the next one begins.
            let next = names.iter().find(|next| *next > name).map_or(end, String::as_str);
            let is_late = moment(next).is_some_and(|ended| now - ended > FOLDER_GRACE_SECONDS);
            if !is_late {
                break;
            }
            found.abandoned.push(name.clone());
        }
        Ok(found)
    }

    /// What the folders behind a mark hold of a table.
    pub(super) async fn read_folders(
        &self,
        table: &str,
        shape: Shape,
        end: &str,
        since: Option<&Mark>,
    ) -> Result<Reading, Error> {
        let since = if let Some(Mark::Folder(name)) = since { Some(name.as_str()) } else { None };
        let Folders { finished, abandoned } = self.folders(end, since).await?;
        let mut pieces = Vec::new();
        for folder in &finished {
            let Some(entity) = folder.model.entity(table) else { continue };
            let mut files = self.all(&folder.path.clone().join(entity.name.as_str())).await?;
            files.retain(|(name, _)| name.to_ascii_lowercase().ends_with(".csv"));
            // Deletions come last: they lie in `1.csv`, as the row's moment of creation is that of the year one.
            files.sort_by_key(|(name, _)| (std::cmp::Reverse(number(name)), name.clone()));
            let fields = Fields::Exported(entity.columns().into());
            pieces.extend(files.into_iter().map(|(_, meta)| Piece { meta, fields: fields.clone() }));
        }
        let mut reading = self.reading(shape, pieces.into());
        let last = finished.last().map(|folder| folder.name.clone());
        // What was passed over comes again, so from there on Dynamics knows more.
        let complete = abandoned.first().cloned().or_else(|| last.clone()).or_else(|| since.map(str::to_owned));
        reading.complete_to_ms = complete.as_deref().and_then(moment).map(|seconds| seconds.saturating_mul(1_000));
        reading.oldest = finished.first().filter(|_| since.is_none()).map(|folder| folder.name.clone());
        reading.mark = last.or_else(|| since.map(str::to_owned)).map(Mark::Folder);
        if !abandoned.is_empty() {
            let all = abandoned.join(", ");
            reading.notices.push(format!("folders of the export that were never finished are passed over: {all}"));
        }
        Ok(reading)
    }
}

/// The moment that a folder is called after, in seconds since 1970; none if it is none of an interval.
pub(super) fn moment(name: &str) -> Option<i64> {
    NaiveDateTime::parse_from_str(name, "%Y-%m-%dT%H.%M.%SZ").ok().map(|moment| moment.and_utc().timestamp())
}

/// The number that the name of a file begins with: `2024`, `2024-03`, `2024_001`, `1`.
fn number(name: &str) -> u64 {
    let file = name.rsplit('/').next().unwrap_or(name);
    let digits: String = file.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}
