//! What a job's aliases stand for, and the columns it turns out to read.
//!
//! Names become indices here. A column is entered when an expression first uses it, so that extraction asks for just
//! what the job needs.

use super::{Context, familiar};
use crate::diagnostic::code::{ALIAS, AMBIGUOUS_FIELD, NOT_A_PATH, UNKNOWN_FIELD};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast::Name;
use crate::lang::ast_expression::Step;
use crate::lang::suggest::nearest;
use crate::model::catalog::{Found, Object};
use crate::model::dataset::UNREAD;
use crate::model::field::{Field, FieldKind};
use crate::model::job::{Column, Relation, TableRef};
use chrono_tz::Tz;

/// The names that expressions of one job may use.
pub(super) struct Scope<'a> {
    pub(super) context: &'a Context<'a>,
    /// The time zone of the job's days.
    pub(super) zone: Tz,
    pub(super) source_alias: String,
    pub(super) source_connection: String,
    /// The source table; none if it is not known, and then nothing about its columns is reported.
    pub(super) source: Option<&'a Object>,
    /// The lookups, in order, each with what its alias stands for.
    pub(super) lookups: Vec<LookupScope<'a>>,
    pub(super) columns: Vec<Column>,
    pub(super) relations: Vec<Relation>,
}

/// One lookup's alias.
pub(super) struct LookupScope<'a> {
    pub(super) alias: String,
    pub(super) connection: String,
    pub(super) object: Option<&'a Object>,
    /// Whether it is a table, of the source's service or of files.
    pub(super) is_table: bool,
    pub(super) yields: Vec<Field>,
}

/// What a path leads to.
pub(super) enum Reached {
    /// A column, by index.
    Column(usize),
    /// A field of a lookup's record.
    Looked { lookup: usize, field: usize },
}

impl<'a> Scope<'a> {
    /// Finds what a path names. None if it names nothing (reported), or if its table is unknown (reported before).
    pub(super) fn resolve(&mut self, path: &[Step], out: &mut Diagnostics) -> Option<Reached> {
        let (Step { name: alias, .. }, fields) = path.split_first()?;
        if fields.is_empty() {
            let wrong = Diagnostic::error(ALIAS, alias.span, format!("`{}` stands alone", alias.text));
            if let Some(help) = familiar::instead(&alias.text.to_ascii_uppercase()) {
                out.push(wrong.help(help));
                return None;
            }
            let column = format!("write the alias before a column: {}.{}", self.source_alias, alias.text);
            out.push(wrong.help(column).help(format!("a text stands in single quotes: '{}'", alias.text)));
            return None;
        }
        if alias.text.eq_ignore_ascii_case(&self.source_alias) {
            return self.source_path(fields, out).map(Reached::Column);
        }
        let found = self.lookups.iter().position(|l| l.alias.eq_ignore_ascii_case(&alias.text));
        let Some(lookup) = found else {
            out.push(self.unknown_alias(alias));
            return None;
        };
        if let Some(more) = fields.get(1) {
            let message = "a path through a looked-up record is not possible";
            out.push(
                Diagnostic::error(NOT_A_PATH, more.name.span, message)
                    .help("add a LOOKUP of its own, found by columns of the source: one lookup cannot use another"),
            );
            return None;
        }
        let object = self.lookups[lookup].object?;
        let field = field_of(object, &fields[0].name, out)?.clone();
        if field.kind == FieldKind::Other {
            out.push(unusable(&fields[0].name, field.kind));
            return None;
        }
        let yields = &mut self.lookups[lookup].yields;
        let index = yields.iter().position(|f| f.name == field.name).unwrap_or_else(|| {
            yields.push(field);
            yields.len() - 1
        });
        Some(Reached::Looked { lookup, field: index })
    }

    fn unknown_alias(&self, alias: &Name) -> Diagnostic {
        let known: Vec<&str> =
            [self.source_alias.as_str()].into_iter().chain(self.lookups.iter().map(|l| l.alias.as_str())).collect();
        let wrong = Diagnostic::error(ALIAS, alias.span, format!("nothing here is called `{}`", alias.text));
        let objects = std::iter::once((self.source, self.source_alias.as_str()))
            .chain(self.lookups.iter().map(|l| (l.object, l.alias.as_str())));
        let mut named = objects.filter(|(object, _)| {
            object
                .is_some_and(|o| o.name.eq_ignore_ascii_case(&alias.text) || o.label.eq_ignore_ascii_case(&alias.text))
        });
        if let Some((Some(object), alias)) = named.next() {
            return wrong.label(format!("{} is `{alias}` in this job", object.label));
        }
        match nearest(&alias.text, known.iter().copied()) {
            Some(near) => wrong.label(format!("did you mean `{near}`?")),
            None => wrong.help(format!("this job knows {}", known.join(", "))),
        }
    }

    /// Follows lookup columns from the source table to the last column of a path.
    fn source_path(&mut self, path: &[Step], out: &mut Diagnostics) -> Option<usize> {
        let mut table = self.source?;
        let mut relation = None;
        for (at, Step { name, table: treated }) in path.iter().enumerate() {
            let field = field_of(table, name, out)?.clone();
            let is_last = at + 1 == path.len();
            let kind = field.kind;
            let targets = field.targets.clone();
            if kind == FieldKind::Other {
                out.push(unusable(name, kind));
                return None;
            }
            let column = self.column(relation, field);
            if is_last {
                return Some(column);
            }
            if kind != FieldKind::Reference {
                let message = format!("`{}` is {}, not a lookup column", name.text, kind.word());
                out.push(
                    Diagnostic::error(NOT_A_PATH, name.span, message).help("only a lookup leads to another table"),
                );
                return None;
            }
            table = match treated {
                Some(treated) => self.treated_table(name, treated, &targets, out)?,
                None => self.target_table(name, &path[at + 1].name, &targets, out)?,
            };
            relation = Some(self.relation(column, table));
        }
        None
    }

