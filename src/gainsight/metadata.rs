//! What objects and fields the tenant has.
//!
//! Describe is asked for the objects in use, all in one call; labels and API names both come from it.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Call, Gainsight, JSON};
use super::error::Error;
use super::windows::Bucket;
use crate::http::client::Method;
use crate::http::json;
use crate::http::retry::Repeat;
use crate::model::catalog::{Object, ObjectName};
use crate::model::field::{Choice, Field, FieldKind};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    object_name: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    fields: Vec<DescribedField>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribedField {
    field_name: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    data_type: String,
    #[serde(default)]
    options: Option<Vec<DescribedOption>>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Deserialize)]
struct DescribedOption {
    #[serde(default)]
    label: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    required: bool,
    nillable: Option<bool>,
    createable: Option<bool>,
    updateable: Option<bool>,
    read_only: Option<bool>,
    decimal_places: Option<i8>,
    length: Option<u32>,
    lookup_detail: Option<LookupDetail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LookupDetail {
    #[serde(default)]
    lookup_objects: Vec<ObjectEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectEntry {
    object_name: String,
    #[serde(default)]
    label: String,
}

impl Gainsight {
    /// The names of all objects.
    ///
    /// # Errors
    /// What the service or the network says.
    pub async fn objects(&self) -> Result<Vec<ObjectName>, Error> {
        let call = Call {
            method: Method::Get,
            path: "/v1/meta/services/objects/list?po=company&em=false".to_owned(),
            body: None,
            kind: JSON,
            bucket: Bucket::Synchronous,
            repeat: Repeat::Harmless,
            is_write: false,
            what: "the list of objects".to_owned(),
        };
        let list: Vec<ObjectEntry> = read(&call, self.expect(&call).await?)?;
        Ok(list.into_iter().map(|o| ObjectName { name: o.object_name, label: o.label }).collect())
    }

    /// Some objects with their fields, by API name.
    ///
    /// # Errors
    /// What the service or the network says.
    pub async fn describe(&self, names: &[String]) -> Result<Vec<Object>, Error> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let call = Call {
            method: Method::Post,
            path: "/v1/meta/services/objects/describe".to_owned(),
            // The flags are texts: so are the documented samples.
            body: Some(Bytes::from(
                json!({
                    "objectNames": names, "includeChilds": "true", "childLevels": "0",
                    "populatePickListOptions": "true", "removeDeleted": "false", "removeHidden": "false", "host": "MDA",
                })
                .to_string(),
            )),
            kind: JSON,
            bucket: Bucket::Synchronous,
            repeat: Repeat::Harmless,
            is_write: false,
            what: format!("the schema of {}", names.join(", ")),
        };
        let described: Vec<Described> = read(&call, self.expect(&call).await?)?;
        Ok(described.into_iter().map(object).collect())
    }
}

fn read<T: serde::de::DeserializeOwned>(call: &Call, data: Value) -> Result<T, Error> {
    serde_json::from_value(data)
        .map_err(|e| Error::Unreadable { what: call.what.clone(), detail: json::without_value(&e) })
}

fn object(described: Described) -> Object {
    Object {
        set_name: described.object_name.clone(),
        name: described.object_name,
        label: described.label,
        primary_id: "Gsid".to_owned(),
        tracks: false,
        is_of_files: false,
        fields: described.fields.into_iter().map(field).collect(),
    }
}

fn field(described: DescribedField) -> Field {
    let kind = kind(&described.data_type, &described.field_name);
    let meta = described.meta;
    let choices = described.options.unwrap_or_default().into_iter();
    let targets = meta.lookup_detail.map(|d| d.lookup_objects).unwrap_or_default();
    let is_text = matches!(kind, FieldKind::String | FieldKind::RichText | FieldKind::Email | FieldKind::Url);
    Field {
        label: if described.label.is_empty() { described.field_name.clone() } else { described.label },
        name: described.field_name,
        kind,
        length: meta.length.filter(|_| is_text),
        scale: meta.decimal_places.unwrap_or(0).clamp(0, 18),
        required: meta.required || meta.nillable == Some(false),
        writable: meta.createable.unwrap_or(true)
            && meta.updateable.unwrap_or(true)
            && !meta.read_only.unwrap_or(false),
        choices: choices.map(|o| Choice { code: o.value, label: o.label }).collect(),
        targets: targets.into_iter().map(|o| o.object_name.to_lowercase()).collect(),
    }
}

fn kind(data_type: &str, name: &str) -> FieldKind {
    match data_type {
        "GSID" if name == "Gsid" => FieldKind::Gsid,
        "GSID" | "LOOKUP" => FieldKind::Lookup,
        "STRING" | "SFDCID" => FieldKind::String,
        "RICHTEXTAREA" => FieldKind::RichText,
        "EMAIL" => FieldKind::Email,
        "URL" => FieldKind::Url,
        "NUMBER" | "CURRENCY" | "PERCENTAGE" => FieldKind::Number,
        "BOOLEAN" => FieldKind::Boolean,
        "DATE" => FieldKind::Date,
        "DATETIME" => FieldKind::DateTime,
        "PICKLIST" => FieldKind::Picklist,
        "MULTISELECTDROPDOWNLIST" => FieldKind::MultiPicklist,
        _ => FieldKind::Other,
    }
}
