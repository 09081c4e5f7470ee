//! The attributes of a table, with and without a cast to their type.
//!
//! Besides the columns that can be read there are the derived ones the service also lists (`industrycodename`,
//! `parentcustomeridtype`), which no row has. In: a table and a cast. Out: attribute objects.

use serde_json::{Map, Value, json};

use super::definition::{is_custom, label, metadata_id};
use super::errors::Refusal;
use super::schema::{Choice, Column, Kind, TableSchema};
use super::wish::Wish;

const CAST: &str = "Microsoft.Dynamics.CRM.";

/// All attributes, or those of one type.
pub(in crate::sandbox) fn all(table: &TableSchema, cast: Option<&str>, wish: &Wish) -> Result<Vec<Value>, Refusal> {
    let kind = cast.map(cast_kind).transpose()?;
    let mut list = Vec::new();
    let mut add = |attribute: Value| {
        if wish.wants(&attribute, "AttributeMetadata")? {
            list.push(wish.cut(attribute, "AttributeMetadata")?);
        }
        Ok::<(), Refusal>(())
    };
    for column in &table.columns {
        if kind.is_none_or(|kind| is_of(column.kind, kind)) {
            add(attribute(table, column, kind.is_some(), wish)?)?;
        }
        if kind.is_none() {
            derived(table, column).into_iter().try_for_each(&mut add)?;
        }
    }
    Ok(list)
}

/// One attribute by name or id.
pub(in crate::sandbox) fn one(
    table: &TableSchema,
    name: &str,
    cast: Option<&str>,
    wish: &Wish,
) -> Result<Value, Refusal> {
    let missing = || Refusal::new(404, "0x80060888", format!("Could not find an attribute with name {name}."));
    let kind = cast.map(cast_kind).transpose()?;
    let called = |column: &&Column| column.logical == name || id(table, &column.logical) == name;
    let column = table.columns.iter().find(called).ok_or_else(missing)?;
    if kind.is_some_and(|kind| !is_of(column.kind, kind)) {
        return Err(missing());
    }
    wish.cut(attribute(table, column, kind.is_some(), wish)?, "AttributeMetadata")
}

/// The type a cast names.
fn cast_kind(cast: &str) -> Result<Kind, Refusal> {
    let name = cast.strip_prefix(CAST).and_then(|name| name.strip_suffix("AttributeMetadata"));
    Ok(match name.ok_or_else(|| Refusal::segment(cast))? {
        "String" => Kind::String,
        "Memo" => Kind::Memo,
        "Integer" => Kind::Integer,
        "BigInt" => Kind::BigInt,
        "Decimal" => Kind::Decimal,
        "Double" => Kind::Double,
        "Money" => Kind::Money,
        "Boolean" => Kind::Boolean,
        "DateTime" => Kind::DateTime,
        "Lookup" => Kind::Lookup,
        "Picklist" => Kind::Picklist,
        "MultiSelectPicklist" => Kind::MultiSelectPicklist,
        "State" => Kind::State,
        "Status" => Kind::Status,
        other => return Err(Refusal::missing(&format!("metadata cast {other}AttributeMetadata"))),
    })
}

/// Customer and owner columns are lookups in metadata.
fn is_of(kind: Kind, cast: Kind) -> bool {
    kind == cast || (cast == Kind::Lookup && matches!(kind, Kind::Customer | Kind::Owner))
}

fn type_name(kind: Kind) -> String {
    if matches!(kind, Kind::Customer | Kind::Owner) { "Lookup".to_owned() } else { format!("{kind:?}") }
}

fn attribute(table: &TableSchema, column: &Column, cast: bool, wish: &Wish) -> Result<Value, Refusal> {
    let key = column.logical == table.key();
    let kind = format!("{:?}", column.kind);
    let odata = if column.kind == Kind::Uniqueidentifier { String::new() } else { type_name(column.kind) };
    let mut members = object(json!({
        "@odata.type": format!("#{CAST}{odata}AttributeMetadata"),
        "LogicalName": column.logical,
        "SchemaName": schema_name(&column.logical),
        "AttributeType": if column.kind == Kind::MultiSelectPicklist { "Virtual" } else { &kind },
        "AttributeTypeName": {"Value": format!("{kind}Type")},
        "DisplayName": label(&column.label, &column.logical),
        "IsValidForRead": true,
        "IsValidForCreate": !column.read_only || key,
        "IsValidForUpdate": !column.read_only,
        "IsPrimaryId": key,
        "IsPrimaryName": column.logical == table.columns[table.primary_name].logical,
        "AttributeOf": null,
        "IsLogical": false,
        "RequiredLevel": {"Value": column.required, "CanBeChanged": true},
        "EntityLogicalName": table.logical,
        "IsCustomAttribute": is_custom(&column.logical),
        "MetadataId": id(table, &column.logical),
    }));
    members.extend(of_type(column));
    if cast {
        members.shift_remove("@odata.type");
    }
    expand(table, column, cast, wish, &mut members)?;
    Ok(Value::Object(members))
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}

