//! A mapped value in the stored form of its target field: the form in which Gainsight gives back what was sent.
//!
//! A value that cannot become that form is null here, and `map` tells such a null from a real one.

use datafusion::functions::expr_fn::nullif;
use datafusion::logical_expr::{Case, Expr, lit, try_cast};

use super::failure::failure;
use super::lower::{converted, lower};
use super::moment::Zone;
use crate::model::field::FieldKind;
use crate::model::job::{Job, Mapping};
use crate::model::policy::Unknown;
use crate::model::value::ValueType;

/// The mapping's value in stored form.
pub(super) fn stored(mapping: &Mapping, job: &Job) -> Expr {
    let value = lower(&mapping.value, job);
    let field = &mapping.field;
    let of = match field.kind {
        _ if is_text(field.kind) => ValueType::Text,
        FieldKind::Date => ValueType::Date,
        FieldKind::DateTime => ValueType::DateTime,
        _ => mapping.value_type,
    };
    let value = converted(value, mapping.value_type, of, &Zone::of(job));
    let value = try_cast(value, field.kind.stored(field.scale));
    if !is_text(field.kind) {
        return value;
    }
    // An empty text is stored as null: https://support.gainsight.com says nothing, the sandbox and the client agree.
    let value = nullif(value, lit(""));
    if job.unknown_item == Unknown::Null && field.kind == FieldKind::Picklist && !field.choices.is_empty() {
        let items = field.choices.iter().map(|c| lit(c.label.as_str())).collect();
        let is_item = value.clone().in_list(items, false);
        return Expr::Case(Case::new(None, vec![(Box::new(is_item), Box::new(value))], None));
    }
    value
}

/// True where the value is there and its stored form is not: it could not be converted, or a choice has no label.
pub(super) fn is_bad(mapping: &Mapping, stored_column: Expr, job: &Job) -> Option<Expr> {
    let lost =
        (!is_text(mapping.field.kind)).then(|| stored_column.is_null().and(lower(&mapping.value, job).is_not_null()));
    failure(&mapping.value, job).into_iter().chain(lost).reduce(Expr::or)
}

/// Whether the stored form is text.
pub(super) fn is_text(kind: FieldKind) -> bool {
    kind.stored(0) == arrow::datatypes::DataType::Utf8
}
