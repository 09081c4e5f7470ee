//! A mapped value in the stored form of its target field: the form in which Gainsight gives back what was sent.
//!
//! A value that cannot become that form is null here, and a condition beside it tells such a null from a real one.

use datafusion::functions::expr_fn::{nullif, regexp_like};
use datafusion::logical_expr::{Case, Expr, ident, lit, try_cast};

use super::convert::converted;
use super::lower::{Lowered, lower};
use super::moment::Zone;
use super::steps::Steps;
use crate::model::field::{Field, FieldKind};
use crate::model::job::{Job, Mapping};
use crate::model::policy::Unknown;
use crate::model::value::ValueType;

/// The mapping's value in stored form, and for which rows it is lost: it has no value, or a value that has no stored form.
/// `column` is the name that the stored form will have.
pub(super) fn stored(mapping: &Mapping, column: &str, job: &Job, steps: &mut Steps) -> Lowered {
    let lowered = lower(&mapping.value, job, steps);
    let field = &mapping.field;
    let of = match field.kind {
        _ if is_text(field.kind) => ValueType::Text,
        FieldKind::Date => ValueType::Date,
        FieldKind::DateTime => ValueType::DateTime,
        _ => mapping.value_type,
    };
    if !is_text(field.kind) {
        let value = steps.once(lowered.value);
        let made = converted(value.clone(), mapping.value_type, of, &Zone::of(job), steps);
        let lost = ident(column).is_null().and(value.is_not_null());
        return Lowered {
            value: try_cast(made, field.kind.stored(field.scale)),
            fails: lowered.fails.into_iter().chain([lost]).reduce(Expr::or),
        };
    }
    let value = converted(lowered.value, mapping.value_type, of, &Zone::of(job), steps);
    // An empty text is stored as null: https://support.gainsight.com says nothing, the sandbox and the client agree.
    let mut value = nullif(try_cast(value, field.kind.stored(field.scale)), lit(""));
    if job.unknown_item == Unknown::Null && has_items(field) {
        let text = steps.once(value);
        value = Expr::Case(Case::new(None, vec![(Box::new(is_item(field, text.clone())), Box::new(text))], None));
    }
    Lowered { value, fails: lowered.fails }
}

/// Whether a text in this field must be one of its items, or several of them.
pub(super) fn has_items(field: &Field) -> bool {
    matches!(field.kind, FieldKind::Picklist | FieldKind::MultiPicklist) && !field.choices.is_empty()
}

/// Whether a text is an item of a field, or items with `;` between them where it takes several. A null is a null.
pub(super) fn is_item(field: &Field, text: Expr) -> Expr {
    if field.kind == FieldKind::Picklist {
        return text.in_list(field.choices.iter().map(|c| lit(c.label.as_str())).collect(), false);
    }
    let items: Vec<String> = field.choices.iter().map(|c| regex::escape(&c.label)).collect();
    let one = items.join("|");
    regexp_like(text, lit(format!("^(?:{one})(?:;(?:{one}))*$")), None)
}

/// Whether the stored form is text.
pub(super) fn is_text(kind: FieldKind) -> bool {
    kind.stored(0) == arrow::datatypes::DataType::Utf8
}
