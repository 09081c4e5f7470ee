//! The columns of a table: as they are declared, or as the files themselves say.
//!
//! In: the first bytes of the first file. Out: an object of the catalog. Texts of CSV are texts: what looks like a number may be a code
//! with zeros before it, so a type has to be declared.

use std::collections::BTreeMap;

use object_store::ObjectMeta;

use super::assumptions::SEEN_ROWS;
use super::chunks::Chunks;
use super::client::Files;
use super::csv::{Csv, Fields};
use super::error::Error;
use super::json;
use super::parquet;
use super::shape::{PLACE, Shape};
use crate::model::catalog::{Found, Object};
use crate::model::dataset::UNREAD;
use crate::model::field::{Field, FieldKind};
use crate::model::files::FileFormat;

impl Files {
    /// A table and its columns.
    ///
    /// # Errors
    /// If there is none, or nothing tells its columns.
    pub async fn describe(&self, table: &str) -> Result<Object, Error> {
        if self.is_export() {
            return self.exported(table).await;
        }
        let declared = self.declared(table);
        let name = declared.map_or(table, |known| &known.name).to_owned();
        let files = self.files_of(&name).await?;
        let mut fields = match declared {
            Some(known) if !known.columns.is_empty() => known.columns.clone(),
            _ => self.seen(&name, &files[0]).await?,
        };
        let key = declared.and_then(|known| known.key.clone());
        fields.push(Field::bare(PLACE, PLACE, FieldKind::Text));
        let mut object = Object {
            label: name.clone(),
            set_name: name.clone(),
            name,
            primary_id: PLACE.to_owned(),
            tracks: false,
            is_of_files: true,
            fields,
        };
        if let Some(key) = key {
            let Found::One(field) = object.field(&key) else {
                let why = format!("its key \"{key}\" is none of them");
                return Err(Error::NoColumns { table: object.name, why });
            };
            let name = field.name.clone();
            // A key names rows in error files and in the state: it is a text, whatever it looks like.
            let key = object.fields.iter_mut().find(|field| field.name == name && field.kind != FieldKind::Guid);
            key.into_iter().for_each(|field| field.kind = FieldKind::Text);
            object.primary_id = name;
        }
        Ok(object)
    }

    /// The columns as a file has them.
    async fn seen(&self, table: &str, file: &ObjectMeta) -> Result<Vec<Field>, Error> {
        let none = |why: &str| Error::NoColumns { table: table.to_owned(), why: why.to_owned() };
        match &self.layout.format {
            FileFormat::Parquet => parquet::fields(&self.store, file).await,
            FileFormat::Csv(form) if !form.has_header => Err(none("its files have no header")),
            FileFormat::Csv(form) => {
                // Rows are not looked at here, and whatever is wrong with them is told by the run.
                let nothing = Shape::new(&[Field::bare(UNREAD, UNREAD, FieldKind::Text)], PLACE, false);
                let mut csv = Csv::new(file.location.as_ref(), form, Fields::Header, nothing)?;
                let mut chunks = Chunks::open(self.store.clone(), file.clone());
                while let (true, Some((bytes, is_last))) = (csv.named().is_empty(), chunks.next().await?) {
                    csv.feed(&bytes, is_last)?;
                }
                if csv.named().is_empty() {
                    return Err(none("its first file is empty"));
                }
                Ok(csv.named().iter().map(|name| Field::bare(name, name, FieldKind::Text)).collect())
            }
            FileFormat::Json | FileFormat::SynapseLink => {
                let mut chunks = Chunks::open(self.store.clone(), file.clone());
                let first = chunks.next().await?.map(|(bytes, _)| bytes).unwrap_or_default();
                let fields = of_objects(&first);
                if fields.is_empty() { Err(none("its first file has no object")) } else { Ok(fields) }
            }
        }
    }
}

/// The columns of the first objects of a file, in the order of their names.
fn of_objects(bytes: &[u8]) -> Vec<Field> {
    let mut kinds: BTreeMap<String, FieldKind> = BTreeMap::new();
    let (mut at, mut rows) = (0, 0);
    while let (true, Ok(Some((start, end)))) = (rows < SEEN_ROWS, json::object(&bytes[at..])) {
        let Ok(values) = serde_json::from_slice::<json::Object<'_>>(&bytes[at + start..at + end]) else { break };
        for (name, value) in values {
            let kind = match value.get().as_bytes().first() {
                Some(b't' | b'f') => FieldKind::Boolean,
                Some(b'-' | b'0'..=b'9') => FieldKind::Decimal,
                Some(b'n') => {
                    kinds.entry(name).or_insert(FieldKind::Other);
                    continue;
                }
                _ => FieldKind::Text,
            };
            let known = kinds.entry(name).or_insert(kind);
            if *known == FieldKind::Other {
                *known = kind;
            } else if *known != kind {
                *known = FieldKind::Text;
            }
        }
        (at, rows) = (at + end, rows + 1);
    }
    // Of a column without any value nothing is known, and a text takes all.
    let kind = |kind| if kind == FieldKind::Other { FieldKind::Text } else { kind };
    kinds.into_iter().map(|(name, of)| Field::bare(&name, &name, kind(of))).collect()
}
