//! The bytes of one file, in order, a bounded piece at a time; unpacked, where the file is packed.
//!
//! Each piece is asked for by the file's tag, so that a file that changes in the middle is told of and never read half old and half new.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};

use super::assumptions::CHUNK_BYTES;
use super::error::Error;

/// Packed bytes that are unpacked at a time.
const PACKED_BYTES: usize = 1 << 14;
/// Unpacked bytes that are handed over at once, about.
const UNPACKED_BYTES: usize = 8 << 20;

/// A file being read.
pub(super) struct Chunks {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    at: u64,
    unpacking: Option<MultiGzDecoder<Vec<u8>>>,
    /// Packed bytes that are read and not unpacked yet.
    packed: Bytes,
}

impl Chunks {
    pub(super) fn open(store: Arc<dyn ObjectStore>, meta: ObjectMeta) -> Self {
        let is_packed = meta.location.as_ref().ends_with(".gz");
        Self { store, meta, at: 0, unpacking: is_packed.then(|| MultiGzDecoder::new(Vec::new())), packed: Bytes::new() }
    }

    pub(super) fn name(&self) -> &str {
        self.meta.location.as_ref()
    }

    /// The next bytes, and whether they are the last; none behind those.
    pub(super) async fn next(&mut self) -> Result<Option<(Bytes, bool)>, Error> {
        if !self.packed.is_empty() {
            return self.unpacked().map(Some);
        }
        if self.at >= self.meta.size {
            // An empty file has one piece, the last.
            let is_first = self.at == 0;
            self.at = u64::MAX;
            return Ok((is_first && self.meta.size == 0).then(|| (Bytes::new(), true)));
        }
        let end = self.meta.size.min(self.at + CHUNK_BYTES);
        let range = Some(GetRange::Bounded(self.at..end));
        let options = GetOptions { range, if_match: self.meta.e_tag.clone(), ..GetOptions::default() };
        let wrong = |error: object_store::Error| Error::of(self.meta.location.as_ref(), &error);
        let answer = self.store.get_opts(&self.meta.location, options).await.map_err(wrong)?;
        let bytes = answer.bytes().await.map_err(wrong)?;
        if bytes.len() as u64 != end - self.at {
            return Err(Error::Changed(self.name().to_owned()));
        }
        self.at = end;
        if self.unpacking.is_some() {
            self.packed = bytes;
            return self.unpacked().map(Some);
        }
        Ok(Some((bytes, end == self.meta.size)))
    }

    /// Unpacks some of what is read: a few bytes may become many.
    fn unpacked(&mut self) -> Result<(Bytes, bool), Error> {
        let (mut done, mut is_last) = (Ok(()), false);
        if let Some(unpacking) = &mut self.unpacking {
            while done.is_ok() && !self.packed.is_empty() && unpacking.get_ref().len() < UNPACKED_BYTES {
                let some = self.packed.split_to(self.packed.len().min(PACKED_BYTES));
                done = unpacking.write_all(&some);
            }
            is_last = self.at == self.meta.size && self.packed.is_empty();
            if is_last && done.is_ok() {
                done = unpacking.try_finish();
            }
        }
        done.map_err(|e| Error::Malformed {
            file: self.meta.location.to_string(),
            place: "packed with gzip".to_owned(),
            detail: e.to_string(),
        })?;
        let bytes = self.unpacking.as_mut().map(|unpacking| std::mem::take(unpacking.get_mut())).unwrap_or_default();
        Ok((Bytes::from(bytes), is_last))
    }
}
