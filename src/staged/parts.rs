//! The parts of a file of Arrow, of which only the columns are read that are wanted, each into memory of its own.
//!
//! The library's reader reads a part whole, and each of its columns keeps all of it: of a table of which a key is looked at that is ten times as
//! much. What the library's writer makes is read here, of the kinds that columns of ours have, and anything else is refused. In: a
//! file, and the places of columns. Out: a batch for each part.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow::array::{ArrayData, ArrayRef, RecordBatchOptions, make_array};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::read_footer_length;
use arrow::ipc::{Block, FieldNode, RecordBatch as Header, root_as_footer, root_as_message};
use arrow::record_batch::RecordBatch;

/// What a file ends with: the length of the footer, and six letters.
const END_BYTES: i64 = 10;
/// What stands before a header: four letters that are no length, and its length.
const BEFORE_HEADER: usize = 8;

/// The parts of a file.
pub(super) struct Parts<R> {
    content: R,
    /// Bytes of the file: nothing in it is longer.
    length: u64,
    blocks: std::vec::IntoIter<Block>,
    /// All columns of the file, and the places of those that are wanted, which rise.
    whole: SchemaRef,
    wanted: Vec<usize>,
    /// The columns that are wanted.
    pub(super) schema: SchemaRef,
}

impl<R: Read + Seek> Parts<R> {
    /// Opens a file. `wanted` says which of its columns are, in the places that it gets, if not all.
    pub(super) fn open(
        mut content: R,
        wanted: impl FnOnce(&SchemaRef) -> Option<Vec<usize>>,
    ) -> Result<Self, ArrowError> {
        let mut end = [0; END_BYTES as usize];
        let whole_length = content.seek(SeekFrom::End(0))?;
        content.seek(SeekFrom::End(-END_BYTES))?;
        content.read_exact(&mut end)?;
        let length = read_footer_length(end)?;
        let before = i64::try_from(length).ok().and_then(|length| length.checked_add(END_BYTES)).ok_or_else(torn)?;
        content.seek(SeekFrom::End(-before))?;
        let footer = bytes(&mut content, length, whole_length)?;
        let footer = root_as_footer(&footer).map_err(|_| torn())?;
        let blocks: Vec<Block> = footer.recordBatches().ok_or_else(torn)?.iter().copied().collect();
        let whole: SchemaRef = Arc::new(fb_to_schema(footer.schema().ok_or_else(torn)?));
        let wanted = wanted(&whole).unwrap_or_else(|| (0..whole.fields().len()).collect());
        let schema = Arc::new(whole.project(&wanted)?);
        Ok(Self { content, length: whole_length, blocks: blocks.into_iter(), whole, wanted, schema })
    }

    fn part(&mut self, block: &Block) -> Result<RecordBatch, ArrowError> {
        let from = |number: i64| u64::try_from(number).map_err(|_| torn());
        let header_bytes = usize::try_from(block.metaDataLength()).map_err(|_| torn())?;
        self.content.seek(SeekFrom::Start(from(block.offset())?))?;
        let header = bytes(&mut self.content, header_bytes, self.length)?;
        let header = root_as_message(header.get(BEFORE_HEADER..).ok_or_else(torn)?).map_err(|_| torn())?;
        let header = header.header_as_record_batch().filter(|one| one.compression().is_none()).ok_or_else(torn)?;
        let body = from(block.offset())?.checked_add(header_bytes as u64).ok_or_else(torn)?;
        let rows = usize::try_from(header.length()).map_err(|_| torn())?;
        // Every column has as many rows, those too that nobody wants.
        if header.nodes().is_none_or(|nodes| nodes.iter().any(|node| usize::try_from(node.length()) != Ok(rows))) {
            return Err(torn());
        }
        let mut columns = Vec::with_capacity(self.wanted.len());
        // Where the buffers of a column begin among those of the part.
        let (mut first, mut at) = (0, 0);
        for wanted in &self.wanted {
            while at < *wanted {
                first += buffers(self.whole.field(at).data_type())?;
                at += 1;
            }
            let kind = self.whole.field(at).data_type();
            columns.push(column(&mut self.content, (body, self.length), header, (at, first), kind)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
    }
}

impl<R: Read + Seek> Iterator for Parts<R> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = self.blocks.next()?;
        let part = self.part(&block);
        if part.is_err() {
            self.blocks = Vec::new().into_iter();
        }
        Some(part)
    }
}

/// One column of a part, whose body begins at `body` in a file of so many bytes. The column has a place among columns, and one among buffers.
fn column(
    content: &mut (impl Read + Seek),
    (body, length): (u64, u64),
    header: Header<'_>,
    (place, first): (usize, usize),
    kind: &DataType,
) -> Result<ArrayRef, ArrowError> {
    let nodes = header.nodes().filter(|nodes| place < nodes.len()).ok_or_else(torn)?;
    let node: &FieldNode = nodes.get(place);
    let count = |number: i64| usize::try_from(number).map_err(|_| torn());
    let (rows, nulls) = (count(node.length())?, count(node.null_count())?);
    let mut read = |at: usize| -> Result<Buffer, ArrowError> {
        let all = header.buffers().filter(|all| at < all.len()).ok_or_else(torn)?;
        let (offset, wanted) = (count(all.get(at).offset())?, count(all.get(at).length())?);
        content.seek(SeekFrom::Start(body.checked_add(offset as u64).ok_or_else(torn)?))?;
        Ok(Buffer::from_vec(bytes(content, wanted, length)?))
    };
    let mut data = ArrayData::builder(kind.clone()).len(rows);
    // Which values are null is written down only if any is. What the builder is given it counts itself.
    let is_there = read(first)?;
    if is_there.len() * 8 >= rows && !is_there.is_empty() {
        data = data.null_bit_buffer(Some(is_there));
    } else if nulls > 0 || !is_there.is_empty() {
        return Err(torn());
    }
    let has_places = matches!(kind, DataType::Utf8 | DataType::Binary);
    for at in first + 1..first + buffers(kind)? {
        let values = read(at)?;
        if has_places && at == first + 1 && values.len() % size_of::<i32>() != 0 {
            return Err(torn());
        }
        data = data.add_buffer(values);
    }
    // It looks through all that it is given: nothing that a disk did to a file is taken for a text or a place in one.
    Ok(make_array(data.align_buffers(true).build()?))
}

/// Buffers of a column of a kind, that of its nulls among them.
fn buffers(kind: &DataType) -> Result<usize, ArrowError> {
    match kind {
        DataType::Utf8 | DataType::Binary => Ok(3),
        DataType::FixedSizeBinary(_) | DataType::Boolean => Ok(2),
        _ if kind.is_primitive() => Ok(2),
        _ => Err(ArrowError::NotYetImplemented(format!("a column of {kind} is not one of ours"))),
    }
}

/// Bytes that come next, of a file that has no more than so many.
fn bytes(content: &mut impl Read, length: usize, at_most: u64) -> Result<Vec<u8>, ArrowError> {
    if length as u64 > at_most {
        return Err(torn());
    }
    let mut bytes = vec![0; length];
    content.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn torn() -> ArrowError {
    ArrowError::IpcError("it is no file of Arrow, or not a whole one".to_owned())
}
