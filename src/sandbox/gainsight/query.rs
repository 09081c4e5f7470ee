//! `POST /v1/data/objects/query/{object}`: which records, in which order, which fields.
//!
//! Lookup paths (`__gr`) answer 501. In: the body, and the shape of values. Out: the records as JSON text.

use std::cmp::Ordering;
use std::ops::Bound;

use serde_json::{Map, Value};

use super::super::assumptions::READ_LIMIT;
use super::super::clock::real_ms;
use super::batch;
use super::condition::{self, Condition, compare};
use super::delete_log;
use super::envelope::Refusal;
use super::expression::{self, Expression};
use super::record::Record;
use super::schema::{Kind, Object};
use super::service::Gainsight;
use super::shape::Shape;
use super::store::Records;

/// What a field of an answer takes on the average: room is made for so much beforehand.
const FIELD_BYTES: usize = 40;

/// A query, read and checked.
pub(in crate::sandbox) struct Query {
    select: Vec<usize>,
    conditions: Vec<Condition>,
    expression: Option<Expression>,
    /// Fields, and whether they descend.
    order: Vec<(usize, bool)>,
    pub(in crate::sandbox) limit: usize,
    pub(in crate::sandbox) offset: usize,
}

/// Writes the list of records as JSON text; gives their number.
pub(in crate::sandbox) fn answer(
    gainsight: &Gainsight,
    object: usize,
    body: &[u8],
    shape: Shape,
    out: &mut String,
) -> Result<usize, Refusal> {
    let description = &gainsight.schema.objects[object];
    let mut members = batch::object(body)?;
    let limit = whole(members.remove("limit"), READ_LIMIT)?.min(READ_LIMIT);
    let offset = whole(members.remove("offset"), 0)?;
    let query = Query::read(description, members, limit, offset)?;
    let mut store = gainsight.store();
    if delete_log::is_log(description) {
        delete_log::forget(&gainsight.schema, &mut store, gainsight.clock.now_ms());
    }
    let views = gainsight.stale.open(real_ms());
    let records = views.iter().find(|view| view.object == object).map(|view| &view.records);
    let found = query.run(records.unwrap_or(&store.shelves[object].records), description);
    query.render(description, &found, shape, out);
    Ok(found.len())
}

pub(in crate::sandbox) fn whole(value: Option<Value>, default: usize) -> Result<usize, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value.as_u64().map(|number| number as usize).ok_or_else(Refusal::invalid),
    }
}

impl Query {
    pub(in crate::sandbox) fn read(
        object: &Object,
        mut members: Map<String, Value>,
        limit: usize,
        offset: usize,
    ) -> Result<Self, Refusal> {
        let select = select(object, members.remove("select"))?;
        let (conditions, expression) = wanted(object, members.remove("where"))?;
        let order = order(object, members.remove("orderBy"))?;
        match members.keys().next() {
            Some(name) => Err(Refusal::missing(&format!("{name} in the body of a query"))),
            None => Ok(Query { select, conditions, expression, order, limit, offset }),
        }
    }

    /// Whether every record behind [`Query::start`] is wanted: it says all that the query asks.
    fn is_start_alone(&self) -> bool {
        match self.expression {
            None => true,
            Some(Expression::Leaf(index)) => self.conditions[index].after_gsid().is_some(),
            Some(_) => false,
        }
    }

    fn wants(&self, object: &Object, record: &Record) -> bool {
        self.expression.as_ref().is_none_or(|tree| self.holds(tree, object, record))
    }

    fn holds(&self, tree: &Expression, object: &Object, record: &Record) -> bool {
        match tree {
            Expression::All(list) => list.iter().all(|part| self.holds(part, object, record)),
            Expression::Any(list) => list.iter().any(|part| self.holds(part, object, record)),
            Expression::Leaf(index) => self.conditions[*index].holds(object, record),
        }
    }

    /// Where to begin in GSID order: after a GSID that every match must lie after.
    fn start(&self) -> Bound<String> {
        let leaves: Vec<&Expression> = match &self.expression {
            Some(Expression::All(list)) => list.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        };
        let after = leaves.into_iter().filter_map(|leaf| match leaf {
            Expression::Leaf(index) => self.conditions[*index].after_gsid(),
            _ => None,
        });
        after.max().map_or(Bound::Unbounded, Bound::Excluded)
    }

