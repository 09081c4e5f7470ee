//! Expressions of a job as DataFusion's: total, with no value of a row that makes them fail.
//!
//! Where an expression has no value for a row it is null, and a condition beside it says for which rows that is so: a cast that
//! cannot be made, a sum that no column holds, a choice without a label.

use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn::{btrim, coalesce, lower as lower_case};
use datafusion::logical_expr::expr::Like;
use datafusion::logical_expr::{Case, Expr, Operator, binary_expr, ident, lit, try_cast};

use super::calculate::{arithmetic, days_between};
use super::call::called;
use super::convert::converted;
use super::logic::{any, case, in_order};
use super::moment::{Zone, shifted};
use super::steps::Steps;
use crate::model::expression::{Call, Comparison, Expression, Literal, is_total};
use crate::model::field::FieldKind;
use crate::model::job::{Fold, Job};
use crate::model::policy::Unknown;
use crate::model::value::ValueType;

/// A lowered expression.
pub(super) struct Lowered {
    /// Its value; null where there is none.
    pub(super) value: Expr,
    /// True for the rows that it fails; none if it cannot fail any.
    pub(super) fails: Option<Expr>,
}

/// The expression over the columns `c…` (source) and `l…` (lookups). What it needs more than once is in `steps`.
pub(super) fn lower(expression: &Expression, job: &Job, steps: &mut Steps) -> Lowered {
    let total = |value: Expr| Lowered { value, fails: None };
    match expression {
        Expression::Column(index) => total(ident(column(*index))),
        Expression::Looked { lookup, field } => total(ident(looked(*lookup, *field))),
        Expression::Literal(literal) => total(constant(literal)),
        // `Job::at` has put the moment in before a plan is made.
        Expression::Now => total(null_of(ValueType::DateTime)),
        Expression::Today => total(null_of(ValueType::Date)),
        Expression::Label(index) if job.unknown_choice == Unknown::Error => {
            partial(label(*index, job), &[ident(column(*index))], None, steps)
        }
        Expression::Label(index) => total(label(*index, job)),
        Expression::TypeOf(index) => total(type_of(*index, job)),
        Expression::Not(inner) => lower(inner, job, steps).map(|x| Expr::Not(Box::new(x))),
        Expression::All(list) => {
            let (values, fails) = in_order(each(list, job, steps), steps, Expr::is_false);
            Lowered { value: balanced(values, Operator::And), fails }
        }
        Expression::Any(list) => {
            let (values, fails) = in_order(each(list, job, steps), steps, Expr::is_true);
            Lowered { value: balanced(values, Operator::Or), fails }
        }
        Expression::Compare { operator, left, right } => {
            let (l, r) = (lower(left, job, steps), lower(right, job, steps));
            Lowered { value: binary_expr(l.value, sign(*operator), r.value), fails: either(l.fails, r.fails) }
        }
        Expression::IsNull { operand, negated: false } => lower(operand, job, steps).map(Expr::is_null),
        Expression::IsNull { operand, negated: true } => lower(operand, job, steps).map(Expr::is_not_null),
        Expression::In { operand, list, negated } => {
            lower(operand, job, steps).map(|x| x.in_list(list.iter().map(constant).collect(), *negated))
        }
        Expression::Like { operand, pattern, ignore_case, negated } => lower(operand, job, steps).map(|x| {
            let (operand, pattern) = (Box::new(x), Box::new(lit(pattern.as_str())));
            Expr::Like(Like::new(*negated, operand, pattern, None, *ignore_case))
        }),
        Expression::Concat(parts) => {
            let (values, fails) = apart(each(parts, job, steps));
            Lowered { value: balanced(values, Operator::StringConcat), fails }
        }
        Expression::DaysBetween { from, to } => {
            let (from, to) = (lower(from, job, steps), lower(to, job, steps));
            Lowered { value: days_between(from.value, to.value), fails: either(from.fails, to.fails) }
        }
        Expression::Case { arms, otherwise } => {
            let arms = arms.iter().map(|(c, v)| (lower(c, job, steps), lower(v, job, steps))).collect();
            let otherwise = otherwise.as_deref().map(|x| lower(x, job, steps));
            case(arms, otherwise, steps)
        }
        Expression::Arithmetic { operator, left, right, of } => {
            let (l, r) = (lower(left, job, steps), lower(right, job, steps));
            let fails = either(l.fails, r.fails);
            let (l, r) = (steps.once(l.value), steps.once(r.value));
            partial(arithmetic(*operator, l.clone(), r.clone(), *of, steps), &[l, r], fails, steps)
        }
        Expression::Shift { operand, by, of } => {
            let inner = lower(operand, job, steps);
            let moved = steps.once(inner.value);
            partial(shifted(moved.clone(), *by, *of, &Zone::of(job), steps), &[moved], inner.fails, steps)
        }
        Expression::Cast { operand, from, to, lenient } => {
            cast(lower(operand, job, steps), (*from, *to), *lenient || is_total(*from, *to), job, steps)
        }
        Expression::Call { function, arguments } => call(function, each(arguments, job, steps), job, steps),
    }
}

