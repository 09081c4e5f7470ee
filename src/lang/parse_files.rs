//! What a connection says of its files: their form, and their tables.

use pest::iterators::Pair;

use super::ast::Name;
use super::ast_files::{FilesTable, Format};
use super::parse::Origin;
use super::syntax::Rule;

/// `FORMAT CSV (…)`
pub(super) fn format(origin: Origin, pair: Pair<'_, Rule>) -> Format {
    let mut made = Format { kind: String::new(), settings: Vec::new(), span: origin.span(&pair) };
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::kw_csv => "CSV".clone_into(&mut made.kind),
            Rule::kw_json => "JSON".clone_into(&mut made.kind),
            Rule::kw_parquet => "PARQUET".clone_into(&mut made.kind),
            Rule::kw_synapse => "SYNAPSE".clone_into(&mut made.kind),
            Rule::format_settings => {
                for setting in part.into_inner().filter(|p| p.as_rule() == Rule::format_setting) {
                    let mut both = setting.into_inner().map(|p| origin.name(&p));
                    let name = both.next().expect("a setting has a name");
                    let value = both.next().expect("a setting has a value");
                    made.settings.push((name, value));
                }
            }
            _ => {}
        }
    }
    made
}

/// `TABLE mapping (code TEXT) KEY (code) AT 'maps/*.csv'`
pub(super) fn table(origin: Origin, pair: Pair<'_, Rule>) -> FilesTable {
    let span = origin.span(&pair);
    let name = Name { text: String::new(), span };
    let mut made = FilesTable { name, columns: Vec::new(), key: None, at: None, span };
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::name => made.name = origin.name(&part),
            Rule::files_key => made.key = origin.names(part.into_inner()).pop(),
            Rule::files_at => made.at = origin.names(part.into_inner()).pop(),
            Rule::declared => made.columns.extend(part.into_inner().map(|column| declaration(origin, column))),
            _ => {}
        }
    }
    made
}

fn declaration(origin: Origin, pair: Pair<'_, Rule>) -> (Name, Name) {
    let mut parts = pair.into_inner();
    let name = origin.name(&parts.next().expect("a column has a name"));
    let kind = parts.next().expect("a column has a type");
    (name, origin.name(&kind))
}
