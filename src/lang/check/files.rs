//! `CREATE CONNECTION … TO FILES`: where they lie, in which form, and which tables they hold.

use encoding_rs::Encoding;
use url::Url;

use crate::diagnostic::code::{CONNECTION, REPEATED};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast::{self, Name};
use crate::lang::ast_files::{FilesTable, Format};
use crate::lang::suggest::nearest;
use crate::model::field::{Field, FieldKind};
use crate::model::files::{CsvForm, FileFormat, FileTable, FilesLayout};
use crate::model::value::ValueType;

/// Where files may lie, beside a folder below the project's.
const SCHEMES: [&str; 7] = ["s3", "abfss", "abfs", "az", "azure", "gs", "file"];
const URL_HELP: &str = "write it like 's3://bucket/folder', 'abfss://container@account.dfs.core.windows.net/folder', 'gs://bucket/folder', 'file:///data/exports' for a \
     folder anywhere, or a path below the project such as 'exports'";

/// What a connection to files says, beside its URL.
pub(super) fn check(written: &ast::Connection, out: &mut Diagnostics) -> Option<FilesLayout> {
    for auth in &written.auth {
        let message = "files are reached as the environment says, so AUTH has no place here";
        let help =
            "remove it; S3, Azure and Google take their usual environment variables, or the machine's own identity";
        out.push(Diagnostic::error(CONNECTION, auth.span, message).help(help));
    }
    let format = super::connection::one(&written.format, "FORMAT", written, |format| format.span, out);
    let format = format.and_then(|format| form(format, out));
    let mut tables: Vec<FileTable> = Vec::new();
    for one in &written.tables {
        if tables.iter().any(|known| known.name.eq_ignore_ascii_case(&one.name.text)) {
            let message = format!("table \"{}\" is declared twice", one.name.text);
            out.push(Diagnostic::error(REPEATED, one.name.span, message).help("keep one of the two"));
        }
        if format == Some(FileFormat::SynapseLink) {
            let message = "an export of Synapse Link says itself which tables it has";
            out.push(Diagnostic::error(CONNECTION, one.span, message).help("remove TABLE"));
        }
        tables.push(table(one, out));
    }
    if let Some(FileFormat::Csv(CsvForm { has_header: false, .. })) = &format {
        for one in written.tables.iter().filter(|one| one.columns.is_empty()) {
            let message =
                format!("the files of \"{}\" have no header, so its columns have to be declared", one.name.text);
            let help = format!("write TABLE {} (code TEXT, since DATE)", one.name.text);
            out.push(Diagnostic::error(CONNECTION, one.span, message).help(help));
        }
    }
    Some(FilesLayout { format: format?, tables })
}

/// FORMAT and TABLE are about files alone.
pub(super) fn none(written: &ast::Connection, out: &mut Diagnostics) {
    let spans = written.format.iter().map(|f| f.span).chain(written.tables.iter().map(|t| t.span));
    for span in spans {
        out.push(Diagnostic::error(CONNECTION, span, "FORMAT and TABLE are about files (TO FILES)"));
    }
}

/// Where the files lie, as it is written.
pub(super) fn location(written: &Name, out: &mut Diagnostics) -> Option<String> {
    let text = written.text.trim_end_matches('/');
    let wrong = |message: String| Diagnostic::error(CONNECTION, written.span, message).help(URL_HELP);
    let Some((scheme, _)) = text.split_once("://") else {
        let is_below = !text.split(['/', '\\']).any(|part| part == "..") && !text.starts_with(['/', '\\']);
        if text.is_empty() || !is_below {
            out.push(wrong("this is no folder below the project's".to_owned()));
            return None;
        }
        return Some(text.to_owned());
    };
    if !SCHEMES.contains(&scheme) {
        out.push(wrong(format!("Ferry does not read files by `{scheme}`")));
        return None;
    }
    let Ok(url) = Url::parse(text) else {
        out.push(wrong("this is not a URL".to_owned()));
        return None;
    };
    let is_container = matches!(scheme, "abfs" | "abfss") && url.password().is_none();
    if (!url.username().is_empty() && !is_container) || url.password().is_some() || url.query().is_some() {
        out.push(wrong("a URL must carry neither a sign-in nor a token".to_owned()));
        return None;
    }
    if scheme != "file" && url.host_str().is_none_or(str::is_empty) {
        out.push(wrong("the URL names no bucket or container".to_owned()));
        return None;
    }
    Some(text.to_owned())
}

