//! What a plan may use of the machine: how many threads, and how much memory for what it has to hold.
//!
//! The one place of these numbers. They change how fast a plan is made, and never what is in it.

/// What a plan may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Means {
    /// Threads that work on a plan at the same time.
    pub threads: usize,
    /// Bytes that sorts, groups, and sides of joins may hold together. What is larger goes to the disk, part by part.
    pub memory_bytes: usize,
    /// Rows of the source, or records of the target, that are compared at once beside those that are surely unchanged: more of them are
    /// split by the hash of their key, and compared bucket by bucket.
    pub bucket_rows: usize,
    /// Records of the target whose digests are held, some 80 bytes of each: of a larger target all rows are compared in full.
    pub screened_records: usize,
    /// Bytes that one side of a join may hold, however few of them there are.
    pub side_bytes_at_most: usize,
}

/// Bytes that a plan may hold unless somebody says otherwise.
const MEMORY_BYTES: usize = 192 << 20;
/// Rows of a bucket: their values, old and new, are a few hundred bytes each.
const BUCKET_ROWS: usize = 500_000;
/// Records whose digests are held: 160 MB of them.
const SCREENED_RECORDS: usize = 2_000_000;
/// Parts that a plan has which is carried out elsewhere: as many cores of a cluster can be at work on it.
pub(super) const ELSEWHERE_PARTITIONS: usize = 16;
/// More threads than this wait for each other: rows are written in one order.
const THREADS_AT_MOST: usize = 16;

impl Default for Means {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            threads: threads.min(THREADS_AT_MOST),
            memory_bytes: MEMORY_BYTES,
            bucket_rows: BUCKET_ROWS,
            screened_records: SCREENED_RECORDS,
            side_bytes_at_most: MEMORY_BYTES,
        }
    }
}

impl Means {
    /// The room of one side, in a plan with so many joins. Half of the memory is for sides: together they stay within it by what they reserve,
    /// and parts of those on the disk, which come one after the other in each join, by their number.
    pub(super) fn room(&self, joins: usize) -> Room {
        let part_bytes = self.memory_bytes / 2 / joins.max(1);
        Room { side_bytes: (self.memory_bytes / 2).min(self.side_bytes_at_most), part_bytes }
    }
}

/// What a side of a join may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Bytes that it may hold; a larger one goes to the disk, split into parts.
    pub(super) side_bytes: usize,
    /// Bytes that one of these parts may hold.
    pub(super) part_bytes: usize,
}
