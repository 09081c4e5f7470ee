//! What a table's definition says.
//!
//! In: a table of the schema. Out: the members of its `EntityMetadata`, and the labels and ids all metadata shares.

use serde_json::{Value, json};

use super::super::randomness::Chance;
use super::privileges;
use super::schema::{AlternateKey, TableSchema};

pub(in crate::sandbox) fn definition(table: &TableSchema) -> Value {
    json!({
        "LogicalName": table.logical,
        "SchemaName": table.schema_name,
        "EntitySetName": table.set,
        "LogicalCollectionName": table.set,
        "PrimaryIdAttribute": table.key(),
        "PrimaryNameAttribute": table.columns[table.primary_name].logical,
        "ObjectTypeCode": table.type_code,
        "ChangeTrackingEnabled": table.tracked,
        "CanChangeTrackingBeEnabled": {
            "Value": true, "CanBeChanged": true, "ManagedPropertyLogicalName": "canchangetrackingbeenabled",
        },
        "TableType": "Standard",
        "OwnershipType": table.ownership,
        "IsActivity": false,
        "IsCustomEntity": is_custom(&table.logical),
        "IsIntersect": false,
        "IsOptimisticConcurrencyEnabled": true,
        "IsPrivate": false,
        "DisplayName": label(&table.label, &table.logical),
        "Privileges": privileges::of_table(table),
        "MetadataId": metadata_id(&table.logical),
    })
}

/// What an alternate key of a table says.
pub(in crate::sandbox) fn alternate_key(table: &TableSchema, key: &AlternateKey) -> Value {
    json!({
        "LogicalName": key.logical,
        "SchemaName": key.logical,
        "EntityLogicalName": table.logical,
        "KeyAttributes": key.columns,
        "EntityKeyIndexStatus": "Active",
        "DisplayName": label(&key.label, &format!("key {}", key.logical)),
        "MetadataId": metadata_id(&format!("key {}.{}", table.logical, key.logical)),
    })
}

/// Whether a name has the prefix of the sandbox's only publisher.
pub(in crate::sandbox) fn is_custom(name: &str) -> bool {
    name.starts_with("new_")
}

/// Ids of metadata are the same in every sandbox.
pub(in crate::sandbox) fn metadata_id(name: &str) -> String {
    Chance::of_text(0, name).guid()
}

/// A label in the one language the sandbox speaks.
pub(in crate::sandbox) fn label(text: &str, owner: &str) -> Value {
    let label = json!({
        "Label": text,
        "LanguageCode": 1033,
        "IsManaged": true,
        "MetadataId": metadata_id(&format!("label of {owner}")),
        "HasChanged": null,
    });
    json!({"LocalizedLabels": [label], "UserLocalizedLabel": label})
}
