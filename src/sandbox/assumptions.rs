//! Every assumption of the sandbox that the written references mark as "not found".
//!
//! They stand here and nowhere else, so that a look at a real tenant changes one place. In: nothing. Out: constants,
//! and the names that follow a rule.
//!
//! Assumptions that have no value to name, and where they act:
//! - Dataverse: a null column has no annotations (`render`); keys come in the order of the schema (`row`); a cookie names
//!   a lookup by its logical name (`page`); links given out by another run are not ours (`service`); a preference that is
//!   no number is left out (`prefer`); schema names only raise the first letter (`attributes`); formatted values are
//!   those of an English (US) user in UTC, amounts with the sign and decimals of the row's currency (`formatted`); a
//!   multi-select gives its options once and in ascending order, and `eq` compares them as a set (`row`). Columns that
//!   cannot be written are left out of a write without a word, and `ApplicationRequired` is no duty of the API
//!   (`payload`); the row of a lookup must exist (`payload`); a full name is first and last name, a state brings its
//!   first reason, amounts without a currency are in the base currency and the caller owns what has no owner
//!   (`derived`); deleting a row leaves the lookups that lead to it (`write`); a change set needs a `Content-ID` in each
//!   part, and a part that fails answers for its change set (`batch`); metadata is compared with case
//!   (`member_filter`); a key that no table declares is a bad query option (`key`); groups come in
//!   the order of their first rows and are written like the values they come from (`apply`); the snapshot that `RetrieveTotalRecordCount` counts is as fresh as now (`functions`).
//!   Merging moves every lookup that leads to the subordinate but the `masterid` of rows merged earlier, and a row that
//!   is merged already is refused as an argument (`merge`).
//!   A row that is deleted and made again with its key is no deletion any more (`store`); a tracked read that is refused
//!   for its options or its table is a 400, and one with an option that no document names is a 501 (`tracking`); a change of
//!   a table's metadata takes a version of its own (`service`).
//!   The application's own user is found by its key and through lookups, but no list of users shows it (`store`), so that a
//!   world's users are those it was made of; a person's user is the first enabled one by key (`identity`).
//!   Relative conditions are in UTC: days go back to midnight, hours from this very moment; a query function names its
//!   column by either name, and the negated ones keep rows without a value (`operator`).
//!   A fetch without attributes selects all, says whether there are more rows wherever it is asked to, and takes the page
//!   size of `Prefer` where it has no count (`fetch`, `fetch_page`).
//! - Gainsight: objects and e-mails are compared without case (`schema`, `store`); values without an offset are UTC
//!   (`dates`); numbers are rounded to the field's decimals (`values`); `""` is null in texts (`values`); a lookup must
//!   name a record that exists (`validate`); an update is atomic and the last of two changes wins (`objects`); a refused
//!   call does not count and windows are aligned to the clock (`windows`); the answer of a people call is the stored
//!   record with its `companies` (`people`); a user's failure has GU_2401 or GU_2402 and the details of objects
//!   (`users`); several users with one key are GU_2411 (`users`). The address is looked at after the key, and only with a
//!   key (`serve`).

/// Largest body a service accepts before it answers 413.
pub(in crate::sandbox) const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// The same for a file of a bulk import, of which a legacy page says 80 MB.
pub(in crate::sandbox) const LARGEST_IMPORT: usize = 80_000_000;

/// How often an import is asked about before it is at its end: once it waits, then it is under way.
pub(in crate::sandbox) const IMPORT_LOOKS: u32 = 2;

/// The `error` of Entra's envelope for what the sandbox lacks.
pub(in crate::sandbox) const ENTRA_MISSING_FEATURE: &str = "unsupported_by_sandbox";

/// Life of an access token; the documented sample.
pub(in crate::sandbox) const TOKEN_LIFE_SECONDS: i64 = 3599;

/// Life of a code that a person enters or a browser brings; the documented sample.
pub(in crate::sandbox) const CODE_LIFE_SECONDS: i64 = 900;

/// Dataverse: the name of the user that an application is.
pub(in crate::sandbox) const APPLICATION_USER_NAME: &str = "# Ferry sandbox";

/// Dataverse: days that a relative condition may reach back.
pub(in crate::sandbox) const LONGEST_SPAN_DAYS: i64 = 36_500;

