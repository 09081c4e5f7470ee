//! Expressions that look at their parts one after the other: `AND`, `OR`, `CASE`, `COALESCE`.
//!
//! Only what is looked at can fail: not an arm that is not taken, nor what stands behind the part that decides.

use datafusion::logical_expr::{Case, Expr, Operator, lit};

use super::lower::{Lowered, balanced};
use super::steps::Steps;

/// Parts that are looked at until one decides: their values, and for which rows they fail as a whole.
pub(super) fn in_order(
    parts: Vec<Lowered>,
    steps: &mut Steps,
    decides: impl Fn(Expr) -> Expr,
) -> (Vec<Expr>, Option<Expr>) {
    let last = parts.iter().rposition(|part| part.fails.is_some());
    let (mut values, mut decided) = (Vec::with_capacity(parts.len()), Vec::new());
    for (at, part) in parts.into_iter().enumerate() {
        if last.is_none_or(|last| at > last) {
            values.push(part.value);
            continue;
        }
        let value = steps.once(part.value);
        decided.extend(part.fails.map(|fails| (steps.once(fails), lit(true))));
        decided.push((decides(value.clone()), lit(false)));
        values.push(value);
    }
    (values, last.map(|_| first_of(decided, None)))
}

/// The first arm whose condition is true.
pub(super) fn case(arms: Vec<(Lowered, Lowered)>, otherwise: Option<Lowered>, steps: &mut Steps) -> Lowered {
    let may_fail = |x: &Lowered| x.fails.is_some();
    if !arms.iter().any(|(c, v)| may_fail(c) || may_fail(v)) && !otherwise.as_ref().is_some_and(may_fail) {
        // DataFusion turns a CASE of conditions into ANDs and ORs, in which each of them stands several times.
        let arms = arms.into_iter().map(|(c, v)| (Box::new(steps.branch(c.value)), Box::new(v.value))).collect();
        let value = Expr::Case(Case::new(None, arms, otherwise.map(|x| Box::new(x.value))));
        return Lowered { value, fails: None };
    }
    let (mut values, mut decided) = (Vec::with_capacity(arms.len()), Vec::new());
    for (condition, value) in arms {
        let holds = steps.once(condition.value);
        decided.extend(condition.fails.map(|fails| (steps.once(fails), lit(true))));
        let fails = value.fails.map_or_else(|| lit(false), |fails| steps.once(fails));
        decided.push((holds.clone().is_true(), fails));
        values.push((Box::new(holds), Box::new(value.value)));
    }
    let (otherwise, fails) =
        otherwise.map_or((None, None), |x| (Some(Box::new(x.value)), x.fails.map(|fails| steps.once(fails))));
    Lowered { value: Expr::Case(Case::new(None, values, otherwise)), fails: Some(first_of(decided, fails)) }
}

/// Whether one of these holds; none if there are none.
pub(super) fn any(list: Vec<Expr>) -> Option<Expr> {
    (!list.is_empty()).then(|| balanced(list, Operator::Or))
}

fn first_of(decided: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    let arms = decided.into_iter().map(|(when, then)| (Box::new(when), Box::new(then))).collect();
    Expr::Case(Case::new(None, arms, Some(Box::new(otherwise.unwrap_or_else(|| lit(false))))))
}
