//! `EntityDefinitions`: what the tables are, for a client that reads the schema before the rows.
//!
//! Attributes are described in `attributes`. In: a metadata path. Out: definitions cut down to `$select`.

use serde_json::{Map, Value, json};

use super::super::http::{Ask, Reply};
use super::super::randomness::Chance;
use super::attributes;
use super::errors::Refusal;
use super::options::unknown;
use super::prefer::Prefer;
use super::schema::{Schema, TableSchema};
use super::serve::{Place, body};
use super::service::Dynamics;

/// The options of a metadata request.
#[derive(Default)]
pub(in crate::sandbox) struct Wish {
    pub(in crate::sandbox) select: Option<Vec<String>>,
    pub(in crate::sandbox) filter: Option<String>,
    pub(in crate::sandbox) expand: Option<String>,
}

pub(in crate::sandbox) fn answer(
    dynamics: &Dynamics,
    place: &Place,
    ask: &Ask,
    path: &[&str],
) -> Result<Reply, Refusal> {
    let wish = Wish::read(&ask.query)?;
    let schema = &dynamics.schema;
    let value = match path {
        ["EntityDefinitions"] => {
            wish.no_expand()?;
            let all = schema.tables.iter().filter(|table| wish.wants(&table.logical));
            let list = all.map(|table| wish.cut(definition(table), "EntityMetadata")).collect::<Result<Vec<_>, _>>()?;
            json!({"@odata.context": context(place), "value": list})
        }
        [first, below @ ..] => {
            let name = named(first, "EntityDefinitions").ok_or_else(|| Refusal::missing(first))?;
            let table = find(schema, &name)?;
            wish.no_filter()?;
            match below {
                [] => {
                    wish.no_expand()?;
                    with_context(place, wish.cut(definition(table), "EntityMetadata")?)
                }
                ["Attributes"] => list(place, attributes::all(table, None, &wish)?),
                ["Attributes", cast] => list(place, attributes::all(table, Some(cast), &wish)?),
                [one] => with_context(place, attributes::one(table, &attribute(one)?, None, &wish)?),
                [one, cast] => with_context(place, attributes::one(table, &attribute(one)?, Some(cast), &wish)?),
                other => return Err(Refusal::missing(&format!("metadata path {}", other.join("/")))),
            }
        }
        [] => return Err(Refusal::segment("")),
    };
    Ok(body(value.to_string(), &Prefer::default(), 0))
}

/// The name in `Something(LogicalName='name')`.
fn named(segment: &str, before: &str) -> Option<String> {
    let key = segment.strip_prefix(before)?.strip_prefix("(LogicalName='")?;
    Some(key.strip_suffix("')")?.to_owned())
}

fn attribute(segment: &str) -> Result<String, Refusal> {
    named(segment, "Attributes").ok_or_else(|| Refusal::missing(&format!("metadata path {segment}")))
}

fn find<'a>(schema: &'a Schema, name: &str) -> Result<&'a TableSchema, Refusal> {
    let missing = || Refusal::new(404, "0x80060888", format!("Could not find an entity with name {name}."));
    schema.table(name).map(|table| &schema.tables[table]).ok_or_else(missing)
}

fn context(place: &Place) -> String {
    format!("{}$metadata#{}", place.base, place.rest)
}

fn list(place: &Place, list: Vec<Value>) -> Value {
    json!({"@odata.context": context(place), "value": list})
}

fn with_context(place: &Place, value: Value) -> Value {
    let mut map = Map::new();
    map.insert("@odata.context".to_owned(), context(place).into());
    if let Value::Object(members) = value {
        map.extend(members);
    }
    Value::Object(map)
}

fn definition(table: &TableSchema) -> Value {
    json!({
        "LogicalName": table.logical,
        "SchemaName": table.schema_name,
        "EntitySetName": table.set,
        "PrimaryIdAttribute": table.key(),
        "PrimaryNameAttribute": table.columns[table.primary_name].logical,
        "ObjectTypeCode": table.type_code,
        "ChangeTrackingEnabled": true,
        "TableType": "Standard",
        "OwnershipType": table.ownership,
        "IsPrivate": false,
        "DisplayName": label(&table.label, &table.logical),
        "MetadataId": metadata_id(&table.logical),
    })
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

impl Wish {
    fn read(query: &str) -> Result<Self, Refusal> {
        let mut wish = Wish::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "$select" => wish.select = Some(value.split(',').map(|name| name.trim().to_owned()).collect()),
                "$filter" => wish.filter = Some(filter(&value)?),
                "$expand" => wish.expand = Some(value.into_owned()),
                other => return Err(unknown(other)),
            }
        }
        Ok(wish)
    }

    fn wants(&self, logical: &str) -> bool {
        self.filter.as_ref().is_none_or(|wanted| wanted == logical)
    }

    fn no_expand(&self) -> Result<(), Refusal> {
        self.expand.as_ref().map_or(Ok(()), |text| Err(Refusal::missing(&format!("$expand={text} on metadata"))))
    }

    fn no_filter(&self) -> Result<(), Refusal> {
        self.filter.as_ref().map_or(Ok(()), |_| Err(Refusal::missing("$filter on attributes")))
    }

    /// Keeps the selected members, and those that always come.
    pub(in crate::sandbox) fn cut(&self, value: Value, kind: &str) -> Result<Value, Refusal> {
        let (Some(select), Value::Object(mut members)) = (&self.select, value.clone()) else { return Ok(value) };
        if let Some(unknown) = select.iter().find(|name| !members.contains_key(*name)) {
            return Err(Refusal::property(unknown, kind));
        }
        let always = |name: &str| name.starts_with('@') || name == "MetadataId" || name.ends_with("OptionSet");
        members.retain(|name, _| always(name) || select.contains(name));
        Ok(Value::Object(members))
    }
}

/// Only `LogicalName eq 'x'` is known here.
fn filter(text: &str) -> Result<String, Refusal> {
    let name = text.trim().strip_prefix("LogicalName eq '").and_then(|rest| rest.strip_suffix('\''));
    let name = name.filter(|name| !name.contains('\''));
    name.map(str::to_owned).ok_or_else(|| Refusal::missing(&format!("metadata $filter={text}")))
}
