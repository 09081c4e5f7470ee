//! Labels of choices: a code, or several, as the text that people see.

use datafusion::functions::expr_fn::{character_length, coalesce, concat, replace, rtrim};
use datafusion::logical_expr::{Case, Expr, binary_expr, ident, lit};

use super::frame::null_text;
use super::lower::column;
use crate::model::field::{Choice, FieldKind};
use crate::model::job::Job;

/// What stands between the labels of several choices: what Gainsight's lists of items have between theirs.
const BETWEEN: &str = ";";

/// The label of a choice column, or the labels of its choices in the option set's order; null for one that has none.
pub(super) fn known(index: usize, job: &Job) -> Expr {
    let field = &job.columns[index].field;
    let choices = &field.choices;
    if choices.is_empty() {
        return null_text();
    }
    if field.kind == FieldKind::MultiChoice {
        return several(index, choices);
    }
    let arms = choices
        .iter()
        .filter_map(|c| Some((Box::new(lit(c.code.parse::<i64>().ok()?)), Box::new(lit(c.label.as_str())))))
        .collect();
    Expr::Case(Case::new(Some(Box::new(ident(column(index)))), arms, None))
}

fn several(index: usize, choices: &[Choice]) -> Expr {
    let codes = || replace(ident(column(index)), lit(" "), lit(""));
    let fenced = || concat(vec![lit(","), codes(), lit(",")]);
    let holds = |choice: &Choice| fenced().like(lit(format!("%,{},%", choice.code)));
    let either = |condition: Expr, yes: Expr, no: Expr| {
        Expr::Case(Case::new(None, vec![(Box::new(condition), Box::new(yes))], Some(Box::new(no))))
    };
    let texts = choices.iter().map(|c| either(holds(c), lit(format!("{}{BETWEEN}", c.label)), lit("")));
    let text = rtrim(vec![concat(texts.collect()), lit(BETWEEN)]);
    // As many known codes as there are codes: else one of them has no label.
    let found = choices.iter().map(|c| either(holds(c), lit(1_i64), lit(0_i64)));
    let found = found.reduce(|a, b| a + b).unwrap_or_else(|| lit(0_i64));
    let commas = binary_expr(
        character_length(codes()),
        datafusion::logical_expr::Operator::Minus,
        character_length(replace(codes(), lit(","), lit(""))),
    );
    let all_known = coalesce(vec![found.eq(commas + lit(1_i64)), lit(false)]);
    Expr::Case(Case::new(None, vec![(Box::new(all_known), Box::new(text))], None))
}
