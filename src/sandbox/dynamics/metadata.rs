//! `EntityDefinitions`, `RelationshipDefinitions` and `GlobalOptionSetDefinitions`: the schema, for a client that reads it
//! before the rows.
//!
//! Attributes are described in `attributes`, relationships in `relationships`; there are no global option sets. In: a
//! metadata path. Out: definitions as the query options want them.

use serde_json::{Map, Value, json};

use super::super::http::{Ask, Reply};
use super::attributes;
use super::definition::{alternate_key, definition, metadata_id};
use super::errors::Refusal;
use super::place::Place;
use super::prefer::Prefer;
use super::relationships::{self, Relationship};
use super::route::body;
use super::schema::{Schema, TableSchema};
use super::service::Dynamics;
use super::wish::Wish;

const SETS: [&str; 3] = ["EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions"];

/// What a path names between parentheses.
enum Key<'a> {
    Name(&'a str),
    Id(String),
}

pub(in crate::sandbox) fn knows(segment: &str) -> bool {
    let name = segment.split('(').next().unwrap_or(segment);
    SETS.contains(&name)
}

pub(in crate::sandbox) fn answer(
    dynamics: &Dynamics,
    place: &Place,
    ask: &Ask,
    path: &[&str],
) -> Result<Reply, Refusal> {
    let wish = Wish::read(&ask.query)?;
    let schema = &*dynamics.described();
    let (first, below) = path.split_first().ok_or_else(|| Refusal::segment(""))?;
    let value = match (*first, below) {
        ("EntityDefinitions", []) => {
            let all = schema.tables.iter().map(|table| entity(schema, table, &wish));
            list(place, &wish, all.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        }
        ("EntityDefinitions", ["$count"]) => {
            wish.no_expand()?;
            let all = schema.tables.iter().map(|table| entity(schema, table, &wish));
            let count = all.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?.len();
            return Ok(Reply::new(200, "text/plain", count.to_string()));
        }
        ("RelationshipDefinitions", below) => {
            return every_relationship(schema, place, &wish, below);
        }
        ("GlobalOptionSetDefinitions", []) => list(place, &wish, Vec::new()),
        (first, below) => match key(first)? {
            ("EntityDefinitions", key) => one_entity(schema, place, &wish, &table(schema, &key)?.logical, below)?,
            ("RelationshipDefinitions", key) => {
                wish.of_one()?;
                let found = relationships::all(schema).into_iter().map(|one| one.definition());
                let found = found.into_iter().find(|one| is(one, "SchemaName", &key)).ok_or_else(absent)?;
                with_context(place, &wish, wish.cut(found, "RelationshipMetadataBase")?)
            }
            _ => return Err(absent()),
        },
    };
    Ok(body(value.to_string(), &Prefer::default(), 0))
}

fn absent() -> Refusal {
    Refusal::new(404, "0x80060888", "Could not find the metadata object.")
}

/// A segment's name and the key after it.
fn key(segment: &str) -> Result<(&str, Key<'_>), Refusal> {
    let missing = || Refusal::missing(&format!("metadata path {segment}"));
    let (name, key) = segment.split_once('(').ok_or_else(missing)?;
    let key = key.strip_suffix(')').ok_or_else(missing)?;
    let (member, value) = key.split_once('=').unwrap_or(("MetadataId", key));
    match (member.trim(), value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''))) {
        ("LogicalName" | "Name" | "SchemaName", Some(value)) => Ok((name, Key::Name(value))),
        ("MetadataId", None) if value.len() == 36 => Ok((name, Key::Id(value.to_lowercase()))),
        _ => Err(missing()),
    }
}

fn is(definition: &Value, name: &str, key: &Key<'_>) -> bool {
    match key {
        Key::Name(wanted) => definition[name] == *wanted,
        Key::Id(wanted) => definition["MetadataId"] == wanted.as_str(),
    }
}

fn table<'a>(schema: &'a Schema, key: &Key<'_>) -> Result<&'a TableSchema, Refusal> {
    let found = match key {
        Key::Name(name) => schema.tables.iter().find(|table| table.logical == *name),
        Key::Id(id) => schema.tables.iter().find(|table| metadata_id(&table.logical) == *id),
    };
    let named = match key {
        Key::Name(name) => (*name).to_owned(),
        Key::Id(id) => id.clone(),
    };
    found.ok_or_else(|| Refusal::new(404, "0x80060888", format!("Could not find an entity with name {named}.")))
}

/// One table as wanted, with what is expanded; nothing if the filter leaves it out.
fn entity(schema: &Schema, table: &TableSchema, wish: &Wish) -> Result<Option<Value>, Refusal> {
    let mut members = definition(table);
    if !wish.wants(&members, "EntityMetadata")? {
        return Ok(None);
    }
    for (name, inner) in &wish.expand {
        members[name] = collection(schema, table, name, inner)?.into();
    }
    wish.cut(members, "EntityMetadata").map(Some)
}