/// A cast; one that is total fails no row.
fn cast(inner: Lowered, (from, to): (ValueType, ValueType), total: bool, job: &Job, steps: &mut Steps) -> Lowered {
    let zone = Zone::of(job);
    if total {
        return Lowered { value: converted(inner.value, from, to, &zone, steps), fails: inner.fails };
    }
    let value = steps.once(inner.value);
    partial(converted(value.clone(), from, to, &zone, steps), &[value], inner.fails, steps)
}

fn call(function: &Call, arguments: Vec<Lowered>, job: &Job, steps: &mut Steps) -> Lowered {
    let zone = Zone::of(job);
    if ["COALESCE", "NVL", "IFNULL"].contains(&function.name.as_str()) {
        let (values, fails) = in_order(arguments, steps, Expr::is_not_null);
        // Each is asked whether it is there, and then used.
        let values = values.into_iter().map(|x| steps.branch(x)).collect();
        return Lowered { value: called(function, values, &zone, steps), fails };
    }
    let (values, mut fails) = apart(arguments);
    let is_limited = function.bounds.iter().any(Option::is_some);
    if !function.is_partial() && !is_limited {
        return Lowered { value: called(function, values, &zone, steps), fails };
    }
    let values: Vec<Expr> = values.into_iter().map(|x| steps.once(x)).collect();
    for (bound, value) in function.bounds.iter().zip(&values) {
        if let Some((least, most)) = bound {
            fails = either(fails, Some(value.clone().not_between(lit(*least), lit(*most)).is_true()));
        }
    }
    let value = called(function, values.clone(), &zone, steps);
    if function.is_partial() { partial(value, &values, fails, steps) } else { Lowered { value, fails } }
}

/// A value that fails a row where all of its parts are there and it is not.
fn partial(value: Expr, parts: &[Expr], fails: Option<Expr>, steps: &mut Steps) -> Lowered {
    let value = steps.once(value);
    let given = parts.iter().cloned().map(Expr::is_not_null).reduce(Expr::and);
    let lost = given.map(|given| given.and(value.clone().is_null()));
    Lowered { fails: either(fails, lost), value }
}

fn each(list: &[Expression], job: &Job, steps: &mut Steps) -> Vec<Lowered> {
    list.iter().map(|x| lower(x, job, steps)).collect()
}

/// The values of some expressions, and whether one of them fails.
fn apart(list: Vec<Lowered>) -> (Vec<Expr>, Option<Expr>) {
    let (values, fails): (Vec<Expr>, Vec<Option<Expr>>) = list.into_iter().map(|x| (x.value, x.fails)).unzip();
    (values, any(fails.into_iter().flatten().collect()))
}

fn either(one: Option<Expr>, other: Option<Expr>) -> Option<Expr> {
    one.into_iter().chain(other).reduce(Expr::or)
}

impl Lowered {
    fn map(self, change: impl FnOnce(Expr) -> Expr) -> Self {
        Self { value: change(self.value), fails: self.fails }
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
