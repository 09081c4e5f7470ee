//! What tables and columns the organisation has, asked only for the tables in use.
//!
//! In: a table's logical name. Out: the table with the columns that can be read, their types, labels and choices.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api>

use std::collections::HashMap;

use futures::TryStreamExt;
use futures::stream::FuturesOrdered;
use serde::Deserialize;

use super::client::Dynamics;
use super::error::Error;
use super::odata::is_name;
use crate::model::catalog::{Object, ObjectName};
use crate::model::field::{Choice, Field, FieldKind};

#[derive(Deserialize)]
struct List<T> {
    value: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entity {
    logical_name: String,
    #[serde(default)]
    entity_set_name: String,
    #[serde(default)]
    primary_id_attribute: String,
    display_name: Option<Label>,
    #[serde(default)]
    change_tracking_enabled: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Label {
    user_localized_label: Option<Localized>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Localized {
    label: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    logical_name: String,
    #[serde(default)]
    attribute_type: String,
    attribute_type_name: Option<Wrapped>,
    display_name: Option<Label>,
    #[serde(default)]
    is_valid_for_read: bool,
    attribute_of: Option<String>,
    max_length: Option<u32>,
    #[serde(default)]
    targets: Vec<String>,
    date_time_behavior: Option<Wrapped>,
    option_set: Option<OptionSet>,
    global_option_set: Option<OptionSet>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wrapped {
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OptionSet {
    #[serde(default)]
    options: Vec<OptionItem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OptionItem {
    value: i64,
    label: Option<Label>,
}

/// The casts that tell more of an attribute than the plain list, with what to ask of each.
const CASTS: [(&str, &str); 7] = [
    ("StringAttributeMetadata", "$select=LogicalName,MaxLength"),
    ("LookupAttributeMetadata", "$select=LogicalName,Targets"),
    ("DateTimeAttributeMetadata", "$select=LogicalName,DateTimeBehavior"),
    (
        "PicklistAttributeMetadata",
        "$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)",
    ),
    (
        "MultiSelectPicklistAttributeMetadata",
        "$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)",
    ),
    ("StateAttributeMetadata", "$select=LogicalName&$expand=OptionSet($select=Options)"),
    ("StatusAttributeMetadata", "$select=LogicalName&$expand=OptionSet($select=Options)"),
];

impl Dynamics {
    /// One table with its columns.
    ///
    /// # Errors
    /// [`Error::NoTable`] if there is none of that name; otherwise what the service or the network says.
    pub async fn describe(&self, table: &str) -> Result<Object, Error> {
        if !is_name(table) {
            return Err(Error::NoTable(table.to_owned()));
        }
        let key = format!("EntityDefinitions(LogicalName='{table}')");
        let what = format!("the schema of {table}");
        let select = "$select=LogicalName,EntitySetName,PrimaryIdAttribute,DisplayName,ChangeTrackingEnabled";
        let entity: Entity = match self.json(self.api(&format!("{key}?{select}"))?, None, &what).await {
            Err(Error::Refused { status: 404, .. }) => return Err(Error::NoTable(table.to_owned())),
            other => other?,
        };
        let select = "$select=LogicalName,AttributeType,AttributeTypeName,DisplayName,IsValidForRead,AttributeOf";
        let plain = format!("{key}/Attributes?{select}");
        // What only some kinds of columns have is asked for apart, kind by kind, and all of it at once.
        let casts = CASTS.iter().map(|(cast, ask)| format!("{key}/Attributes/Microsoft.Dynamics.CRM.{cast}?{ask}"));
        let asked = std::iter::once(plain).chain(casts).map(|tail| {
            let (url, what) = (self.api(&tail), &what);
            async move { self.json::<List<Attribute>>(url?, None, what).await }
        });
        let mut lists = asked.collect::<FuturesOrdered<_>>();
        let plain = lists.try_next().await?.map(|list| list.value).unwrap_or_default();
        let mut more: HashMap<String, Attribute> = HashMap::new();
        while let Some(list) = lists.try_next().await? {
            more.extend(list.value.into_iter().map(|a| (a.logical_name.clone(), a)));
        }
        let readable = plain.into_iter().filter(|a| a.is_valid_for_read && a.attribute_of.is_none());
        let fields = readable.map(|a| field(&a, more.get(&a.logical_name))).collect();
        Ok(Object {
            label: entity.display_name.and_then(text).unwrap_or_else(|| entity.logical_name.clone()),
            name: entity.logical_name,
            set_name: entity.entity_set_name,
            primary_id: entity.primary_id_attribute,
            tracks: entity.change_tracking_enabled,
            is_of_files: false,
            fields,
        })
    }

    /// The names of all tables, for "did you mean".
    ///
    /// # Errors
    /// What the service or the network says.
    pub async fn tables(&self) -> Result<Vec<ObjectName>, Error> {
        let url = self.api("EntityDefinitions?$select=LogicalName,DisplayName")?;
        let list: List<Entity> = self.json(url, None, "the list of tables").await?;
        let named = list.value.into_iter().map(|e| ObjectName {
            label: e.display_name.and_then(text).unwrap_or_else(|| e.logical_name.clone()),
            name: e.logical_name,
        });
        Ok(named.collect())
    }
}

fn field(plain: &Attribute, more: Option<&Attribute>) -> Field {
    let is_date = more
        .and_then(|m| m.date_time_behavior.as_ref())
        .and_then(|b| b.value.as_deref())
        .is_some_and(|behavior| behavior == "DateOnly");
    let type_name = plain.attribute_type_name.as_ref().and_then(|t| t.value.as_deref()).unwrap_or_default();
    let set = more.and_then(|m| m.option_set.as_ref().or(m.global_option_set.as_ref()));
    let choices = set.map(|s| s.options.iter().map(choice).collect()).unwrap_or_default();
    let label = plain.display_name.as_ref().and_then(|l| l.user_localized_label.as_ref()?.label.clone());
    Field {
        name: plain.logical_name.clone(),
        label: label.unwrap_or_else(|| plain.logical_name.clone()),
        kind: kind(&plain.attribute_type, type_name, is_date),
        length: more.and_then(|m| m.max_length),
        scale: 10,
        required: false,
        writable: false,
        choices,
        targets: more.map(|m| m.targets.clone()).unwrap_or_default(),
    }
}

/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/web-api-properties>
fn kind(attribute_type: &str, type_name: &str, is_date: bool) -> FieldKind {
    match attribute_type {
        "String" | "Memo" => FieldKind::Text,
        "Integer" | "BigInt" => FieldKind::Integer,
        "Decimal" | "Money" => FieldKind::Decimal,
        "Double" => FieldKind::Double,
        "Boolean" => FieldKind::Boolean,
        "DateTime" if is_date => FieldKind::Date,
        "DateTime" => FieldKind::DateTime,
        "Uniqueidentifier" => FieldKind::Guid,
        "Lookup" | "Customer" | "Owner" => FieldKind::Reference,
        "Picklist" | "State" | "Status" => FieldKind::Choice,
        _ if type_name == "MultiSelectPicklistType" => FieldKind::MultiChoice,
        _ => FieldKind::Other,
    }
}

fn choice(item: &OptionItem) -> Choice {
    let label = item.label.as_ref().and_then(|l| l.user_localized_label.as_ref()?.label.clone());
    Choice { code: item.value.to_string(), label: label.unwrap_or_else(|| item.value.to_string()) }
}

fn text(label: Label) -> Option<String> {
    label.user_localized_label.and_then(|l| l.label)
}