    pub(in crate::sandbox) fn run<'a>(&self, records: &'a Records, description: &Object) -> Vec<&'a Record> {
        let records = records.range::<String, _>((self.start(), Bound::Unbounded));
        let is_wanted = self.is_start_alone();
        let wanted = records.map(|(_, record)| record);
        let wanted = wanted.filter(|record| is_wanted || self.wants(description, record));
        if self.order.first().is_none_or(|first| *first == (0, false)) {
            return wanted.skip(self.offset).take(self.limit).collect();
        }
        let mut all: Vec<&Record> = wanted.collect();
        all.sort_by(|a, b| self.compare(a, b));
        all.into_iter().skip(self.offset).take(self.limit).collect()
    }

    /// The sort is stable, so equal records stay in GSID order.
    fn compare(&self, a: &Record, b: &Record) -> Ordering {
        let orders = self.order.iter().map(|(field, descending)| {
            let order = match (a.get(*field), b.get(*field)) {
                (Some(a), Some(b)) => compare(a, b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            };
            if *descending { order.reverse() } else { order }
        });
        orders.into_iter().find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
    }

    fn render(&self, object: &Object, records: &[&Record], shape: Shape, out: &mut String) {
        out.reserve(records.len() * (self.select.len() * FIELD_BYTES + 2) + 2);
        out.push('[');
        for (place, record) in records.iter().enumerate() {
            out.push_str(if place == 0 { "{" } else { ",{" });
            for (place, field) in self.select.iter().enumerate() {
                out.push_str(if place == 0 { "\"" } else { ",\"" });
                out.push_str(&object.fields[*field].name);
                out.push_str("\":");
                match record.get(*field) {
                    Some(cell) => shape.write(out, object.fields[*field].kind, cell),
                    None => out.push_str("null"),
                }
            }
            out.push('}');
        }
        out.push(']');
    }
}

fn field(object: &Object, name: &str) -> Result<usize, Refusal> {
    if name.contains("__gr.") {
        return Err(Refusal::missing(&format!("lookup path {name}")));
    }
    object.field(name).ok_or_else(Refusal::invalid)
}

fn select(object: &Object, sent: Option<Value>) -> Result<Vec<usize>, Refusal> {
    let Some(Value::Array(names)) = sent else { return Err(Refusal::invalid()) };
    let fields: Result<Vec<usize>, Refusal> =
        names.iter().map(|name| field(object, name.as_str().ok_or_else(Refusal::invalid)?)).collect();
    fields.and_then(|fields| if fields.is_empty() { Err(Refusal::invalid()) } else { Ok(fields) })
}

fn wanted(object: &Object, sent: Option<Value>) -> Result<(Vec<Condition>, Option<Expression>), Refusal> {
    let members = match sent {
        None | Some(Value::Null) => return Ok((Vec::new(), None)),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(Refusal::invalid()),
    };
    let Some(Value::Array(list)) = members.get("conditions") else { return Err(Refusal::invalid()) };
    let read: Vec<(String, Condition)> =
        list.iter().map(|sent| condition::read(object, sent)).collect::<Result<_, _>>()?;
    let (aliases, conditions): (Vec<String>, Vec<Condition>) = read.into_iter().unzip();
    let tree = match members.get("expression") {
        Some(Value::String(text)) if !text.trim().is_empty() => expression::read(text, &aliases)?,
        _ if conditions.len() == 1 => Expression::Leaf(0),
        _ => return Err(Refusal::invalid()),
    };
    Ok((conditions, Some(tree)))
}

fn order(object: &Object, sent: Option<Value>) -> Result<Vec<(usize, bool)>, Refusal> {
    let members = match sent {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(Refusal::invalid()),
    };
    let mut order = Vec::with_capacity(members.len());
    for (name, way) in &members {
        let index = field(object, name)?;
        if matches!(object.fields[index].kind, Kind::RichText | Kind::MultiPicklist) {
            return Err(Refusal::invalid());
        }
        match way.as_str() {
            Some("asc") => order.push((index, false)),
            Some("desc") => order.push((index, true)),
            _ => return Err(Refusal::invalid()),
        }
    }
    Ok(order)
}
