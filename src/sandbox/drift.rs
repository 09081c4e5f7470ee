//! Changes that the people of an organisation make to its schema while somebody syncs.
//!
//! They show in metadata only: rows and records keep the columns that the sandbox ships with, and requests for them are
//! answered as before. In: what changes, of which object or field. Out: whether there was such a thing to change.

/// What changes.
#[derive(Debug, Clone, Copy)]
pub enum Drift<'a> {
    /// The object or the field is gone.
    Gone,
    /// There is a field of this name, a text.
    New,
    /// The longest text that the field takes.
    Length(usize),
    /// The type, as the service names it: `Memo`, `RICHTEXTAREA`.
    Type(&'a str),
    /// The decimal places of a number.
    Decimals(usize),
    /// No record can be created without it.
    Required,
    /// No client may write it any more.
    ReadOnly,
    /// An option is called otherwise: its label, and its new one.
    Renamed(&'a str, &'a str),
    /// The option of this label is gone.
    WithoutOption(&'a str),
    /// There is an option of this label.
    NewOption(&'a str),
    /// The tables or objects that a lookup may lead to, with commas between.
    Targets(&'a str),
}
