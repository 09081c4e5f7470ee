//! A table being read, file by file, in one order.
//!
//! The next bytes are asked for while those before them are decoded. In: a table and a shape. Out: batches, and a mark by which a later
//! reading tells what has come since.

use std::collections::VecDeque;
use std::fmt::Write as _;

use arrow::record_batch::RecordBatch;
use object_store::ObjectMeta;
use xxhash_rust::xxh3::xxh3_128;

use super::chunks::Chunks;
use super::client::Files;
use super::csv::{Csv, Fields};
use super::error::Error;
use super::json::Json;
use super::parquet::Parquet;
use super::shape::Shape;
use crate::model::files::{CsvForm, FileFormat, FilesLayout};

/// Where a reading ended: what has come since is told by it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Mark {
    /// These files, as they were and were read, by a digest of their names, sizes and tags.
    Files(String),
    /// The folders of an export, this one included.
    Folder(String),
}

/// What there is to read of a table.
pub struct Reading {
    files: Files,
    shape: Shape,
    pieces: VecDeque<Piece>,
    current: Option<Current>,
    /// Batches that are decoded and not handed over.
    ready: VecDeque<RecordBatch>,
    /// Where it ends; none if there is nothing yet.
    pub mark: Option<Mark>,
    /// Bytes of all files.
    pub bytes: u64,
    /// The oldest folder of an export that is read whole.
    pub oldest: Option<String>,
    /// The moment up to which it holds everything, in milliseconds since 1970, where that can be told.
    pub complete_to_ms: Option<i64>,
    /// What is worth telling of it.
    pub notices: Vec<String>,
}

/// One file, and how its fields stand for columns.
pub(super) struct Piece {
    pub(super) meta: ObjectMeta,
    pub(super) fields: Fields,
}

enum Current {
    Parquet(Box<Parquet>),
    Text(Box<(Chunks, Text)>),
}

enum Text {
    Csv(Box<Csv>),
    Json(Box<Json>),
}

impl Files {
    /// What there is to read of a table; behind a mark only what has come since.
    ///
    /// # Errors
    /// If there is no such table, or it cannot be listed.
    pub async fn read(&self, table: &str, shape: Shape, since: Option<&Mark>) -> Result<Reading, Error> {
        if self.is_export() {
            return self.read_export(table, shape, since).await;
        }
        let declared = self.declared(table);
        let fields = match (&self.layout.format, declared) {
            (FileFormat::Csv(form), Some(known)) if !form.has_header => {
                Fields::Named(known.columns.iter().map(|column| column.name.clone()).collect())
            }
            _ => Fields::Header,
        };
        let files = self.files_of(table).await?;
        let pieces = files.into_iter().map(|meta| Piece { meta, fields: fields.clone() });
        Ok(self.reading(shape, pieces.collect()))
    }

    pub(super) fn reading(&self, shape: Shape, pieces: VecDeque<Piece>) -> Reading {
        let mark = Some(Mark::Files(digest(&self.layout, pieces.iter().map(|piece| &piece.meta))));
        Reading {
            files: self.clone(),
            shape,
            bytes: pieces.iter().map(|piece| piece.meta.size).sum(),
            pieces,
            current: None,
            ready: VecDeque::new(),
            mark,
            oldest: None,
            complete_to_ms: None,
            notices: Vec::new(),
        }
    }
}

impl Reading {
    /// The next batch; none behind the last.
    ///
    /// # Errors
    /// If a file cannot be read, or is not what it should be.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            match self.current.take() {
                None => {
                    let Some(piece) = self.pieces.pop_front() else { return Ok(None) };
                    self.current = Some(self.open(piece).await?);
                }
                Some(Current::Parquet(mut parquet)) => {
                    if let Some(batch) = parquet.next().await? {
                        self.current = Some(Current::Parquet(parquet));
                        return Ok(Some(batch));
                    }
                }
                Some(Current::Text(both)) => {
                    let (mut chunks, mut text) = *both;
                    let Some((bytes, is_last)) = chunks.next().await? else { continue };
                    // To decode takes a processor, which others want meanwhile.
                    let decoding =
                        tokio::task::spawn_blocking(move || text.feed(&bytes, is_last).map(|ready| (text, ready)));
                    let decoded = decoding
                        .await
                        .map_err(|e| Error::Store { file: chunks.name().to_owned(), detail: e.to_string() })?;
                    let (text, ready) = decoded?;
                    self.ready.extend(ready);
                    if !is_last {
                        self.current = Some(Current::Text(Box::new((chunks, text))));
                    }
                }
            }
        }
    }

    async fn open(&self, piece: Piece) -> Result<Current, Error> {
        let (store, shape) = (&self.files.store, self.shape.clone());
        let file = piece.meta.location.to_string();
        let chunks = || Chunks::open(store.clone(), piece.meta.clone());
        Ok(match &self.files.layout.format {
            FileFormat::Parquet => Current::Parquet(Box::new(Parquet::new(store, &piece.meta, shape).await?)),
            FileFormat::Json => Current::Text(Box::new((chunks(), Text::Json(Box::new(Json::new(&file, shape)))))),
            FileFormat::Csv(form) => {
                let csv = Csv::new(&file, form, piece.fields.clone(), shape)?;
                Current::Text(Box::new((chunks(), Text::Csv(Box::new(csv)))))
            }
            FileFormat::SynapseLink => {
                let csv = Csv::new(&file, &CsvForm::default(), piece.fields.clone(), shape)?;
                Current::Text(Box::new((chunks(), Text::Csv(Box::new(csv)))))
            }
        })
    }
}

impl Text {
    fn feed(&mut self, bytes: &[u8], is_last: bool) -> Result<Vec<RecordBatch>, Error> {
        match self {
            Self::Csv(csv) => csv.feed(bytes, is_last),
            Self::Json(json) => json.feed(bytes, is_last),
        }
    }
}

/// A digest of what files are now, and of how they are read: one that changes has another size, tag, or moment.
fn digest<'m>(layout: &FilesLayout, files: impl Iterator<Item = &'m ObjectMeta>) -> String {
    // Read in another way, they are other rows.
    let mut said = format!("{layout:?}\n");
    for meta in files {
        let tag = meta.e_tag.clone().unwrap_or_else(|| meta.last_modified.to_rfc3339());
        // To a text nothing can fail to be written.
        let _ = writeln!(said, "{}\t{}\t{tag}", meta.location, meta.size);
    }
    format!("{:032x}", xxh3_128(said.as_bytes()))
}
