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

/// What a table that was exported whole says of itself.
const COMPLETED: &str = "Completed";

impl Files {
    /// The names of the tables of an export.
    pub(in crate::files) async fn exported_names(&self) -> Result<Vec<String>, Error> {
        let mut names = BTreeMap::new();
        for model in self.newest_models().await? {
            for entity in model.entities {
                names.entry(entity.name.to_lowercase()).or_insert(entity.name);
            }
        }
        Ok(names.into_values().collect())
    }

    /// A table of an export, with its columns.
    pub(in crate::files) async fn exported(&self, table: &str) -> Result<Object, Error> {
        let newest = self.newest_models().await?;
        let found = newest.iter().find_map(|model| model.entity(table));
        let entity = found.ok_or_else(|| Error::NoTable(table.to_owned()))?;
        let labels = self.labels(&entity.name).await?;
        let primary_id = format!("{}id", entity.name.to_lowercase());
        Ok(Object {
            name: entity.name.clone(),
            label: entity.name.clone(),
            set_name: entity.name.clone(),
            fields: fields(entity, &primary_id, &labels),
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
        let entity = whole.ok_or_else(|| Error::NoTable(table.to_owned()))?;
        self.read_snapshots(entity, shape).await
    }

    /// The tables that the export's descriptions name: of its folders the newest first, else of the export itself.
    async fn newest_models(&self) -> Result<Vec<Model>, Error> {
        if let Some(end) = self.changelog().await? {
            let folders = self.folders(&end, None).await?;
            return Ok(folders.finished.into_iter().rev().map(|folder| folder.model).collect());
        }
        if !self.interval_names().await?.is_empty() {
            let detail =
                "Changelog/changelog.info is missing, so nobody knows which of its folders is still being written";
            return Err(self.export_error(detail));
        }
        let model = self.model(&self.root).await?;
        let model = model.ok_or_else(|| self.export_error("there is no model.json: check the URL"))?;
        Ok(vec![model])
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
