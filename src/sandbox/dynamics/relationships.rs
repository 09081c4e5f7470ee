//! The relationships between tables, which follow from the lookup columns of the schema.
//!
//! There are no many-to-many ones. In: the schema. Out: relationships with the names of both their ends.

use serde_json::{Value, json};

use super::super::assumptions::relationship_name;
use super::definition::{is_custom, metadata_id};
use super::schema::{Column, Kind, Schema, TableSchema};

/// One lookup column and one table it leads to.
pub(in crate::sandbox) struct Relationship<'a> {
    /// Also the name of the collection on the table that is referred to.
    pub(in crate::sandbox) schema_name: String,
    /// The table with the lookup.
    pub(in crate::sandbox) referencing: &'a TableSchema,
    pub(in crate::sandbox) column: &'a Column,
    pub(in crate::sandbox) referenced: String,
    pub(in crate::sandbox) referenced_key: String,
    /// The single-valued navigation property on the table with the lookup.
    pub(in crate::sandbox) navigation: String,
}

/// All relationships, in the order of the schema.
pub(in crate::sandbox) fn all(schema: &Schema) -> Vec<Relationship<'_>> {
    let mut list = Vec::new();
    for table in &schema.tables {
        for column in table.columns.iter().filter(|column| column.is_lookup()) {
            // Owners have one relationship, to the union of users and teams.
            let owner = [String::from("owner")];
            let targets = if column.kind == Kind::Owner { &owner[..] } else { &column.targets[..] };
            for target in targets {
                let known = schema.table(target).map(|place| schema.tables[place].key().to_owned());
                list.push(Relationship {
                    schema_name: relationship_name(&table.logical, &table.set, &column.logical, target),
                    referencing: table,
                    column,
                    referenced: target.clone(),
                    referenced_key: known.unwrap_or_else(|| format!("{target}id")),
                    navigation: column.navigation(target),
                });
            }
        }
    }
    list
}

impl Relationship<'_> {
    /// Whether the relationship is a collection on that table.
    pub(in crate::sandbox) fn leads_to(&self, table: &TableSchema) -> bool {
        self.referenced == table.logical
    }

    pub(in crate::sandbox) fn definition(&self) -> Value {
        let custom = is_custom(&self.referencing.logical) || is_custom(&self.column.logical);
        json!({
            "@odata.type": "#Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
            "ReferencedAttribute": self.referenced_key,
            "ReferencedEntity": self.referenced,
            "ReferencingAttribute": self.column.logical,
            "ReferencingEntity": self.referencing.logical,
            "ReferencedEntityNavigationPropertyName": self.schema_name,
            "ReferencingEntityNavigationPropertyName": self.navigation,
            "IsCustomRelationship": custom,
            "SchemaName": self.schema_name,
            "RelationshipType": "OneToManyRelationship",
            "MetadataId": metadata_id(&format!("relationship {}", self.schema_name)),
        })
    }
}