/// Dataverse: the code for FetchXML that is not well-formed or not a fetch.
pub(in crate::sandbox) const INVALID_FETCH: &str = "0x80040201";

/// Dataverse: elements, texts and attributes of a fetch.
pub(in crate::sandbox) const FETCH_NODES: u32 = 10_000;

/// Dataverse: rows that pages without a cookie may skip; documented.
pub(in crate::sandbox) const COOKIELESS_LIMIT: usize = 50_000;

/// Seconds between two questions whether a person has entered his code; the documented sample.
pub(in crate::sandbox) const POLL_SECONDS: i64 = 5;

/// Gainsight: life of a token of an application; the documented sample.
pub(in crate::sandbox) const APPLICATION_TOKEN_LIFE_SECONDS: i64 = 86_400;

/// Dataverse: `$top` and page sizes above this behave like it.
pub(in crate::sandbox) const PAGE_LIMIT: usize = 5000;

/// Dataverse: counts stop here.
pub(in crate::sandbox) const COUNT_LIMIT: usize = 5000;

/// Dataverse: the text that refuses a query option, with its name for `{}`.
pub(in crate::sandbox) const UNSUPPORTED_OPTION: &str = "The query parameter {} is not supported";

/// Dataverse: the code for a page link that is not one of ours. The status is taken to be 400. A link that has expired is
/// taken to be refused in the same way: no document says that links expire, or when, and the client can do the same about
/// it, which is to begin the pages again.
pub(in crate::sandbox) const INVALID_COOKIE: &str = "0x8004112a";

/// Dataverse: the code for a body that cannot be read or does not fit; documented for a batch only.
pub(in crate::sandbox) const INVALID_PAYLOAD: &str = "0x80048d19";

/// Dataverse: the code for a number outside the bounds of its column.
pub(in crate::sandbox) const NUMBER_OUT_OF_RANGE: &str = "0x80044330";

/// Dataverse: the code for a number that is no option of its column.
pub(in crate::sandbox) const CHOICE_OUT_OF_RANGE: &str = "0x8004431a";

/// Dataverse: the code for a date before the earliest.
pub(in crate::sandbox) const DATE_TOO_EARLY: &str = "0x80040239";

/// Dataverse: the first year of the calendar; documented.
pub(in crate::sandbox) const EARLIEST_YEAR: i32 = 1753;

/// Dataverse: the code for a status reason of another state.
pub(in crate::sandbox) const WRONG_STATUS: &str = "0x80048408";

/// Dataverse: the code and status for a table name that metadata does not have.
pub(in crate::sandbox) const UNKNOWN_TABLE: (u16, &str) = (400, "0x80041102");

/// Dataverse: what `RetrieveVersion` answers.
pub(in crate::sandbox) const PRODUCT_VERSION: &str = "9.2.24112.206";

/// Dataverse: characters of an address in a batch; documented.
pub(in crate::sandbox) const BATCH_ADDRESS_LIMIT: usize = 65_536;

/// Dataverse: rows that `$apply` looks at; documented.
pub(in crate::sandbox) const AGGREGATE_LIMIT: usize = 50_000;

/// Dataverse: requests of one batch; documented.
pub(in crate::sandbox) const BATCH_LIMIT: usize = 1000;

/// Dataverse: items of an `$expand`, nested ones counted; documented.
pub(in crate::sandbox) const EXPAND_LIMIT: usize = 15;

/// Dataverse: how deep a filter may nest.
pub(in crate::sandbox) const FILTER_DEPTH: usize = 100;

