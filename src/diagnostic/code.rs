//! The stable codes of diagnostics. A code is never given a second meaning.

/// A code, as users see it: `F204`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

/// The text does not follow the grammar.
pub const SYNTAX: Code = Code("F001");
/// A text, a quoted name or a comment does not end.
pub const UNENDED: Code = Code("F002");
/// The file is too large, nested too deeply, or not UTF-8.
pub const TOO_MUCH: Code = Code("F003");
/// A `LOOKUP` does not say what none or several matches mean.
pub const POLICY_MISSING: Code = Code("F101");
/// A job has no `KEY`, or one that names no mapped field.
pub const KEY: Code = Code("F102");
/// A field is mapped twice.
pub const MAPPED_TWICE: Code = Code("F103");
/// A rule about avatars is broken.
pub const AVATAR: Code = Code("F104");
/// The key of a Person job is not the connection's resolution key.
pub const PERSON_KEY: Code = Code("F105");
/// A field that every new record needs is not mapped.
pub const REQUIRED_UNMAPPED: Code = Code("F106");
/// A combination of targets that no call can write.
pub const TARGETS: Code = Code("F107");
/// A clause that this job cannot have, or that lacks something.
pub const CLAUSE: Code = Code("F112");
/// A schedule that is never due, or a notice to nobody.
pub const SCHEDULE: Code = Code("F113");
/// A test whose rows do not fit what they are about.
pub const TEST: Code = Code("F114");
/// A clause is repeated.
pub const REPEATED: Code = Code("F108");
/// A connection's setting is wrong.
pub const CONNECTION: Code = Code("F110");
/// A literal stands where a secret belongs.
pub const LITERAL_SECRET: Code = Code("F111");
/// A connection that nothing declares.
pub const UNKNOWN_CONNECTION: Code = Code("F201");
/// A table or object that the service does not have.
pub const UNKNOWN_OBJECT: Code = Code("F202");
/// An alias that nothing declares, or one that is declared twice.
pub const ALIAS: Code = Code("F203");
/// A field that the object does not have.
pub const UNKNOWN_FIELD: Code = Code("F204");
/// A label that several fields carry.
pub const AMBIGUOUS_FIELD: Code = Code("F205");
/// Two statements of one name.
pub const NAME_TAKEN: Code = Code("F206");
/// A job that nothing declares.
pub const UNKNOWN_JOB: Code = Code("F207");
/// Jobs that wait for each other.
pub const CYCLE: Code = Code("F208");
/// A constant that says nothing: a date that does not exist, a number that is too large.
pub const LITERAL: Code = Code("F210");
/// A chain that runs a job before one that it comes after.
pub const ORDER: Code = Code("F211");
/// A path through a column that is not a lookup.
pub const NOT_A_PATH: Code = Code("F209");
/// `LABEL` of something that has no labels, or a label that the option set lacks.
pub const CHOICE: Code = Code("F221");
/// A value of this type cannot go there.
pub const TYPE: Code = Code("F230");
/// Two values that cannot be compared.
pub const COMPARISON: Code = Code("F231");
/// A function that does not exist, or is called wrongly.
pub const FUNCTION: Code = Code("F232");
/// A field that nobody may write.
pub const NOT_WRITABLE: Code = Code("F240");
/// A self lookup that matches the row's own key.
pub const SELF_MATCH: Code = Code("F310");
/// A resolution field that no job fills.
pub const RESOLUTION_UNFILLED: Code = Code("F311");
/// A text that may be longer than its field.
pub const LENGTH: Code = Code("F312");
/// A column that may point at another kind of record than the lookup searches.
pub const POLYMORPHIC: Code = Code("F313");
/// Labels of a choice that the target's picklist lacks.
pub const ITEMS_MISSING: Code = Code("F314");
/// A constant stands where a GSID belongs, and does not look like one.
pub const GSID_FORM: Code = Code("F315");
/// Jobs of one step of a chain of which one writes what the other uses.
pub const BESIDE: Code = Code("F316");
/// A chain of very many jobs.
pub const LONG_CHAIN: Code = Code("F317");
