//! `model.json`: the tables of an export, or of one of its folders, and their columns in order.

use serde::Deserialize;

use super::super::assumptions::MODEL_VERSION;
use super::super::client::Files;
use super::super::error::Error;
use object_store::path::Path;

/// What an export says of itself.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Model {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) version: String,
    #[serde(default)]
    pub(super) entities: Vec<Entity>,
}

/// A table.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entity {
    pub(super) name: String,
    #[serde(default)]
    pub(super) annotations: Vec<Annotation>,
    #[serde(default)]
    pub(super) attributes: Vec<Attribute>,
    #[serde(default)]
    pub(super) partitions: Vec<Partition>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Annotation {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) value: serde_json::Value,
}

/// A column.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Attribute {
    pub(super) name: String,
    #[serde(rename = "dataType", default)]
    pub(super) kind: String,
    #[serde(rename = "maxLength", default)]
    pub(super) length: i64,
}

/// A file.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Partition {
    #[serde(default)]
    pub(super) location: String,
}

impl Model {
    pub(super) fn entity(&self, table: &str) -> Option<&Entity> {
        self.entities.iter().find(|entity| entity.name.eq_ignore_ascii_case(table))
    }
}

impl Entity {
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.iter().find(|one| one.name == name).and_then(|one| one.value.as_str())
    }

    pub(super) fn columns(&self) -> Vec<String> {
        self.attributes.iter().map(|attribute| attribute.name.clone()).collect()
    }
}

impl Files {
    /// The description in a folder of the export; none if it is missing or empty, as that of a folder is which is still being written.
    pub(super) async fn model(&self, folder: &Path) -> Result<Option<Model>, Error> {
        let path = folder.clone().join("model.json");
        let Some(bytes) = self.small(&path).await?.filter(|bytes| !bytes.trim_ascii().is_empty()) else {
            return Ok(None);
        };
        let wrong =
            |detail: String| Error::Malformed { file: path.to_string(), place: "description".to_owned(), detail };
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        let model: Model = serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))?;
        if model.version != MODEL_VERSION || model.name != "cdm" {
            return Err(wrong(format!(
                "it is of form {} {}, and Ferry reads cdm {MODEL_VERSION}",
                model.name, model.version
            )));
        }
        Ok(Some(model))
    }

    /// Of an export that does not say up to when it is whole.
    #[must_use]
    pub fn says_no_moment(&self, table: &str) -> Error {
        self.export_error(format!(
            "nothing tells up to when {table} is whole, so nobody knows what to ask Dynamics for; leave BEGIN WITH out"
        ))
    }

    /// What an export is that has lost folders, where rows that are missing would be taken for deleted.
    #[must_use]
    pub fn has_lost_folders(&self, known: &str, oldest: Option<&str>) -> Error {
        let now = oldest.map_or("there is none".to_owned(), |oldest| format!("its oldest is {oldest}"));
        self.export_error(format!(
            "an earlier run read its folder {known}, and now {now}; everything is to be read, and rows that only the lost folders had \
             would look deleted, which the job acts on; put the folders back; say FULL EVERY with more days, if it was due to be read \
             whole; or, if the export was begun anew and is whole, run the job once without its ON SOURCE clauses"
        ))
    }

    pub(super) fn export_error(&self, detail: impl Into<String>) -> Error {
        Error::Export { url: self.url.clone(), detail: detail.into() }
    }
}
