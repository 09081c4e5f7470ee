//! Metadata: the list of objects and the description of each.
//!
//! In: names of objects. Out: descriptions with the nesting that was recorded from the service.

use serde_json::{Value, json};

use super::batch;
use super::envelope::Refusal;
use super::schema::{Field, Kind, Object, Schema};
use super::service::Gainsight;

/// What a describe call failed with: the metadata endpoints have an error shape of their own.
pub(in crate::sandbox) enum Failure {
    Unknown(String),
    Refused(Refusal),
}

pub(in crate::sandbox) fn list(gainsight: &Gainsight) -> Value {
    let entry = |object: &Object| {
        json!({
            "objectName": object.name,
            "label": object.label,
            "objectType": object.origin,
            "keyPrefix": object.prefix,
            "transactional": object.low_volume,
            "multiCurrencySupported": false,
            "readable": true,
            "createable": object.generic_writes(),
            "schemaUpdateable": object.origin != "SYSTEM",
        })
    };
    Value::Array(gainsight.described().objects.iter().map(entry).collect())
}

pub(in crate::sandbox) fn one(gainsight: &Gainsight, name: &str, with_options: bool) -> Result<Value, Failure> {
    let schema = gainsight.described();
    let object = schema.object(name).ok_or_else(|| Failure::Unknown(name.to_owned()))?;
    Ok(json!([describe(&schema, &schema.objects[object], with_options)]))
}

/// Several objects; the flags of the body are texts.
pub(in crate::sandbox) fn many(gainsight: &Gainsight, body: &[u8]) -> Result<Value, Failure> {
    let members = batch::object(body).map_err(Failure::Refused)?;
    if members.get("includeChilds").and_then(Value::as_str) == Some("true")
        && members.get("childLevels").and_then(Value::as_str).is_some_and(|levels| levels != "0")
    {
        return Err(Failure::Refused(Refusal::missing("childLevels of a describe")));
    }
    let with_options = members.get("populatePickListOptions").and_then(Value::as_str) != Some("false");
    let Some(Value::Array(names)) = members.get("objectNames") else {
        return Err(Failure::Refused(Refusal::invalid()));
    };
    let schema = gainsight.described();
    let mut list = Vec::with_capacity(names.len());
    for name in names {
        let name = name.as_str().ok_or_else(|| Failure::Refused(Refusal::invalid()))?;
        let object = schema.object(name).ok_or_else(|| Failure::Unknown(name.to_owned()))?;
        list.push(describe(&schema, &schema.objects[object], with_options));
    }
    Ok(Value::Array(list))
}

fn describe(schema: &Schema, object: &Object, with_options: bool) -> Value {
    let fields: Vec<Value> = object.fields.iter().map(|field| entry(schema, object, field, with_options)).collect();
    json!({
        "objectName": object.name,
        "label": object.label,
        "labelPlural": object.plural,
        "objectType": object.origin,
        "keyPrefix": object.prefix,
        "fields": fields,
    })
}

fn entry(schema: &Schema, object: &Object, field: &Field, with_options: bool) -> Value {
    let mut entry = json!({
        "fieldName": field.name,
        "label": field.label,
        "dataType": field.data_type,
        "objectName": object.name,
    });
    if with_options && !field.items.is_empty() {
        entry["options"] = options(field);
    }
    entry["meta"] = meta(schema, object, field);
    entry
}

fn meta(schema: &Schema, object: &Object, field: &Field) -> Value {
    let mut properties = json!({"sourceType": field.data_type});
    if let Some(category) = &field.category {
        properties["PICKLIST_CATEGORY"] = field.label.clone().into();
        properties["PICKLIST_CATEGORY_ID"] = category.clone().into();
    }
    let plain = !matches!(field.kind, Kind::RichText | Kind::MultiPicklist);
    let group = match (field.read_only, field.name.ends_with("__gc")) {
        (true, _) => "SYSTEM",
        (false, true) => "CUSTOM",
        (false, false) => "STANDARD",
    };
    let mut meta = json!({
        "properties": properties,
        "filterable": field.kind != Kind::RichText,
        "sortable": plain,
        "groupable": plain,
        "createable": !field.read_only,
        "updateable": !field.read_only,
        "formulaField": false,
        "hasLookup": field.target.is_some(),
        "required": field.required,
        "richText": field.kind == Kind::RichText,
        "nillable": !field.required && field.kind != Kind::Gsid,
        "readOnly": field.read_only,
        "dependentPicklist": false,
        "fieldGroupType": group,
        "selfLookup": field.target.as_deref() == Some(object.name.as_str()),
        "indexed": field.kind == Kind::Gsid,
        "decimalPlaces": field.decimals,
        "hidden": false,
        "nameField": field.is_name,
        "aggregatable": matches!(field.kind, Kind::Number | Kind::Currency | Kind::Percentage),
    });
    if let Some(length) = field.length {
        meta["length"] = length.into();
    }
    if let Some(target) = &field.target {
        let name = field.name.strip_suffix("__gc").unwrap_or(&field.name);
        let found = schema.object(target).map(|index| &schema.objects[index]);
        let label = found.map_or("", |object| object.label.as_str());
        meta["lookupDetail"] = json!({
            "lookupName": format!("{name}__gr"),
            "fieldName": "Gsid",
            "lookupObjects": [{"objectName": target, "label": label}],
        });
    }
    meta
}

fn options(field: &Field) -> Value {
    let option = |(order, item): (usize, &super::schema::Item)| {
        json!({
            "active": item.active,
            "defaultValue": field.default.as_deref() == Some(item.label.as_str()),
            "label": item.label,
            "value": item.gsid,
            "displayOrder": order + 1,
            "groupId": field.category,
            "systemName": item.label.to_uppercase().replace(' ', "_"),
            "color": null,
            "validFor": null,
            "controllerValues": null,
            "description": null,
            "group": null,
        })
    };
    Value::Array(field.items.iter().enumerate().map(option).collect())
}
