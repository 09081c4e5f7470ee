//! What a connection to files says of them, with the place of every part.

use super::ast::Name;
use crate::diagnostic::source::Span;

/// `FORMAT CSV (header = FALSE)`
#[derive(Debug, Clone)]
pub struct Format {
    /// `CSV`, `JSON`, `PARQUET` or `SYNAPSE`, in capitals.
    pub kind: String,
    /// Setting and value; `TRUE` and `FALSE` as they are written.
    pub settings: Vec<(Name, Name)>,
    pub span: Span,
}

/// `TABLE mapping (code TEXT) KEY (code) AT 'maps/*.csv'`
#[derive(Debug, Clone)]
pub struct FilesTable {
    pub name: Name,
    /// Column and type.
    pub columns: Vec<(Name, Name)>,
    pub key: Option<Name>,
    pub at: Option<Name>,
    pub span: Span,
}
