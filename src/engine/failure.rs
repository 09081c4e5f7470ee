//! For which rows an expression has no value: a cast that cannot be made, a sum that no column holds, a choice without a label.
//!
//! Only what is looked at counts: an arm of a `CASE` that is not taken cannot fail, nor what stands behind the part of an `AND`
//! that decides it.

use datafusion::logical_expr::{Case, Expr, Operator, ident, lit};

use super::lower::{balanced, column, lower};
use crate::model::expression::{Expression, is_total};
use crate::model::job::Job;
use crate::model::policy::Unknown;

/// True for the rows that the expression fails; none if it cannot fail any.
pub(super) fn failure(expression: &Expression, job: &Job) -> Option<Expr> {
    let fails = |x: &Expression| failure(x, job);
    match expression {
        Expression::All(list) => in_order(list, job, &|value| value.is_false()),
        Expression::Any(list) => in_order(list, job, &|value| value.is_true()),
        Expression::Case { arms, otherwise } => {
            let parts = arms.iter().flat_map(|(c, v)| [c, v]).chain(otherwise.as_deref());
            if parts.map(fails).all(|f| f.is_none()) {
                return None;
            }
            let mut decided = Vec::new();
            for (condition, value) in arms {
                decided.extend(fails(condition).map(|f| (f, lit(true))));
                decided.push((lower(condition, job).is_true(), fails(value).unwrap_or_else(|| lit(false))));
            }
            Some(first_of(decided, otherwise.as_deref().and_then(fails)))
        }
        Expression::Call { function, arguments } if ["COALESCE", "NVL", "IFNULL"].contains(&function.name.as_str()) => {
            in_order(arguments, job, &|value| value.is_not_null())
        }
        Expression::Call { function, arguments } => {
            let outside = function.bounds.iter().zip(arguments).filter_map(|(bound, argument)| {
                let (least, most) = (*bound)?;
                Some(lower(argument, job).not_between(lit(least), lit(most)).is_true())
            });
            let lost = function.is_partial().then(|| valueless(expression, &arguments.iter().collect::<Vec<_>>(), job));
            any(arguments.iter().filter_map(fails).chain(outside).chain(lost).collect())
        }
        Expression::Label(index) if job.unknown_choice == Unknown::Error => {
            Some(ident(column(*index)).is_not_null().and(lower(expression, job).is_null()))
        }
        Expression::Cast { operand, from, to, lenient } => {
            let lost = (!lenient && !is_total(*from, *to)).then(|| valueless(expression, &[operand], job));
            any(fails(operand).into_iter().chain(lost).collect())
        }
        Expression::Shift { operand, .. } => {
            any(fails(operand).into_iter().chain([valueless(expression, &[operand], job)]).collect())
        }
        Expression::Arithmetic { left, right, .. } => {
            let inner = fails(left).into_iter().chain(fails(right));
            any(inner.chain([valueless(expression, &[left, right], job)]).collect())
        }
        _ => any(expression.children().into_iter().filter_map(fails).collect()),
    }
}

/// All parts have a value, and the whole has none.
fn valueless(whole: &Expression, parts: &[&Expression], job: &Job) -> Expr {
    let given = parts.iter().map(|part| lower(part, job).is_not_null()).reduce(Expr::and);
    given.map_or_else(|| lit(false), |given| given.and(lower(whole, job).is_null()))
}

/// Parts that are looked at one after the other, until one decides.
fn in_order(list: &[Expression], job: &Job, decides: &dyn Fn(Expr) -> Expr) -> Option<Expr> {
    let failures: Vec<Option<Expr>> = list.iter().map(|x| failure(x, job)).collect();
    let last = failures.iter().rposition(Option::is_some)?;
    let mut decided = Vec::new();
    for (part, fails) in list.iter().zip(failures).take(last + 1) {
        decided.extend(fails.map(|f| (f, lit(true))));
        decided.push((decides(lower(part, job)), lit(false)));
    }
    Some(first_of(decided, None))
}

fn first_of(decided: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    let arms = decided.into_iter().map(|(when, then)| (Box::new(when), Box::new(then))).collect();
    Expr::Case(Case::new(None, arms, Some(Box::new(otherwise.unwrap_or_else(|| lit(false))))))
}

fn any(list: Vec<Expr>) -> Option<Expr> {
    (!list.is_empty()).then(|| balanced(list, Operator::Or))
}