fn one_entity(schema: &Schema, place: &Place, wish: &Wish, name: &str, below: &[&str]) -> Result<Value, Refusal> {
    let table = table(schema, &Key::Name(name))?;
    Ok(match below {
        [] => {
            wish.of_one()?;
            with_context(place, wish, entity(schema, table, wish)?.unwrap_or_default())
        }
        ["Attributes", cast] => list(place, wish, attributes::all(table, Some(cast), wish)?),
        [collection] if !collection.contains('(') => {
            list(place, wish, self::collection(schema, table, collection, wish)?)
        }
        [one] | [one, _] => {
            wish.of_one()?;
            let cast = below.get(1).copied();
            match key(one)? {
                ("Attributes", Key::Name(name)) => with_context(place, wish, attributes::one(table, name, cast, wish)?),
                ("Attributes", Key::Id(id)) => with_context(place, wish, attributes::one(table, &id, cast, wish)?),
                ("Keys", key) if below.len() == 1 => {
                    let mut keys = table.keys.iter().map(|key| alternate_key(table, key));
                    let found = keys.find(|one| is(one, "LogicalName", &key)).ok_or_else(absent)?;
                    with_context(place, wish, wish.cut(found, "EntityKeyMetadata")?)
                }
                _ => return Err(Refusal::missing(&format!("metadata path {}", below.join("/")))),
            }
        }
        other => return Err(Refusal::missing(&format!("metadata path {}", other.join("/")))),
    })
}

/// A collection of a table's definition.
fn collection(schema: &Schema, table: &TableSchema, name: &str, wish: &Wish) -> Result<Vec<Value>, Refusal> {
    let belongs = |one: &Relationship<'_>| match name {
        "OneToManyRelationships" => one.leads_to(table),
        _ => one.referencing.logical == table.logical,
    };
    match name {
        "Attributes" => attributes::all(table, None, wish),
        "Keys" => {
            wish.no_expand()?;
            wanted(table.keys.iter().map(|key| alternate_key(table, key)), wish, "EntityKeyMetadata")
        }
        // No table is related many to many.
        "ManyToManyRelationships" => Ok(Vec::new()),
        "OneToManyRelationships" | "ManyToOneRelationships" => {
            wish.no_expand()?;
            let found =
                relationships::all(schema).into_iter().filter(belongs).map(|one| without_type(one.definition()));
            wanted(found, wish, "OneToManyRelationshipMetadata")
        }
        "Privileges" | "Settings" => Err(Refusal::missing(&format!("metadata collection {name}"))),
        _ => Err(Refusal::property(name, "EntityMetadata")),
    }
}

fn every_relationship(schema: &Schema, place: &Place, wish: &Wish, below: &[&str]) -> Result<Reply, Refusal> {
    wish.no_expand()?;
    let all = relationships::all(schema).into_iter().map(|one| one.definition());
    let found = match below {
        [] => {
            let mut found = Vec::new();
            for one in all {
                // Without a cast only the members that both kinds of relationship have can be named.
                let mut common = one.clone();
                if let Value::Object(members) = &mut common {
                    members.retain(|name, _| !name.starts_with("Referenc"));
                }
                if wish.wants(&common, "RelationshipMetadataBase")? {
                    let cut = if wish.select.is_some() { common } else { one };
                    found.push(wish.cut(cut, "RelationshipMetadataBase")?);
                }
            }
            found
        }
        ["Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata"] => {
            wanted(all.map(without_type), wish, "OneToManyRelationshipMetadata")?
        }
        ["Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata"] => Vec::new(),
        other => return Err(Refusal::missing(&format!("metadata path {}", other.join("/")))),
    };
    Ok(body(list(place, wish, found).to_string(), &Prefer::default(), 0))
}

fn wanted(all: impl Iterator<Item = Value>, wish: &Wish, kind: &str) -> Result<Vec<Value>, Refusal> {
    let mut found = Vec::new();
    for one in all {
        if wish.wants(&one, kind)? {
            found.push(wish.cut(one, kind)?);
        }
    }
    Ok(found)
}

/// A list of one type does not name it in each member.
fn without_type(mut definition: Value) -> Value {
    if let Value::Object(members) = &mut definition {
        members.shift_remove("@odata.type");
    }
    definition
}

/// The context of a list, or of the one definition that the last key of the path names.
fn context(place: &Place, wish: &Wish, one: bool) -> String {
    let segments = place.segments();
    let last = segments.iter().rposition(|segment| segment.contains('(')).filter(|_| one);
    let named = segments.iter().enumerate().map(|(index, segment)| match segment.split_once('(') {
        Some((name, _)) if Some(index) == last => name.to_owned(),
        _ => segment.replace("(LogicalName='", "('"),
    });
    let path = named.collect::<Vec<_>>().join("/");
    format!("{}$metadata#{path}{}{}", place.base, wish.context(), if one { "/$entity" } else { "" })
}

fn list(place: &Place, wish: &Wish, list: Vec<Value>) -> Value {
    let mut value = json!({"@odata.context": context(place, wish, false)});
    if wish.count {
        value["@odata.count"] = list.len().into();
    }
    value["value"] = list.into();
    value
}

fn with_context(place: &Place, wish: &Wish, value: Value) -> Value {
    let mut map = Map::new();
    map.insert("@odata.context".to_owned(), context(place, wish, true).into());
    if let Value::Object(members) = value {
        map.extend(members);
    }
    Value::Object(map)
}
