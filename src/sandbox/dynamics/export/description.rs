//! What an export says of itself: `model.json`, and the metadata of its tables.

use std::io;

use serde_json::{Value, json};

use super::super::schema::{Kind, TableSchema};
use super::super::service::Dynamics;
use super::Sink;
use super::line::names;

/// The container that locations name.
const CONTAINER: &str = "https://acct.dfs.core.windows.net:443/dataverse-env-org";

impl Dynamics {
    fn entity(&self, table: &TableSchema, partitions: &[Value]) -> Value {
        let attributes =
            names(table).into_iter().map(|(name, kind)| json!({ "name": name, "dataType": kind, "maxLength": -1 }));
        json!({
            "$type": "LocalEntity", "name": table.logical, "description": table.logical,
            "annotations": [
                { "name": "Athena:PartitionGranularity", "value": "Year" },
                { "name": "Athena:InitialSyncState", "value": "Completed" },
            ],
            "attributes": attributes.collect::<Vec<_>>(), "partitions": partitions,
        })
    }

    fn described_tables<'s>(&'s self, names: &'s [&str]) -> impl Iterator<Item = &'s TableSchema> {
        self.schema.tables.iter().filter(move |table| names.contains(&table.logical.as_str()))
    }

    /// The description of a folder, which finishes it.
    pub(super) fn describe_folder(&self, folder: &str, tables: &[&str], sink: &mut Sink<'_>) -> io::Result<()> {
        let entities: Vec<Value> = self.described_tables(tables).map(|table| self.entity(table, &[])).collect();
        sink(&format!("{folder}/model.json"), model(&entities).as_bytes())
    }

    /// That of the whole export, and the metadata of its tables.
    pub(super) fn describe_export(&self, tables: &[&str], sink: &mut Sink<'_>) -> io::Result<()> {
        let entities: Vec<Value> = self.described_tables(tables).map(|table| self.entity(table, &[])).collect();
        sink("model.json", model(&entities).as_bytes())?;
        self.describe_tables(tables, sink)
    }

    fn describe_tables(&self, tables: &[&str], sink: &mut Sink<'_>) -> io::Result<()> {
        self.described_tables(tables).try_for_each(|table| {
            let name = format!("Microsoft.Athena.TrickleFeedService/{}-EntityMetadata.json", table.logical);
            sink(&name, metadata(table).to_string().as_bytes())
        })
    }

    /// That of an export of snapshots: table, partition and place of each.
    pub(super) fn describe_snapshots(
        &self,
        tables: &[&str],
        taken: &[(&str, String, String)],
        sink: &mut Sink<'_>,
    ) -> io::Result<()> {
        self.describe_tables(tables, sink)?;
        let described = self.described_tables(tables).map(|table| {
            let own = taken.iter().filter(|(of, _, _)| *of == table.logical);
            let partitions: Vec<Value> = own
                .map(|(_, name, place)| json!({ "name": name, "location": format!("{CONTAINER}/{place}") }))
                .collect();
            self.entity(table, &partitions)
        });
        let entities: Vec<Value> = described.collect();
        sink("model.json", model(&entities).as_bytes())
    }
}

fn model(entities: &[Value]) -> String {
    json!({ "name": "cdm", "description": "cdm", "version": "1.0", "entities": entities }).to_string()
}

fn metadata(table: &TableSchema) -> Value {
    let entity = table.logical.as_str();
    let (mut options, mut states, mut reasons, mut targets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for column in &table.columns {
        for choice in &column.choices {
            let label = json!({ "IsUserLocalizedLabel": true, "LocalizedLabelLanguageCode": 1033, "LocalizedLabel": choice.label });
            let mut one = label.as_object().cloned().unwrap_or_default();
            one.insert("EntityName".to_owned(), entity.into());
            match column.kind {
                Kind::State => {
                    one.insert("State".to_owned(), choice.value.into());
                    states.push(one);
                }
                Kind::Status => {
                    one.insert("State".to_owned(), choice.state.unwrap_or_default().into());
                    one.insert("Status".to_owned(), choice.value.into());
                    reasons.push(one);
                }
                _ => {
                    one.insert("OptionSetName".to_owned(), column.logical.clone().into());
                    one.insert("Option".to_owned(), choice.value.into());
                    options.push(one);
                }
            }
        }
        for target in &column.targets {
            targets.push(json!({
                "EntityName": entity, "AttributeName": column.logical, "ReferencedEntity": target,
                "ReferencedAttribute": format!("{target}id"),
            }));
        }
    }
    json!({
        "OptionSetMetadata": options, "GlobalOptionSetMetadata": [], "StateMetadata": states,
        "StatusMetadata": reasons, "TargetMetadata": targets, "AttributeMetadata": [],
    })
}
