//! Functions of other SQLs, each with what is written here instead.

/// What to write for a function that Ferry does not have; nothing for a name that no SQL knows.
pub(super) fn instead(name: &str) -> Option<&'static str> {
    let known = FAMILIAR.iter().find(|(names, _)| names.contains(&name));
    known.map(|(_, help)| *help)
}

const FAMILIAR: [(&[&str], &str); 18] = [
    (
        &["DATE", "TIMESTAMP", "DATETIME"],
        "a constant is written DATE '2026-01-31' or TIMESTAMP '2026-01-31 10:00'; of a column write CAST(a.column AS DATE)",
    ),
    (&["ISNULL", "NZ", "ZEROIFNULL"], "write COALESCE(a.column, 'value'), or a.column IS NULL for the question"),
    (
        &["GETDATE", "SYSDATE", "SYSDATETIME", "GETUTCDATE", "SYSTIMESTAMP"],
        "write NOW for the moment, TODAY for the day",
    ),
    (&["DATEADD", "DATE_ADD", "ADD_MONTHS", "DATE_SUB"], "write a.createdon + INTERVAL '7 days'"),
    (
        &["DATEDIFF", "DATE_DIFF", "DAYS_BETWEEN"],
        "write CAST(a.modifiedon AS DATE) - CAST(a.createdon AS DATE): it is a number of days",
    ),
    (
        &["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "DATENAME"],
        "write DATE_PART('year', a.createdon)",
    ),
    (&["EOMONTH", "LAST_DAY"], "write DATE_TRUNC('month', a.day) + INTERVAL '1 month' - INTERVAL '1 day'"),
    (&["IIF", "IF", "DECODE", "CHOOSE", "SWITCH"], "write CASE WHEN … THEN … ELSE … END"),
    (
        &["CONVERT", "TRY_CONVERT", "PARSE", "TO_NUMBER", "CINT", "INT"],
        "write CAST(a.column AS INTEGER); TRY_CAST makes NULL of what cannot be read",
    ),
    (&["STR", "CSTR", "TOSTRING", "TO_STRING"], "write CAST(a.column AS TEXT)"),
    (&["FORMAT", "DATE_FORMAT", "STRFTIME"], "write TO_CHAR(a.createdon, '%Y-%m-%d')"),
    (&["LEN", "DATALENGTH"], "write LENGTH(a.column)"),
    (&["CHARINDEX", "LOCATE", "FIND", "SEARCH"], "write STRPOS(a.column, 'text')"),
    (&["MID"], "write SUBSTR(a.column, 1, 10)"),
    (&["UCASE"], "write UPPER(a.column)"),
    (&["LCASE"], "write LOWER(a.column)"),
    (&["PROPER"], "write INITCAP(a.column)"),
    (&["ANY", "ALL", "SOME", "EXISTS"], "write a.column IN ('a', 'b'); another record is found with a LOOKUP"),
];
