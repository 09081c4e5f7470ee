//! The oracle's rows as the engine takes them, and the engine's values as the oracle's.

use ferry::model::catalog::Catalog;
use ferry::model::field::{Field, FieldKind};
use ferry::model::literal::Literal;
use ferry::model::test::Given;

use super::job::Job;
use super::value::{V, decimal, plain};
use super::world::{Record, World, cell};

pub fn given(job: &Job, world: &World, catalog: &Catalog) -> Vec<Given> {
    let mut all = vec![rows("dynamics", job.shape.table, &world.source, catalog)];
    for (table, records) in &world.related {
        if *table != job.shape.table {
            all.push(rows("dynamics", table, records, catalog));
        }
    }
    for object in job.shape.searched.iter().filter(|o| o.name != job.shape.object) {
        all.push(rows(object.connection, object.name, &world.searched[object.name], catalog));
    }
    all.push(rows("gainsight", job.shape.object, &world.target, catalog));
    all
}

fn rows(connection: &str, object: &str, records: &[Record], catalog: &Catalog) -> Given {
    let described = catalog.object(connection, object).unwrap_or_else(|| panic!("{object} is described"));
    let mut names: Vec<&String> = records.iter().flat_map(Record::keys).collect();
    names.sort();
    names.dedup();
    let field = |name: &str| -> Field {
        described.by_name(name).cloned().unwrap_or_else(|| {
            assert!(name.ends_with("@type"), "{object} has no {name}");
            let of = described.by_name(name.trim_end_matches("@type")).expect("a lookup column");
            Field { name: name.to_owned(), kind: FieldKind::Text, ..of.clone() }
        })
    };
    Given {
        connection: connection.to_owned(),
        object: described.name.clone(),
        fields: names.iter().map(|name| field(name)).collect(),
        rows: records.iter().map(|r| names.iter().map(|name| literal(&cell(r, name))).collect()).collect(),
    }
}

fn literal(value: &V) -> Literal {
    match value {
        V::Null => Literal::Null,
        V::Text(text) => Literal::Text(text.clone()),
        V::Whole(number) => Literal::Integer(*number),
        V::Exact(exact) => Literal::Decimal(plain(*exact)),
        V::Flag(truth) => Literal::Boolean(*truth),
        V::Day(day) => Literal::Date(i32::try_from(*day).unwrap()),
        V::Moment(at) => Literal::DateTime(*at),
    }
}

pub fn taken(value: &Literal) -> V {
    match value {
        Literal::Null | Literal::Interval(_) => V::Null,
        Literal::Text(text) => V::Text(text.clone()),
        Literal::Integer(number) => V::Whole(*number),
        Literal::Decimal(written) => V::Exact(decimal(written).expect("digits with a point")),
        Literal::Boolean(truth) => V::Flag(*truth),
        Literal::Date(day) => V::Day(i64::from(*day)),
        Literal::DateTime(at) => V::Moment(*at),
    }
}
