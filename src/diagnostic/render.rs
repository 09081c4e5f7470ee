//! Diagnostics as people and programs read them.
//!
//! In: a diagnostic and the texts. Out: rustc's layout with a caret, or one JSON object.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::report::{Diagnostic, Severity};
use super::source::Sources;

/// The diagnostic with its line, a caret and its help; with colours if the reader is a terminal.
#[must_use]
pub fn for_people(diagnostic: &Diagnostic, sources: &Sources, colour: bool) -> String {
    let file = sources.file(diagnostic.span.file);
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    // The renderer draws a caret only under something, so an empty span at the end of a text takes its last character.
    let end = diagnostic.span.end.min(file.text.len());
    let start = diagnostic.span.start.min(end);
    let mut annotation = AnnotationKind::Primary.span(start..end);
    if !diagnostic.label.is_empty() {
        annotation = annotation.label(diagnostic.label.as_str());
    }
    let mut snippet = Snippet::source(file.text.as_str()).path(file.name.as_str()).annotation(annotation);
    let (near, far): (Vec<_>, Vec<_>) = diagnostic.related.iter().partition(|(s, _)| s.file == diagnostic.span.file);
    for (span, what) in near {
        snippet = snippet.annotation(AnnotationKind::Context.span(span.start..span.end).label(what.as_str()));
    }
    let mut group: Group<'_> = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.0).element(snippet);
    for (span, what) in far {
        let other = sources.file(span.file);
        let annotation = AnnotationKind::Context.span(span.start..span.end).label(what.as_str());
        group = group.element(Snippet::source(other.text.as_str()).path(other.name.as_str()).annotation(annotation));
    }
    if !diagnostic.help.is_empty() {
        group = group.element(Level::HELP.message(diagnostic.help.join("\n")));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// The diagnostic for a program.
#[must_use]
pub fn for_programs(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let (line, column) = sources.position(diagnostic.span);
    let related = diagnostic.related.iter().map(|(span, what)| {
        let (line, column) = sources.position(*span);
        json!({ "file": sources.file(span.file).name, "line": line, "column": column, "message": what })
    });
    json!({
        "code": diagnostic.code.0,
        "severity": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "file": sources.file(diagnostic.span.file).name,
        "line": line,
        "column": column,
        "message": diagnostic.message,
        "label": diagnostic.label,
        "related": related.collect::<Vec<_>>(),
        "help": diagnostic.help,
    })
}