fn form(written: &Format, out: &mut Diagnostics) -> Option<FileFormat> {
    let format = match written.kind.as_str() {
        "CSV" => return csv(written, out).map(FileFormat::Csv),
        "JSON" => FileFormat::Json,
        "PARQUET" => FileFormat::Parquet,
        _ => FileFormat::SynapseLink,
    };
    if let Some((name, _)) = written.settings.first() {
        let message = format!("FORMAT {} has no settings", format.word());
        out.push(Diagnostic::error(CONNECTION, name.span, message).help("remove the brackets"));
    }
    Some(format)
}

const SETTINGS: [&str; 4] = ["header", "delimiter", "encoding", "null"];

fn csv(written: &Format, out: &mut Diagnostics) -> Option<CsvForm> {
    let (mut form, mut is_right, mut said) = (CsvForm::default(), true, Vec::new());
    for (name, value) in &written.settings {
        let lower = name.text.to_ascii_lowercase();
        let mut wrong = |span, message: String, help: &str| {
            is_right = false;
            out.push(Diagnostic::error(CONNECTION, span, message).help(help));
        };
        if said.contains(&lower) {
            wrong(name.span, format!("`{lower}` is said twice"), "keep one of the two");
        }
        let text = value.text.as_str();
        match lower.as_str() {
            "header" if text.eq_ignore_ascii_case("true") => form.has_header = true,
            "header" if text.eq_ignore_ascii_case("false") => form.has_header = false,
            "header" => wrong(value.span, "`header` is TRUE or FALSE".to_owned(), "write header = FALSE"),
            "delimiter" => match text {
                "tab" | "\t" | "\\t" => form.delimiter = b'\t',
                _ if text.len() == 1 && !["\"", "\n", "\r"].contains(&text) => form.delimiter = text.as_bytes()[0],
                _ => wrong(value.span, "a delimiter is one character".to_owned(), "such as ',', ';', '|' or 'tab'"),
            },
            "encoding" => match Encoding::for_label(text.as_bytes()) {
                Some(encoding) => form.encoding = Some(encoding.name().to_owned()),
                None => {
                    let message = format!("there is no encoding '{text}'");
                    wrong(value.span, message, "such as 'utf-8', 'utf-16', 'windows-1252' or 'iso-8859-1'");
                }
            },
            "null" => form.null = Some(text.to_owned()),
            _ => {
                let message = format!("FORMAT CSV has no setting `{}`", name.text);
                let near = nearest(&lower, SETTINGS.iter().copied());
                let help = near.map_or_else(
                    || format!("it has {}", SETTINGS.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                wrong(name.span, message, &help);
            }
        }
        said.push(lower);
    }
    is_right.then_some(form)
}

fn table(written: &FilesTable, out: &mut Diagnostics) -> FileTable {
    let mut columns: Vec<Field> = Vec::new();
    for (name, kind) in &written.columns {
        if columns.iter().any(|known| known.name == name.text) {
            let message = format!("column \"{}\" is declared twice", name.text);
            out.push(Diagnostic::error(REPEATED, name.span, message).help("keep one of the two"));
        }
        match declared(&kind.text) {
            Some(kind) => columns.push(Field::bare(&name.text, &name.text, kind)),
            None => {
                let message = format!("a column of files cannot be {}", kind.text);
                let help = "it is TEXT, INTEGER, DECIMAL, DOUBLE, BOOLEAN, DATE, DATETIME or GUID";
                out.push(Diagnostic::error(CONNECTION, kind.span, message).help(help));
            }
        }
    }
    let key = written.key.as_ref();
    if let Some(key) = key.filter(|key| !columns.is_empty() && columns.iter().all(|column| column.name != key.text)) {
        let message = format!("the key \"{}\" is none of the declared columns", key.text);
        out.push(Diagnostic::error(CONNECTION, key.span, message).help("declare it, with its type"));
    }
    if let Some(at) = written.at.as_ref().filter(|at| at.text.split('/').any(|part| part == "..")) {
        let message = "files of a table lie below the connection's folder";
        out.push(Diagnostic::error(CONNECTION, at.span, message).help("remove the `..`"));
    }
    FileTable {
        name: written.name.text.clone(),
        columns,
        key: key.map(|key| key.text.clone()),
        at: written.at.as_ref().map(|at| at.text.trim_matches('/').to_owned()),
    }
}

fn declared(word: &str) -> Option<FieldKind> {
    if word.eq_ignore_ascii_case("GUID") || word.eq_ignore_ascii_case("UUID") {
        return Some(FieldKind::Guid);
    }
    Some(match ValueType::named(word)? {
        ValueType::Text => FieldKind::Text,
        ValueType::Integer => FieldKind::Integer,
        ValueType::Decimal => FieldKind::Decimal,
        ValueType::Double => FieldKind::Double,
        ValueType::Boolean => FieldKind::Boolean,
        ValueType::Date => FieldKind::Date,
        ValueType::DateTime => FieldKind::DateTime,
        _ => return None,
    })
}