fn of_type(column: &Column) -> Map<String, Value> {
    object(match column.kind {
        Kind::String => json!({"MaxLength": column.max_length, "Format": "Text", "FormatName": {"Value": "Text"}}),
        Kind::Memo => json!({"MaxLength": column.max_length, "Format": "TextArea"}),
        Kind::Integer => json!({"MinValue": column.bounds.0, "MaxValue": column.bounds.1, "Format": "None"}),
        Kind::Decimal | Kind::Double => json!({"Precision": column.precision}),
        Kind::Money => json!({"Precision": column.precision, "PrecisionSource": 2}),
        Kind::DateTime => {
            let format = if column.date_only { "DateOnly" } else { "DateAndTime" };
            json!({"Format": format, "DateTimeBehavior": {"Value": column.behavior}})
        }
        Kind::Lookup | Kind::Customer | Kind::Owner => json!({"Targets": column.targets}),
        _ => json!({}),
    })
}

fn expand(
    table: &TableSchema,
    column: &Column,
    cast: bool,
    wish: &Wish,
    members: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    for (name, inner) in &wish.expand {
        if inner.filter.is_some() || !inner.expand.is_empty() {
            return Err(Refusal::missing(&format!("options of $expand={name} beyond $select")));
        }
        let value = match name.as_str() {
            "GlobalOptionSet" => Value::Null,
            "OptionSet" => inner.cut(option_set(table, column), "OptionSetMetadata")?,
            _ => return Err(Refusal::missing(&format!("metadata $expand={name}"))),
        };
        if !cast || column.choices.is_empty() {
            return Err(Refusal::property(name, "AttributeMetadata"));
        }
        members.insert(name.clone(), value);
    }
    Ok(())
}

/// The id of a column's definition.
fn id(table: &TableSchema, column: &str) -> String {
    metadata_id(&format!("{}.{column}", table.logical))
}

fn option_set(table: &TableSchema, column: &Column) -> Value {
    let name = format!("{}_{}", table.logical, column.logical);
    let id = metadata_id(&format!("options of {name}"));
    if column.kind == Kind::Boolean {
        let side = |value: usize| column.choices.get(value).map(|choice| option(table, column, choice, &name));
        return json!({"MetadataId": id, "TrueOption": side(1), "FalseOption": side(0), "IsGlobal": false,
            "OptionSetType": "Boolean", "Name": name});
    }
    let options: Vec<Value> = column.choices.iter().map(|choice| option(table, column, choice, &name)).collect();
    // A list has one type, however many of its options a row may take.
    let kind = if column.kind == Kind::MultiSelectPicklist { Kind::Picklist } else { column.kind };
    let kind = format!("{kind:?}");
    json!({"Options": options, "IsGlobal": false, "OptionSetType": kind, "Name": name, "MetadataId": id})
}

fn option(table: &TableSchema, column: &Column, choice: &Choice, set: &str) -> Value {
    let mut members = object(json!({
        "Value": choice.value,
        "Color": null,
        "IsManaged": true,
        "ExternalValue": "",
        "ParentValues": [],
        "Label": label(&choice.label, &format!("{set} {}", choice.value)),
    }));
    match column.kind {
        Kind::State => {
            members.insert("DefaultStatus".to_owned(), default_reason(table, choice.value).into());
            members.insert("InvariantName".to_owned(), choice.label.clone().into());
        }
        Kind::Status => {
            members.insert("State".to_owned(), choice.state.into());
        }
        _ => {}
    }
    Value::Object(members)
}

/// The status reason that a row takes when it enters a state.
fn default_reason(table: &TableSchema, state: i64) -> Option<i64> {
    let reasons = table.columns.iter().find(|column| column.kind == Kind::Status)?;
    reasons.choices.iter().find(|reason| reason.state == Some(state)).map(|reason| reason.value)
}

/// Schema names are camel case in the service; the sandbox only raises the first letter.
fn schema_name(logical: &str) -> String {
    let mut letters = logical.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Companions of a column that exist in metadata only.
fn derived(table: &TableSchema, column: &Column) -> Vec<Value> {
    let one = |suffix: &str, kind: &str| {
        let name = format!("{}{suffix}", column.logical);
        json!({
            "@odata.type": format!("#{CAST}AttributeMetadata"),
            "LogicalName": name,
            "SchemaName": schema_name(&name),
            "AttributeType": kind,
            "AttributeTypeName": {"Value": format!("{kind}Type")},
            "DisplayName": {"LocalizedLabels": [], "UserLocalizedLabel": null},
            "IsValidForRead": true,
            "IsValidForCreate": false,
            "IsValidForUpdate": false,
            "IsPrimaryId": false,
            "IsPrimaryName": false,
            "AttributeOf": column.logical,
            "IsLogical": true,
            "RequiredLevel": {"Value": "None", "CanBeChanged": true},
            "EntityLogicalName": table.logical,
            "IsCustomAttribute": is_custom(&name),
            "MetadataId": metadata_id(&format!("derived {}.{name}", table.logical)),
        })
    };
    match column.kind {
        Kind::Lookup => vec![one("name", "String")],
        Kind::Customer | Kind::Owner => vec![one("name", "String"), one("type", "EntityName")],
        Kind::Boolean | Kind::Picklist | Kind::MultiSelectPicklist | Kind::State | Kind::Status => {
            vec![one("name", "Virtual")]
        }
        _ => Vec::new(),
    }
}
