//! Expressions of a job as DataFusion's: total, with no value of a row that makes them fail.
//!
//! Where an expression has no value for a row it is null here; `failure` says for which rows that is so.

use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn::{btrim, coalesce, lower as lower_case, rtrim};
use datafusion::logical_expr::expr::Like;
use datafusion::logical_expr::{Case, Expr, Operator, binary_expr, ident, lit, try_cast};

use super::calculate::{arithmetic, days_between};
use super::call::called;
use super::moment::{Zone, shifted, within_calendar};
use crate::model::expression::{Comparison, Expression, Literal};
use crate::model::field::FieldKind;
use crate::model::job::{Fold, Job};
use crate::model::policy::Unknown;
use crate::model::value::ValueType;

/// The expression over the columns `c…` (source) and `l…` (lookups).
pub(super) fn lower(expression: &Expression, job: &Job) -> Expr {
    let deep = |x: &Expression| lower(x, job);
    match expression {
        Expression::Column(index) => ident(column(*index)),
        Expression::Looked { lookup, field } => ident(looked(*lookup, *field)),
        Expression::Literal(literal) => constant(literal),
        // `Job::at` has put the moment in before a plan is made.
        Expression::Now => null_of(ValueType::DateTime),
        Expression::Today => null_of(ValueType::Date),
        Expression::Label(index) => label(*index, job),
        Expression::TypeOf(index) => type_of(*index, job),
        Expression::Not(inner) => Expr::Not(Box::new(deep(inner))),
        Expression::All(list) => balanced(list.iter().map(deep).collect(), Operator::And),
        Expression::Any(list) => balanced(list.iter().map(deep).collect(), Operator::Or),
        Expression::Compare { operator, left, right } => binary_expr(deep(left), sign(*operator), deep(right)),
        Expression::IsNull { operand, negated: false } => deep(operand).is_null(),
        Expression::IsNull { operand, negated: true } => deep(operand).is_not_null(),
        Expression::In { operand, list, negated } => {
            deep(operand).in_list(list.iter().map(constant).collect(), *negated)
        }
        Expression::Like { operand, pattern, ignore_case, negated } => {
            let (operand, pattern) = (Box::new(deep(operand)), Box::new(lit(pattern.as_str())));
            Expr::Like(Like::new(*negated, operand, pattern, None, *ignore_case))
        }
        Expression::Concat(parts) => balanced(parts.iter().map(deep).collect(), Operator::StringConcat),
        Expression::Arithmetic { operator, left, right, of } => arithmetic(*operator, deep(left), deep(right), *of),
        Expression::Shift { operand, by, of } => shifted(deep(operand), *by, *of, &Zone::of(job)),
        Expression::DaysBetween { from, to } => days_between(deep(from), deep(to)),
        Expression::Case { arms, otherwise } => {
            let arms = arms.iter().map(|(c, v)| (Box::new(deep(c)), Box::new(deep(v)))).collect();
            Expr::Case(Case::new(None, arms, otherwise.as_deref().map(|x| Box::new(deep(x)))))
        }
        Expression::Cast { operand, from, to, .. } => converted(deep(operand), *from, *to, &Zone::of(job)),
        Expression::Call { function, arguments } => {
            called(function, arguments.iter().map(deep).collect(), &Zone::of(job))
        }
    }
}

/// A value as another type; null where it cannot be one.
pub(super) fn converted(value: Expr, from: ValueType, to: ValueType, zone: &Zone) -> Expr {
    match (from, to) {
        (ValueType::Null, _) => null_of(to),
        (a, b) if a == b => value,
        (ValueType::Date, ValueType::DateTime) => zone.moment(try_cast(value, Zone::wall_type())),
        (ValueType::DateTime, ValueType::Date) => try_cast(zone.wall(value), to.arrow()),
        (ValueType::DateTime, ValueType::Text) => try_cast(zone.shown(value), to.arrow()),
        (ValueType::Text, ValueType::DateTime) => zone.read(value),
        // Arrow reads years of any length, and then cannot write them.
        (ValueType::Text, ValueType::Date) => within_calendar(try_cast(value, to.arrow())),
        // 12.5000000000 is 12.5, and 12.0000000000 is 12.
        (ValueType::Decimal, ValueType::Text) => {
            let text = try_cast(value, to.arrow());
            rtrim(vec![rtrim(vec![text, lit("0")]), lit(".")])
        }
        _ => try_cast(value, to.arrow()),
    }
}

