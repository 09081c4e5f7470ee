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

/// A file being read.
pub(super) struct Chunks {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    at: u64,
    unpacking: Option<MultiGzDecoder<Vec<u8>>>,
}

impl Chunks {
    pub(super) fn open(store: Arc<dyn ObjectStore>, meta: ObjectMeta) -> Self {
        let is_packed = meta.location.as_ref().ends_with(".gz");
        Self { store, meta, at: 0, unpacking: is_packed.then(|| MultiGzDecoder::new(Vec::new())) }
    }

    pub(super) fn name(&self) -> &str {
        self.meta.location.as_ref()
    }

    /// The next bytes, and whether they are the last; none behind those.
    pub(super) async fn next(&mut self) -> Result<Option<(Bytes, bool)>, Error> {
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
        let is_last = end == self.meta.size;
        let bytes = self.unpacked(bytes, is_last)?;
        Ok(Some((bytes, is_last)))
    }

    fn unpacked(&mut self, bytes: Bytes, is_last: bool) -> Result<Bytes, Error> {
        let Some(unpacking) = &mut self.unpacking else { return Ok(bytes) };
        let done = unpacking.write_all(&bytes).and_then(|()| if is_last { unpacking.try_finish() } else { Ok(()) });
        done.map_err(|e| Error::Malformed {
            file: self.meta.location.to_string(),
            place: "packed with gzip".to_owned(),
            detail: e.to_string(),
        })?;
        Ok(Bytes::from(std::mem::take(unpacking.get_mut())))
    }
}
