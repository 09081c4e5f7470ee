//! What the public documents leave open about Gainsight, decided in one place.

/// Error codes by which a query says "no rows" (three shapes are in use; the first two are an empty list and these).
pub const NO_ROWS_CODES: [&str; 2] = ["GSOBJ_1011", "GSOBJ_1XXX"];

/// Words by which a query says "no rows".
pub const NO_ROWS_WORDS: &str = "No data found";

/// Values that one list of a query has: how many it may have is not told.
pub const LISTED_AT_MOST: usize = 500;

/// Codes that say that the service failed, not the record, whatever the HTTP status beside them.
pub const SERVICE_FAILED_CODES: [&str; 2] = ["GU_1101", "GSOBJ_1003"];

/// Written forms of a moment without an offset; it is taken to be in UTC.
pub const UTC_MOMENTS: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];

/// How long a record that was created may be missing from what a query gives, in milliseconds of the services' clock. What a
/// run compares with is read after that, as a record that is not seen would be created once more.
pub const CREATED_SHOWS_WITHIN_MS: i64 = 10_000;

/// How far before the last reading changes of an object are asked for, in milliseconds of the services' clock: what is written while
/// it is read may carry an earlier moment.
pub const CHANGED_OVERLAP_MS: i64 = 900_000;

/// The field of every record that says when it was last changed.
pub const MODIFIED: &str = "ModifiedDate";

/// The log of deleted records, with its fields for the record and for the moment. It is kept for 15 days.
pub const DELETE_LOG: [&str; 3] = ["record_delete_log", "RecordId", "DeletedOn"];

/// What is added to a wait for a window, in milliseconds of the services' clock: clocks are never quite equal.
pub const WINDOW_SLACK_MS: i64 = 250;

/// Whether new users get a mail from Gainsight. They do not: a sync is no invitation.
pub const NOTIFY_USERS: bool = false;

/// Where an application gets a token; the documents show only the answer.
pub const TOKEN_PATH: &str = "/v1/users/m2m/oauth/token";

/// A token is renewed when so much of its life is over, in per cent.
pub const TOKEN_LIFE_PERCENT: u64 = 80;

/// Bytes of a file for a bulk import: a legacy page says 80 MB, and scripts in public code split at 79,000,000.
pub const IMPORT_BYTES_AT_MOST: usize = 79_000_000;

/// Rows of such a file. Gainsight names no number; ours bounds what has to be looked at again where counts do not add up.
pub const IMPORT_ROWS_AT_MOST: usize = 100_000;

/// How long an import of such a file takes, in minutes: nothing is documented.
pub const IMPORT_MINUTES: u64 = 10;

/// How long an import may take before nobody waits for it any more, in milliseconds of the services' clock.
pub const IMPORT_STUCK_MS: i64 = 6 * 3_600_000;

/// The pause between two looks at an import, in milliseconds of the services' clock: the first one, and the longest.
pub const IMPORT_LOOK_MS: [i64; 2] = [5_000, 60_000];

/// How long a connector may take until it has taken files in that lie in a bucket, in milliseconds: it looks there once a day at the least
/// where it has a schedule. A run can be gone on with for a day, so a record that is not there by then goes into its error file.
pub const FILES_TAKEN_WITHIN_MS: i64 = 23 * 3_600_000;

/// What an import that has ended says of itself.
pub const IMPORT_COMPLETED: &str = "COMPLETED";