/// The name of a source column inside the plan.
pub(super) fn column(index: usize) -> String {
    format!("c{index}")
}

/// The column that says at which table a polymorphic lookup column points.
pub(super) fn type_column(index: usize) -> String {
    format!("p{index}")
}

/// The name of a looked-up field inside the plan.
pub(super) fn looked(lookup: usize, field: usize) -> String {
    format!("l{lookup}_{field}")
}

/// A value as keys and equalities compare it.
pub(super) fn folded(value: Expr, fold: Fold) -> Expr {
    match fold {
        Fold::Exact => value,
        Fold::Case => lower_case(value),
        Fold::Guid => lower_case(btrim(vec![value, lit("{}")])),
    }
}

/// A chain of operands as a balanced tree: thousands of terms in a row would otherwise be thousands of levels.
pub(super) fn balanced(mut list: Vec<Expr>, operator: Operator) -> Expr {
    match list.len() {
        0 => lit(ScalarValue::Boolean(None)),
        1 => list.remove(0),
        n => {
            let right = list.split_off(n / 2);
            binary_expr(balanced(list, operator), operator, balanced(right, operator))
        }
    }
}

/// A null of a type.
pub(super) fn null_of(of: ValueType) -> Expr {
    let null = ScalarValue::try_from(&of.arrow()).unwrap_or(ScalarValue::Null);
    Expr::Literal(null, None)
}

pub(super) fn constant(literal: &Literal) -> Expr {
    match literal {
        Literal::Text(text) => lit(text.as_str()),
        Literal::Integer(number) => lit(*number),
        Literal::Decimal(written) => lit(decimal(written)),
        Literal::Boolean(truth) => lit(*truth),
        Literal::Date(day) => lit(ScalarValue::Date32(Some(*day))),
        Literal::DateTime(at) => lit(ScalarValue::TimestampMillisecond(Some(*at), Some("UTC".into()))),
        Literal::Interval(_) | Literal::Null => null_of(ValueType::Null),
    }
}

/// A written decimal with ten digits after the point; what does not fit into 38 digits is null.
fn decimal(written: &str) -> ScalarValue {
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(10).collect();
    ScalarValue::Decimal128(format!("{whole}{digits}").parse().ok(), 38, 10)
}

fn sign(operator: Comparison) -> Operator {
    match operator {
        Comparison::Equal => Operator::Eq,
        Comparison::NotEqual => Operator::NotEq,
        Comparison::Less => Operator::Lt,
        Comparison::LessOrEqual => Operator::LtEq,
        Comparison::Greater => Operator::Gt,
        Comparison::GreaterOrEqual => Operator::GtEq,
    }
}

/// The text of a choice. One that the metadata does not know is null, unless the job wants its code.
fn label(index: usize, job: &Job) -> Expr {
    let known = super::label::known(index, job);
    if job.unknown_choice == Unknown::Text {
        return coalesce(vec![known, try_cast(ident(column(index)), ValueType::Text.arrow())]);
    }
    known
}

/// The table that a lookup column points at.
fn type_of(index: usize, job: &Job) -> Expr {
    let field = &job.columns[index].field;
    if field.is_polymorphic() {
        return ident(type_column(index));
    }
    let only = field.targets.first().map_or("", String::as_str);
    debug_assert!(field.kind == FieldKind::Reference);
    Expr::Case(Case::new(None, vec![(Box::new(ident(column(index)).is_not_null()), Box::new(lit(only)))], None))
}
