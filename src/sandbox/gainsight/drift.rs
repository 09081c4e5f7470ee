//! A schema with one change made to it, as metadata shows it afterwards.
//!
//! In: a schema, the name of an object or of one of its fields (`company`, `company.Name`), a change. Out: the other schema.

use super::super::drift::Drift;
use super::schema::{Field, Item, Kind, Schema, kind};

/// The changed schema; nothing if there is no such object, field or item, or the change is none that fields know.
pub(in crate::sandbox) fn drifted(schema: &Schema, place: &str, drift: &Drift<'_>) -> Option<Schema> {
    let mut schema = schema.clone();
    let (object, field) = place.split_once('.').map_or((place, None), |(object, field)| (object, Some(field)));
    let at = schema.object(object)?;
    let Some(name) = field else {
        matches!(drift, Drift::Gone).then(|| drop(schema.objects.remove(at)))?;
        return Some(schema);
    };
    let fields = &mut schema.objects[at].fields;
    if matches!(drift, Drift::New) {
        let text = fields.iter().find(|known| known.kind == Kind::Text && !known.required && !known.is_name)?;
        fields.push(Field { name: name.to_owned(), label: name.to_owned(), ..text.clone() });
        return Some(schema);
    }
    let index = schema.objects[at].field(name)?;
    let fields = &mut schema.objects[at].fields;
    if matches!(drift, Drift::Gone) {
        fields.remove(index);
        return Some(schema);
    }
    change(&mut fields[index], drift)?;
    Some(schema)
}

fn change(field: &mut Field, drift: &Drift<'_>) -> Option<()> {
    let place = |label: &str| field.items.iter().position(|item| item.label == label);
    match *drift {
        Drift::Length(most) => field.length = Some(most),
        Drift::Type(name) => {
            field.kind = kind(name)?;
            name.clone_into(&mut field.data_type);
        }
        Drift::Decimals(places) => field.decimals = places,
        Drift::Required => field.required = true,
        Drift::ReadOnly => field.read_only = true,
        Drift::Renamed(from, to) => {
            let index = place(from)?;
            to.clone_into(&mut field.items[index].label);
        }
        Drift::WithoutOption(label) => drop(field.items.remove(place(label)?)),
        Drift::NewOption(label) => {
            let gsid = format!("{}-{label}", field.items.last()?.gsid);
            field.items.push(Item { gsid, label: label.to_owned(), active: true });
        }
        Drift::Targets(object) => field.target = Some(object.to_owned()),
        Drift::Gone | Drift::New => return None,
    }
    Some(())
}