    /// The table that `TREAT` names.
    fn treated_table(&self, via: &Name, table: &Name, targets: &[String], out: &mut Diagnostics) -> Option<&'a Object> {
        if let Some(known) = targets.iter().find(|t| t.eq_ignore_ascii_case(&table.text)) {
            return self.context.catalog.object(&self.source_connection, known);
        }
        let message = format!("`{}` does not lead to {}", via.text, table.text);
        let leads = format!("it leads to {}", targets.join(", "));
        out.push(Diagnostic::error(NOT_A_PATH, table.span, message).label(leads));
        None
    }

    /// The table that a lookup column leads to: of several, the only one that has the column asked for.
    fn target_table(&self, via: &Name, wanted: &Name, targets: &[String], out: &mut Diagnostics) -> Option<&'a Object> {
        let tables: Vec<&'a Object> = targets
            .iter()
            .filter_map(|t| self.context.catalog.object(&self.source_connection, t))
            .filter(|t| targets.len() == 1 || !matches!(t.field(&wanted.text), Found::None))
            .collect();
        match tables[..] {
            [table] => Some(table),
            _ => {
                let message = format!("`{}` may point at {}", via.text, targets.join(", "));
                let which = if tables.is_empty() { "none of them has" } else { "several of them have" };
                let mut wrong = Diagnostic::error(NOT_A_PATH, wanted.span, message)
                    .label(format!("{which} a column \"{}\"", wanted.text));
                let all = targets.iter().filter_map(|t| self.context.catalog.object(&self.source_connection, t));
                let fields = all.flat_map(|o| o.fields.iter().map(|f| f.name.as_str()));
                if let Some(near) = nearest(&wanted.text, fields).filter(|_| tables.is_empty()) {
                    wrong = wrong.help(format!("did you mean \"{near}\"?"));
                }
                if let Some(one) = tables.first() {
                    let alias = &self.source_alias;
                    let say = format!("say which: TREAT({alias}.{} AS {}).{}", via.text, one.name, wanted.text);
                    wrong = wrong.help(say);
                }
                out.push(wrong);
                None
            }
        }
    }

    fn relation(&mut self, via: usize, table: &Object) -> usize {
        if let Some(known) = self.relations.iter().position(|r| r.via == via && r.table.name == table.name) {
            return known;
        }
        self.relations.push(Relation { via, table: table_ref(&self.source_connection, table) });
        self.relations.len() - 1
    }

    /// The column that says why a row of files cannot be read.
    pub(super) fn unread(&mut self) -> usize {
        self.column(None, Field::bare(UNREAD, UNREAD, FieldKind::Text))
    }

    fn column(&mut self, relation: Option<usize>, field: Field) -> usize {
        if let Some(known) = self.columns.iter().position(|c| c.relation == relation && c.field.name == field.name) {
            return known;
        }
        self.columns.push(Column { relation, field });
        self.columns.len() - 1
    }
}

fn unusable(name: &Name, kind: FieldKind) -> Diagnostic {
    Diagnostic::error(UNKNOWN_FIELD, name.span, format!("\"{}\" holds {}", name.text, kind.word()))
}

/// A table as reading needs it.
pub(super) fn table_ref(connection: &str, table: &Object) -> TableRef {
    let has = |name: &str| table.fields.iter().any(|f| f.name == name && f.kind == FieldKind::DateTime);
    TableRef {
        connection: connection.to_owned(),
        name: table.name.clone(),
        set_name: table.set_name.clone(),
        primary_id: table.primary_id.clone(),
        has_created: has("createdon"),
        has_modified: has("modifiedon"),
        tracks: table.tracks,
        is_of_files: table.is_of_files,
    }
}

/// The field of an object by either of its names; reports it if there is none, or several.
pub(in crate::lang) fn field_of<'a>(object: &'a Object, name: &Name, out: &mut Diagnostics) -> Option<&'a Field> {
    match object.field(&name.text) {
        Found::One(field) => Some(field),
        Found::Ambiguous(fields) => {
            let message = format!("{} has several fields labelled \"{}\"", object.label, name.text);
            let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
            out.push(
                Diagnostic::error(AMBIGUOUS_FIELD, name.span, message)
                    .help(format!("write the API name: {}", names.join(" or "))),
            );
            None
        }
        Found::None => {
            let message = format!("{} has no field \"{}\"", object.label, name.text);
            let known = object.fields.iter().flat_map(|f| [f.label.as_str(), f.name.as_str()]);
            let mut wrong = Diagnostic::error(UNKNOWN_FIELD, name.span, message);
            let near = nearest(&name.text, known).map(|near| (near, object.field(near)));
            wrong = match near {
                Some((near, Found::One(field))) => {
                    wrong.label(format!("did you mean \"{near}\" ({})?", field.kind.word()))
                }
                _ if object.fields.len() <= 4 => {
                    let all: Vec<String> = object.fields.iter().map(|f| format!("\"{}\"", f.label)).collect();
                    wrong.help(format!("it has {}", all.join(", ")))
                }
                _ => wrong.help(format!("`ferry describe {}` lists its fields", object.name.to_lowercase())),
            };
            out.push(wrong);
            None
        }
    }
}