/// Dataverse: the name of a relationship; only `contact_customer_accounts` is documented.
pub(in crate::sandbox) fn relationship_name(table: &str, set: &str, column: &str, target: &str) -> String {
    match (table, column, target) {
        ("account", "primarycontactid", _) => "account_primary_contact".to_owned(),
        ("account", "preferredsystemuserid", _) => "system_user_accounts".to_owned(),
        ("contact", "preferredsystemuserid", _) => "system_user_contacts".to_owned(),
        ("account" | "contact", "masterid", _) => format!("{table}_master_{table}"),
        ("account", "parentaccountid", _) => "account_parent_account".to_owned(),
        ("systemuser", "parentsystemuserid", _) => "user_parent_user".to_owned(),
        ("businessunit", "parentbusinessunitid", _) => "business_unit_parent_business_unit".to_owned(),
        ("systemuser", "businessunitid", _) => "business_unit_system_users".to_owned(),
        ("team", "businessunitid", _) => "business_unit_teams".to_owned(),
        (_, "parentcustomerid" | "customerid", _) => format!("{table}_customer_{target}s"),
        (_, "createdby" | "modifiedby" | "createdonbehalfby" | "modifiedonbehalfby", _) => {
            format!("lk_{table}base_{column}")
        }
        (_, "owningbusinessunit", _) => format!("business_unit_{set}"),
        (_, "owninguser", _) => format!("user_{set}"),
        (_, "owningteam", _) => format!("team_{set}"),
        (_, "ownerid", _) => format!("owner_{set}"),
        (_, "transactioncurrencyid", _) => format!("transactioncurrency_{table}"),
        _ => format!("{table}_{column}_{target}"),
    }
}

/// Dataverse: tables with change tracking from the start. No document lists them; users vary, so they are without.
pub(in crate::sandbox) const TRACKED_TABLES: [&str; 4] = ["account", "contact", "opportunity", "new_project"];

/// Dataverse: days that a delta token lives; the documented default of `organization.expirechangetrackingindays`.
pub(in crate::sandbox) const DELTA_TOKEN_LIFE_DAYS: i64 = 7;

/// Dataverse: whether the token of a read of several pages names the version of its first page, not of its last; no document
/// says which. A change behind the page that is being read then comes again, or is lost: the harder one is the default.
pub(in crate::sandbox) const TOKENS_MARK_FIRST_PAGE: bool = false;

/// Dataverse: the text that refuses a delta token that is none; its code and its status are taken to be those of an option.
pub(in crate::sandbox) const INVALID_DELTA_TOKEN: &str = "Invalid value for $deltatoken query option found.";

/// Dataverse: the row version before the first row.
pub(in crate::sandbox) const FIRST_VERSION: i64 = 1_000_000;

/// Dataverse: the metadata version an annotated page reports.
pub(in crate::sandbox) const METADATA_VERSION: &str = "80822162";

/// Dataverse: `x-ms-dop-hint`.
pub(in crate::sandbox) const PARALLELISM_HINT: usize = 4;

/// Both services: a row whose column is null satisfies "not equal" to a value. Nulls also sort first in both.
pub(in crate::sandbox) const NOT_EQUAL_KEEPS_NULLS: bool = true;

/// Gainsight: the code of the envelope for what the sandbox lacks.
pub(in crate::sandbox) const GAINSIGHT_MISSING_FEATURE: &str = "SANDBOX_501";

/// Gainsight: days that the log of deletions goes back; documented.
pub(in crate::sandbox) const DELETE_LOG_DAYS: i64 = 15;

/// Gainsight: what the log of deletions calls an object; only `Company` is documented.
pub(in crate::sandbox) fn logged_name<'a>(origin: &str, label: &'a str, name: &'a str) -> &'a str {
    if origin == "STANDARD" { label } else { name }
}

/// Gainsight: records of one write; the documented number, of which more are refused with GSOBJ_1002.
pub(in crate::sandbox) const WRITE_LIMIT: usize = 50;

/// Gainsight: records of one read; a larger limit is clipped.
pub(in crate::sandbox) const READ_LIMIT: usize = 5000;

/// Gainsight: fields in `keys`; more are refused with GSOBJ_1002.
pub(in crate::sandbox) const KEY_LIMIT: usize = 3;

/// Gainsight: an update of which one record matches nothing is refused as a whole with GSOBJ_1011. Several matches of
/// one record are all updated, and key fields are never changed.
pub(in crate::sandbox) const NO_MATCH_STATUS: u16 = 400;

/// Gainsight: an inactive picklist item cannot be written.
pub(in crate::sandbox) const INACTIVE_ITEMS_REFUSED: bool = true;

/// Gainsight: status, code and text by which one sample says that a query found nothing; the status is taken to be 200.
pub(in crate::sandbox) const NO_DATA: (u16, &str, &str) = (200, "GSOBJ_1XXX", "No data found for given criteria");

/// Gainsight: status of a describe call for an object that does not exist.
pub(in crate::sandbox) const UNKNOWN_OBJECT_STATUS: u16 = 404;
