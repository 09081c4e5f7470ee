//! The files of a table, by their names.
//!
//! A table is a file of its name, all files of a folder of its name, or what `AT` says. What other tools leave behind (names that begin
//! with `_` or `.`, files without content) is passed over. In: a store. Out: files, in the order of their names.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use regex::Regex;

use super::assumptions::FILES_AT_MOST;
use super::client::Files;
use super::error::Error;
use crate::model::files::{FileTable, FilesLayout};

impl Files {
    /// The files of a table.
    pub(super) async fn files_of(&self, table: &str) -> Result<Vec<ObjectMeta>, Error> {
        let declared = self.declared(table);
        let pattern = pattern(&self.layout, table, declared)?;
        let all = self.all(&self.root).await?;
        let logs: Vec<&str> =
            all.iter().filter_map(|(below, _)| below.split_once("_delta_log/")).map(|(at, _)| at).collect();
        let is_found = |below: &str| is_data(below) && pattern.is_match(below);
        if all.iter().any(|(below, _)| is_found(below) && logs.iter().any(|log| below.starts_with(log))) {
            let detail = "it is a Delta table, whose log says which of its files count: Ferry would read rows that were deleted; export it as plain Parquet";
            return Err(Error::Store { file: table.to_owned(), detail: detail.to_owned() });
        }
        let found: Vec<ObjectMeta> =
            all.iter().filter(|(below, _)| is_found(below)).map(|(_, meta)| meta.clone()).collect();
        if found.is_empty() {
            return Err(Error::NoTable(table.to_owned()));
        }
        Ok(found)
    }

    /// The names of all tables, declared or found.
    pub(super) async fn table_names(&self) -> Result<Vec<String>, Error> {
        let mut names: BTreeMap<String, String> =
            self.layout.tables.iter().map(|t| (t.name.to_lowercase(), t.name.clone())).collect();
        for (below, _) in self.all(&self.root).await? {
            let first = below.split('/').next().unwrap_or_default();
            let Some(bare) = stem(&self.layout, &below) else { continue };
            let name = if below.contains('/') { first } else { bare };
            if is_data(&below) {
                names.entry(name.to_lowercase()).or_insert_with(|| name.to_owned());
            }
        }
        Ok(names.into_values().collect())
    }

    /// Everything below a folder, by the rest of its name.
    pub(super) async fn all(&self, folder: &Path) -> Result<Vec<(String, ObjectMeta)>, Error> {
        let prefix = Some(folder).filter(|folder| !folder.as_ref().is_empty());
        let mut listed = self.store.list(prefix);
        let mut found = Vec::new();
        while let Some(meta) = listed.try_next().await.map_err(|e| Error::of(folder.as_ref(), &e))? {
            let Some(below) = meta.location.prefix_match(folder) else { continue };
            let below: Vec<String> = below.map(|part| part.as_ref().to_owned()).collect();
            // Directories of some stores are objects without content.
            if below.is_empty() || meta.size == 0 {
                continue;
            }
            found.push((below.join("/"), meta));
            if found.len() > FILES_AT_MOST {
                let detail =
                    format!("there are more than {FILES_AT_MOST} files; give the connection a folder of its own");
                return Err(Error::Store { file: folder.to_string(), detail });
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    pub(super) fn declared(&self, table: &str) -> Option<&FileTable> {
        self.layout.tables.iter().find(|known| known.name.eq_ignore_ascii_case(table))
    }
}

fn is_data(below: &str) -> bool {
    !below.split('/').any(|part| part.starts_with(['_', '.']))
}

/// The name of a file without what says its form; none if it is of another form.
fn stem<'n>(layout: &FilesLayout, name: &'n str) -> Option<&'n str> {
    let bare = name.strip_suffix(".gz").unwrap_or(name);
    let (stem, ending) = bare.rsplit_once('.')?;
    layout.format.extensions().contains(&ending.to_ascii_lowercase().as_str()).then_some(stem)
}

fn pattern(layout: &FilesLayout, table: &str, declared: Option<&FileTable>) -> Result<Regex, Error> {
    let endings = layout.format.extensions().join("|");
    let text = match declared.and_then(|table| table.at.as_deref()) {
        Some(at) => {
            let parts: Vec<String> = at.split('*').map(regex::escape).collect();
            format!("^{}(/.*)?$", parts.join("[^/]*"))
        }
        None => format!(r"(?i)^{0}(/.*)?\.({endings})(\.gz)?$", regex::escape(table)),
    };
    Regex::new(&text).map_err(|e| Error::Store { file: table.to_owned(), detail: e.to_string() })
}
