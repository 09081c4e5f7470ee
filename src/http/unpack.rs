//! The body of an answer as it comes in: unpacked, counted, and stopped where no honest answer would have gone.
//!
//! It unpacks gzip, as nothing else is asked for. In: the chunks of the wire. Out: the whole body, or why there is none.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

/// The largest body, in bytes, after it was unpacked.
pub const BODY_BYTES_AT_MOST: usize = 64 << 20;
/// How many bytes one packed byte may become. Pages of rows stay below 40.
pub const RATIO_AT_MOST: usize = 100;
/// Below this size a body may be packed as tightly as it likes: it does no harm.
pub const RATIO_COUNTS_FROM_BYTES: usize = 1 << 20;

/// Why a body was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// It has more than [`BODY_BYTES_AT_MOST`].
    #[error("of more than {BODY_BYTES_AT_MOST} bytes")]
    Size,
    /// It was packed more tightly than [`RATIO_AT_MOST`].
    #[error("that unpacks to more than {RATIO_AT_MOST} times its size")]
    Ratio,
    /// It is no gzip, or breaks off.
    #[error("its gzip is damaged")]
    Damaged,
    /// It is packed in a way that was not asked for.
    #[error("packed in a way that was not asked for (only gzip is)")]
    Encoding,
}

/// A body that is being read.
pub struct Unpacking(Form);

enum Form {
    Plain(Counted),
    Gzip(Box<MultiGzDecoder<Counted>>),
}

/// Room that is made for a body on its word alone, in bytes: more than that grows with what comes.
const EXPECTED_BYTES_AT_MOST: usize = 8 << 20;

/// What is unpacked so far, and of how many packed bytes; none for a body that is not packed.
#[derive(Default)]
struct Counted {
    bytes: Vec<u8>,
    packed: Option<usize>,
}

impl Write for Counted {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let size = self.bytes.len() + part.len();
        if size > BODY_BYTES_AT_MOST {
            return Err(io::Error::other(Excess::Size));
        }
        if self.packed.is_some_and(|packed| size > RATIO_COUNTS_FROM_BYTES && size / RATIO_AT_MOST > packed) {
            return Err(io::Error::other(Excess::Ratio));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Unpacking {
    /// A body whose `Content-Encoding` is this.
    ///
    /// # Errors
    /// If it is one that was not asked for.
    pub fn of(encoding: Option<&str>) -> Result<Self, Excess> {
        match encoding.map(|e| e.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Ok(Self(Form::Plain(Counted::default()))),
            Some("gzip" | "x-gzip") => {
                let counted = Counted { bytes: Vec::new(), packed: Some(0) };
                Ok(Self(Form::Gzip(Box::new(MultiGzDecoder::new(counted)))))
            }
            Some(_) => Err(Excess::Encoding),
        }
    }

    /// The same of a body that says how long it is: room for it is made at once.
    #[must_use]
    pub fn expecting(mut self, length: Option<u64>) -> Self {
        if let (Form::Plain(counted), Some(length)) = (&mut self.0, length) {
            counted.bytes.reserve_exact(usize::try_from(length).unwrap_or(0).min(EXPECTED_BYTES_AT_MOST));
        }
        self
    }

    /// Takes a chunk in.
    ///
    /// # Errors
    /// If the body is larger than any honest one, or cannot be unpacked.
    pub fn take(&mut self, chunk: &[u8]) -> Result<(), Excess> {
        let done = match &mut self.0 {
            Form::Plain(counted) => counted.write_all(chunk),
            Form::Gzip(decoder) => {
                if let Some(packed) = &mut decoder.get_mut().packed {
                    *packed += chunk.len();
                }
                decoder.write_all(chunk)
            }
        };
        done.map_err(|error| excess(&error))
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`Unpacking::take`], and if the body breaks off.
    pub fn finish(self) -> Result<Vec<u8>, Excess> {
        match self.0 {
            Form::Plain(counted) => Ok(counted.bytes),
            // A body of no bytes at all is empty, whatever its header says.
            Form::Gzip(decoder) if decoder.get_ref().packed == Some(0) => Ok(Vec::new()),
            Form::Gzip(decoder) => decoder.finish().map(|counted| counted.bytes).map_err(|error| excess(&error)),
        }
    }
}

/// Ours comes back as it went in; whatever else the decoder says is damage.
fn excess(error: &io::Error) -> Excess {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Excess>()).cloned().unwrap_or(Excess::Damaged)
}
