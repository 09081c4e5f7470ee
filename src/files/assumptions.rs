//! What nobody documents about files and exports, decided in one place.

/// Bytes that are asked for at a time. Each request has its own time-out, so a file of any size is read in bounded steps.
pub const CHUNK_BYTES: u64 = 4 << 20;

/// The longest record, in bytes: a quote that is missing would else take in the rest of its file.
pub const RECORD_BYTES_AT_MOST: usize = 16 << 20;

/// Seconds that one request to an object store may take.
pub const REQUEST_SECONDS: u64 = 60;

/// Files of one table at the most.
pub const FILES_AT_MOST: usize = 100_000;

/// Rows and bytes of a file that its columns are told by, where nothing declares them.
pub const SEEN_ROWS: usize = 1_000;

/// How long after its interval an export's folder may be finished, in seconds. One that is older and has no `model.json` is never
/// finished: its rows come again in a later folder. Seen in public code; Microsoft names no time.
/// <https://learn.microsoft.com/power-apps/maker/data-platform/azure-synapse-incremental-updates>
pub const FOLDER_GRACE_SECONDS: i64 = 3_600;

/// How far an export may be behind what its files say they are of, in seconds: what is read from Dynamics afterwards begins so
/// much earlier. Microsoft speaks of minutes.
pub const EXPORT_BEHIND_SECONDS: i64 = 3_600;

/// The form of an export that is read; a tool of Microsoft's refuses others too.
pub const MODEL_VERSION: &str = "1.0";

/// What stands between the numbers of several choices in an export.
pub const CHOICE_SEPARATORS: [u8; 2] = *b";,";
