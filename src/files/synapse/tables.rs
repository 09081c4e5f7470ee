//! The tables of an export as Dataverse has them.

use std::collections::BTreeMap;

use super::super::client::Files;
use super::super::csv::DELETED;
use super::super::error::Error;
use super::super::reading::{Mark, Reading};
use super::super::shape::Shape;
use super::labels::Labels;
use super::model::{Attribute, Entity, Model};
use crate::model::catalog::Object;
use crate::model::field::{Field, FieldKind};

/// Folders whose descriptions are looked through for the names of tables.
const FOLDERS_LOOKED_AT: usize = 50;
/// What a table that was exported whole says of itself.
const COMPLETED: &str = "Completed";

impl Files {
    /// The names of the tables of an export: of all that its newest folders have, as one without changes has no part in a folder.
    pub(in crate::files) async fn exported_names(&self) -> Result<Vec<String>, Error> {
        let mut names = BTreeMap::new();
        let mut take = |model: &Model| {
            for entity in &model.entities {
                names.entry(entity.name.to_lowercase()).or_insert_with(|| entity.name.clone());
            }
            None::<()>
        };
        self.newest(FOLDERS_LOOKED_AT, &mut take).await?;
        Ok(names.into_values().collect())
    }

    /// A table of an export, with its columns.
    pub(in crate::files) async fn exported(&self, table: &str) -> Result<Object, Error> {
        let found = self.newest(usize::MAX, |model| model.entity(table).cloned()).await?;
        let entity = found.ok_or_else(|| Error::NoTable(table.to_owned()))?;
        let labels = self.labels(&entity.name).await?;
        let primary_id = format!("{}id", entity.name.to_lowercase());
        Ok(Object {
            name: entity.name.clone(),
            label: entity.name.clone(),
            set_name: entity.name.clone(),
            fields: fields(&entity, &primary_id, &labels),
            primary_id,
            tracks: false,
            is_of_files: true,
        })
    }

    /// What there is to read of a table of an export.
    pub(in crate::files) async fn read_export(
        &self,
        table: &str,
        shape: Shape,
        since: Option<&Mark>,
    ) -> Result<Reading, Error> {
        let changelog = self.changelog().await?;
        let root = self.model(&self.root).await?;
        let whole = root.as_ref().and_then(|model| model.entity(table));
        if let Some(state) = whole.and_then(|entity| entity.annotation("Athena:InitialSyncState"))
            && state != COMPLETED
        {
            return Err(self.export_error(format!(
                "{table} is not exported whole yet (its first export is \"{state}\"); wait until it is {COMPLETED}"
            )));
        }
        if let Some(end) = changelog {
            return self.read_folders(table, shape, &end, since).await;
        }
        if matches!(since, Some(Mark::Folder(_))) || !self.interval_names().await?.is_empty() {
            return Err(self.no_changelog());
        }
        let entity = whole.ok_or_else(|| Error::NoTable(table.to_owned()))?;
        self.read_snapshots(entity, shape).await
    }

    /// What the newest description has: those of so many folders, from the last one back, then that of the export itself.
    async fn newest<T>(&self, folders: usize, mut of: impl FnMut(&Model) -> Option<T>) -> Result<Option<T>, Error> {
        let names = self.interval_names().await?;
        match self.changelog().await? {
            None if !names.is_empty() => return Err(self.no_changelog()),
            None => {}
            Some(end) => {
                let finished = names.iter().rev().filter(|name| **name < end);
                for name in finished.take(folders) {
                    let model = self.model(&self.root.clone().join(name.as_str())).await?;
                    if let Some(found) = model.and_then(|model| of(&model)) {
                        return Ok(Some(found));
                    }
                }
            }
        }
        match self.model(&self.root).await? {
            Some(model) => Ok(of(&model)),
            None if names.is_empty() => Err(self.export_error("there is no model.json: check the URL")),
            None => Ok(None),
        }
    }

    fn no_changelog(&self) -> Error {
        self.export_error(
            "Changelog/changelog.info is missing, so nobody knows which of its folders is still being written",
        )
    }
}

/// The columns; `Id` stands for the key, under which scripts know it.
fn fields(entity: &Entity, primary_id: &str, labels: &Labels) -> Vec<Field> {
    let has = |name: &str| entity.attributes.iter().any(|attribute| attribute.name == name);
    let mut fields = vec![Field::bare(primary_id, "Id", FieldKind::Guid)];
    for attribute in &entity.attributes {
        let lower = attribute.name.to_lowercase();
        let is_type = attribute.name.strip_suffix("_entitytype").is_some_and(has);
        if is_type || lower == "id" || lower == primary_id || DELETED.contains(&lower.as_str()) {
            continue;
        }
        fields.push(field(attribute, has(&format!("{}_entitytype", attribute.name)), labels));
    }
    fields
}

fn field(attribute: &Attribute, is_typed: bool, labels: &Labels) -> Field {
    let name = &attribute.name;
    let targets = labels.targets.get(name).cloned().unwrap_or_default();
    let choices = labels.choices.get(name).cloned().unwrap_or_default();
    let kind = match attribute.kind.as_str() {
        "guid" if is_typed || !targets.is_empty() => FieldKind::Reference,
        "guid" => FieldKind::Guid,
        "int64" | "int32" if !choices.is_empty() => FieldKind::Choice,
        "int64" | "int32" => FieldKind::Integer,
        "decimal" => FieldKind::Decimal,
        "double" => FieldKind::Double,
        "boolean" => FieldKind::Boolean,
        "dateTime" | "dateTimeOffset" => FieldKind::DateTime,
        _ if !choices.is_empty() => FieldKind::MultiChoice,
        _ => FieldKind::Text,
    };
    let is_choice = matches!(kind, FieldKind::Choice | FieldKind::MultiChoice);
    Field {
        length: u32::try_from(attribute.length).ok().filter(|length| *length > 0),
        choices: if is_choice { choices } else { Vec::new() },
        targets,
        ..Field::bare(name, name, kind)
    }
}
