//! The catalog of functions, from DataFusion's own list: which may be called, how, and why the others may not.
//!
//! A function that can fail on some values stands here with the bounds that keep it from failing, or is refused. Nothing
//! random is offered: two runs over the same rows must agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::functions::all_default_functions;
use datafusion::functions_aggregate::all_default_aggregate_functions;
use datafusion::functions_window::all_default_window_functions;
use datafusion::logical_expr::ScalarUDF;

use crate::model::function::Parameter::{Between, DatePart, Format, Pattern, Same, TruncatePart, Value};
use crate::model::function::{Function, Functions, Parameter, Signature};
use crate::model::value::ValueType::{self, Boolean, Date, DateTime, Decimal, Double, Integer, Text};

const T: Parameter = Value(Text);
const I: Parameter = Value(Integer);
const N: Parameter = Value(Decimal);
const F: Parameter = Value(Double);
/// A place in a text.
const PLACE: Parameter = Between(-1_000_000, 1_000_000);
/// A length that a text is brought to.
const LENGTH: Parameter = Between(0, 10_000);
/// Digits after the point.
const DIGITS: Parameter = Between(0, 10);
/// A whole number that has an opposite.
const OPPOSITE: Parameter = Between(-i64::MAX, i64::MAX);
/// Seconds since 1970 within the years 1 to 9999.
const SECONDS: Parameter = Between(-62_135_596_800, 253_402_300_799);

/// A way to call a function: name, parameters, and what it gives (none: the type of its `Same` parameters).
type Way = (&'static str, &'static [Parameter], Option<ValueType>);

#[rustfmt::skip]
const TEXTS: &[Way] = &[
    ("ascii", &[T], Some(Integer)), ("bit_length", &[T], Some(Integer)), ("btrim", &[T], Some(Text)), ("btrim", &[T, T], Some(Text)),
    ("character_length", &[T], Some(Integer)), ("chr", &[Between(1, 55_295)], Some(Text)), ("contains", &[T, T], Some(Boolean)),
    ("ends_with", &[T, T], Some(Boolean)), ("find_in_set", &[T, T], Some(Integer)), ("initcap", &[T], Some(Text)),
    ("left", &[T, PLACE], Some(Text)), ("levenshtein", &[T, T], Some(Integer)), ("lower", &[T], Some(Text)),
    ("lpad", &[T, LENGTH], Some(Text)), ("lpad", &[T, LENGTH, T], Some(Text)), ("ltrim", &[T], Some(Text)), ("ltrim", &[T, T], Some(Text)),
    ("md5", &[T], Some(Text)), ("octet_length", &[T], Some(Integer)),
    ("regexp_count", &[T, Pattern], Some(Integer)), ("regexp_like", &[T, Pattern], Some(Boolean)), ("regexp_replace", &[T, Pattern, T], Some(Text)),
    ("repeat", &[T, Between(0, 100)], Some(Text)), ("replace", &[T, T, T], Some(Text)), ("reverse", &[T], Some(Text)),
    ("right", &[T, PLACE], Some(Text)), ("rpad", &[T, LENGTH], Some(Text)), ("rpad", &[T, LENGTH, T], Some(Text)),
    ("rtrim", &[T], Some(Text)), ("rtrim", &[T, T], Some(Text)), ("split_part", &[T, T, Between(1, 1_000_000)], Some(Text)),
    ("starts_with", &[T, T], Some(Boolean)), ("strpos", &[T, T], Some(Integer)), ("substr", &[T, PLACE], Some(Text)),
    ("substr", &[T, PLACE, Between(0, 1_000_000)], Some(Text)), ("substr_index", &[T, T, PLACE], Some(Text)),
    ("to_hex", &[I], Some(Text)), ("translate", &[T, T, T], Some(Text)), ("upper", &[T], Some(Text)),
];

#[rustfmt::skip]
const NUMBERS: &[Way] = &[
    ("abs", &[OPPOSITE], Some(Integer)), ("abs", &[N], Some(Decimal)), ("abs", &[F], Some(Double)),
    ("acos", &[F], Some(Double)), ("acosh", &[F], Some(Double)), ("asin", &[F], Some(Double)), ("asinh", &[F], Some(Double)), ("atan", &[F], Some(Double)),
    ("atan2", &[F, F], Some(Double)), ("atanh", &[F], Some(Double)), ("cbrt", &[F], Some(Double)), ("ceil", &[F], Some(Double)),
    ("cos", &[F], Some(Double)), ("cosh", &[F], Some(Double)), ("cot", &[F], Some(Double)), ("degrees", &[F], Some(Double)),
    ("exp", &[F], Some(Double)), ("floor", &[F], Some(Double)), ("iszero", &[F], Some(Boolean)), ("ln", &[F], Some(Double)),
    ("log10", &[F], Some(Double)), ("log2", &[F], Some(Double)), ("pi", &[], Some(Double)), ("power", &[F, F], Some(Double)),
    ("radians", &[F], Some(Double)), ("round", &[N], Some(Decimal)), ("round", &[N, DIGITS], Some(Decimal)), ("round", &[F], Some(Double)),
    ("round", &[F, DIGITS], Some(Double)), ("signum", &[F], Some(Double)), ("sin", &[F], Some(Double)), ("sinh", &[F], Some(Double)),
    ("sqrt", &[F], Some(Double)), ("tan", &[F], Some(Double)), ("tanh", &[F], Some(Double)), ("trunc", &[F], Some(Double)),
];

