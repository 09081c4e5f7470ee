//! Texts that go into a picklist: constants must be items of it, labels of a choice should be.

use super::scope::Scope;
use crate::diagnostic::code::{CHOICE, ITEMS_MISSING};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast_expression::{Expression as Written, Node};
use crate::lang::suggest::nearest;
use crate::model::expression::{Expression, Literal};
use crate::model::field::{Field, FieldKind};
use crate::model::policy::Unknown;

/// Labels or items that a message shows.
const SHOWN_AT_MOST: usize = 6;

/// Checks what a mapping can give against the items of its field.
pub(super) fn check(
    written: &Written,
    value: &Expression,
    field: &Field,
    unknown: Unknown,
    scope: &Scope<'_>,
    out: &mut Diagnostics,
) {
    let is_list = field.kind == FieldKind::MultiPicklist;
    let has_items = (field.kind == FieldKind::Picklist || is_list) && !field.choices.is_empty();
    if !has_items || unknown != Unknown::Error {
        return;
    }
    let is_one = |text: &str| text.is_empty() || field.choices.iter().any(|c| c.label == text);
    let is_item = |text: &str| if is_list { text.split(';').all(is_one) } else { is_one(text) };
    constants(written, &mut |place, text| {
        if !is_item(text) {
            let message = format!("'{text}' is not an item of \"{}\"", field.label);
            let wrong = Diagnostic::error(CHOICE, place.span, message);
            out.push(match nearest(text, field.choices.iter().map(|c| c.label.as_str())) {
                Some(near) => wrong.label(format!("did you mean '{near}'?")),
                None => {
                    wrong.label(format!("items are {}", shown(field.choices.iter().map(|c| format!("'{}'", c.label)))))
                }
            });
        }
    });
    if let Expression::Label(column) = value {
        let labels = scope.columns[*column].field.choices.iter().map(|c| c.label.as_str());
        let missing: Vec<String> = labels.filter(|l| !is_item(l)).map(|l| format!("'{l}'")).collect();
        if !missing.is_empty() {
            let message = format!(
                "\"{}\" lacks {} of the labels: {}",
                field.label,
                missing.len(),
                shown(missing.iter().cloned())
            );
            out.push(
                Diagnostic::warning(ITEMS_MISSING, written.span, message)
                    .label("such rows will be errors")
                    .help("add the items in Gainsight, name others with CASE, or say ON UNKNOWN ITEM NULL"),
            );
        }
    }
}

/// The first few of a list, and how many more there are.
pub(super) fn shown(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(SHOWN_AT_MOST);
    let some: Vec<String> = all.take(SHOWN_AT_MOST).collect();
    if more == 0 { some.join(", ") } else { format!("{} and {more} more", some.join(", ")) }
}

/// The constants that an expression can come to.
fn constants(written: &Written, see: &mut dyn FnMut(&Written, &str)) {
    match &written.node {
        Node::Literal(Literal::Text(text)) => see(written, text),
        Node::Case { arms, otherwise, .. } => {
            arms.iter().for_each(|(_, value)| constants(value, see));
            otherwise.iter().for_each(|value| constants(value, see));
        }
        Node::Call(call) if call.name.text.eq_ignore_ascii_case("COALESCE") => {
            call.arguments.iter().filter_map(|a| a.value()).for_each(|value| constants(value, see));
        }
        _ => {}
    }
}
