//! A mapped value in the stored form of its target field: the form in which Gainsight gives back what was sent.
//!
//! A value that cannot become that form is null here, and `map` tells such a null from a real one.

use datafusion::functions::expr_fn::nullif;
use datafusion::logical_expr::{Expr, lit, try_cast};

use super::lower::lower;
use crate::model::expression::Expression;
use crate::model::field::FieldKind;
use crate::model::job::{Job, Mapping};

/// The mapping's value in stored form.
pub(super) fn stored(mapping: &Mapping, job: &Job) -> Expr {
    let value = try_cast(lower(&mapping.value, job), mapping.field.kind.stored(mapping.field.scale));
    // An empty text is stored as null: https://support.gainsight.com says nothing, the sandbox and the client agree.
    if is_text(mapping.field.kind) { nullif(value, lit("")) } else { value }
}

/// True where the value is there and its stored form is not: it could not be converted, or a choice has no label.
pub(super) fn is_bad(mapping: &Mapping, stored_column: Expr, job: &Job) -> Option<Expr> {
    let mut labels = Vec::new();
    mapping.value.walk(&mut |e| {
        if let Expression::Label(index) = e {
            labels.push(*index);
        }
    });
    let mut bad: Option<Expr> =
        (!is_text(mapping.field.kind)).then(|| stored_column.is_null().and(lower(&mapping.value, job).is_not_null()));
    for index in labels {
        let code = lower(&Expression::Column(index), job);
        let unknown = code.is_not_null().and(lower(&Expression::Label(index), job).is_null());
        bad = Some(match bad {
            Some(before) => before.or(unknown),
            None => unknown,
        });
    }
    bad
}

/// Whether the stored form is text.
pub(super) fn is_text(kind: FieldKind) -> bool {
    kind.stored(0) == arrow::datatypes::DataType::Utf8
}