#[rustfmt::skip]
const DATES: &[Way] = &[
    ("date_part", &[DatePart, Value(Date)], Some(Integer)), ("date_part", &[DatePart, Value(DateTime)], Some(Integer)),
    ("date_trunc", &[TruncatePart, Value(Date)], Some(Date)), ("date_trunc", &[TruncatePart, Value(DateTime)], Some(DateTime)),
    ("from_unixtime", &[SECONDS], Some(DateTime)), ("to_char", &[Value(Date), Format], Some(Text)), ("to_char", &[Value(DateTime), Format], Some(Text)),
    ("to_unixtime", &[Value(DateTime)], Some(Integer)),
];

/// Functions of any number of values, or of any type.
#[rustfmt::skip]
const ANY: &[Way] = &[
    ("coalesce", &[Same], None), ("concat", &[T], Some(Text)), ("concat_ws", &[T, T], Some(Text)), ("greatest", &[Same], None), ("least", &[Same], None),
    ("nullif", &[Same, Same], None), ("nvl", &[Same, Same], None),
];
/// Those of them whose last parameter may be repeated.
const REPEATING: [&str; 5] = ["coalesce", "concat", "concat_ws", "greatest", "least"];

/// Functions that DataFusion has and mappings may not call.
const REFUSED: &[(&[&str], &str)] = &[
    (&["random", "uuid"], "nothing random is possible: two runs over the same rows must agree"),
    (&["now", "current_date", "current_time", "current_timestamp", "today"], "write NOW or TODAY, without brackets"),
    (
        &["to_date", "to_timestamp", "to_timestamp_seconds", "to_timestamp_millis", "to_timestamp_micros"],
        "write CAST(… AS DATE) or CAST(… AS DATETIME); TRY_CAST makes NULL of what cannot be read",
    ),
    (&["to_timestamp_nanos", "to_time", "make_time", "make_date"], "put the parts together as a text and CAST it"),
    (&["to_local_time"], "the job's TIME ZONE says where its days begin"),
    (&["date_bin"], "use DATE_TRUNC('hour', …)"),
    (&["factorial", "gcd", "lcm"], "its result is soon beyond every number; calculate it in Dynamics"),
    (&["log"], "use LN, LOG10 or LOG2"),
    (&["sha224", "sha256", "sha384", "sha512", "digest"], "it gives bytes, which no field takes; MD5 gives a text"),
    (&["regexp_match", "regexp_instr"], "use REGEXP_LIKE, REGEXP_REPLACE or REGEXP_COUNT"),
    (&["isnan", "nanvl"], "a number that does not exist makes its row an error"),
    (&["decode"], "write CASE WHEN … THEN … ELSE … END"),
    (&["nvl2"], "use CASE WHEN … THEN … ELSE … END"),
    (&["overlay"], "use LEFT, SUBSTR and `||`"),
];

/// The catalog.
#[must_use]
pub fn catalog() -> Functions {
    let mut known: BTreeMap<String, Function> = BTreeMap::new();
    for udf in all_default_functions() {
        let name = udf.name();
        let ways = TEXTS.iter().chain(NUMBERS).chain(DATES).chain(ANY).filter(|(n, _, _)| *n == name);
        let ways: Vec<Signature> = ways.map(signature).collect();
        let function = if ways.is_empty() { Function::Refused(reason(name)) } else { Function::Offered(ways) };
        for name in std::iter::once(name).chain(udf.aliases().iter().map(String::as_str)) {
            known.insert(name.to_ascii_uppercase(), function.clone());
        }
    }
    let rows = "a mapping works on one row, so nothing can be counted or summed up over several";
    let aggregates = all_default_aggregate_functions();
    let windows = all_default_window_functions();
    let names = aggregates.iter().flat_map(|f| [vec![f.name().to_owned()], f.aliases().to_vec()].concat());
    let names = names.chain(windows.iter().map(|f| f.name().to_owned()));
    for name in names.map(|n| n.to_ascii_uppercase()) {
        known.entry(name).or_insert_with(|| Function::Refused(rows.to_owned()));
    }
    Functions(known)
}

/// The function of a name in the catalog.
pub(super) fn function(name: &str) -> Option<Arc<ScalarUDF>> {
    let is = |udf: &Arc<ScalarUDF>| {
        udf.name().eq_ignore_ascii_case(name) || udf.aliases().iter().any(|a| a.eq_ignore_ascii_case(name))
    };
    all_default_functions().into_iter().find(is)
}

fn signature(way: &Way) -> Signature {
    Signature { parameters: way.1.to_vec(), repeats: REPEATING.contains(&way.0), returns: way.2 }
}

fn reason(name: &str) -> String {
    let known = REFUSED.iter().find(|(names, _)| names.contains(&name)).map(|(_, why)| (*why).to_owned());
    known.unwrap_or_else(|| "it is about the engine's own types, which a mapping does not see".to_owned())
}
