//! Expressions of a job as DataFusion's: total, with no value of a row that makes them fail.

use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn::{btrim, coalesce, lower as lower_case, upper};
use datafusion::logical_expr::{Case, Expr, Operator, binary_expr, ident, lit};

use crate::model::expression::{Comparison, Expression, Function, Literal};
use crate::model::job::{Fold, Job};

/// The expression over the columns `c…` (source) and `l…` (lookups).
pub(super) fn lower(expression: &Expression, job: &Job) -> Expr {
    match expression {
        Expression::Column(index) => ident(column(*index)),
        Expression::Looked { lookup, field } => ident(looked(*lookup, *field)),
        Expression::Literal(literal) => constant(literal),
        Expression::Label(index) => label(*index, job),
        Expression::Not(inner) => Expr::Not(Box::new(lower(inner, job))),
        Expression::All(list) => balanced(list, Operator::And, job),
        Expression::Any(list) => balanced(list, Operator::Or, job),
        Expression::Compare { operator, left, right } => {
            let operator = match operator {
                Comparison::Equal => Operator::Eq,
                Comparison::NotEqual => Operator::NotEq,
                Comparison::Less => Operator::Lt,
                Comparison::LessOrEqual => Operator::LtEq,
                Comparison::Greater => Operator::Gt,
                Comparison::GreaterOrEqual => Operator::GtEq,
            };
            binary_expr(lower(left, job), operator, lower(right, job))
        }
        Expression::IsNull { operand, negated: false } => lower(operand, job).is_null(),
        Expression::IsNull { operand, negated: true } => lower(operand, job).is_not_null(),
        Expression::In { operand, list, negated } => {
            lower(operand, job).in_list(list.iter().map(constant).collect(), *negated)
        }
        Expression::Concat(parts) => balanced(parts, Operator::StringConcat, job),
        Expression::Call { function, arguments } => {
            let mut arguments: Vec<Expr> = arguments.iter().map(|a| lower(a, job)).collect();
            match function {
                Function::Coalesce => coalesce(arguments),
                Function::Trim => btrim(vec![arguments.remove(0)]),
                Function::Lower => lower_case(arguments.remove(0)),
                Function::Upper => upper(arguments.remove(0)),
            }
        }
    }
}

/// The name of a source column inside the plan.
pub(super) fn column(index: usize) -> String {
    format!("c{index}")
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
fn balanced(list: &[Expression], operator: Operator, job: &Job) -> Expr {
    match list {
        [] => lit(ScalarValue::Boolean(None)),
        [one] => lower(one, job),
        _ => {
            let (left, right) = list.split_at(list.len() / 2);
            binary_expr(balanced(left, operator, job), operator, balanced(right, operator, job))
        }
    }
}

fn constant(literal: &Literal) -> Expr {
    match literal {
        Literal::Text(text) => lit(text.as_str()),
        Literal::Integer(number) => lit(*number),
        Literal::Decimal(written) => lit(decimal(written)),
        Literal::Boolean(truth) => lit(*truth),
        Literal::Null => Expr::Literal(ScalarValue::Utf8(None), None),
    }
}

/// A written decimal with ten digits after the point; what does not fit into 38 digits is null.
fn decimal(written: &str) -> ScalarValue {
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(10).collect();
    ScalarValue::Decimal128(format!("{whole}{digits}").parse().ok(), 38, 10)
}

/// `CASE column WHEN code THEN label … END`: null for a code that the metadata does not know.
fn label(index: usize, job: &Job) -> Expr {
    let choices = &job.columns[index].field.choices;
    let arms: Vec<_> = choices
        .iter()
        .filter_map(|c| Some((Box::new(lit(c.code.parse::<i64>().ok()?)), Box::new(lit(c.label.as_str())))))
        .collect();
    if arms.is_empty() {
        return Expr::Literal(ScalarValue::Utf8(None), None);
    }
    Expr::Case(Case::new(Some(Box::new(ident(column(index)))), arms, None))
}
