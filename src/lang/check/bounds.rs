//! Expressions that are too large or too deep to be planned are refused here, where the place is known.
//!
//! A plan is as deep as the expressions that it is made from: DataFusion's recursion would end the process, which no diagnostic
//! can mend. Parts count as often as the checker writes them into the tree: the operand of `BETWEEN` twice, that of
//! `CASE x WHEN …` once an arm, so that nesting them cannot double what is to be planned without being counted.

use crate::diagnostic::code::TOO_MUCH;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast;
use crate::lang::ast_expression::{Expression, Node};

/// Parts of all expressions of one job together.
const NODES_AT_MOST: usize = 10_000;
/// Levels of one expression, as the engine sees it.
const DEPTH_AT_MOST: usize = 80;
/// Terms of one `AND`, `OR` or `||`.
const TERMS_AT_MOST: usize = 1_000;

/// The measures of one expression.
#[derive(Clone, Copy, Default)]
struct Measure {
    nodes: usize,
    depth: usize,
}

/// None, and a diagnostic, if the job's expressions are too large to plan.
pub(super) fn check(written: &ast::Job, out: &mut Diagnostics) -> Option<()> {
    let mut nodes = 0_usize;
    let mut whole = Some(());
    for expression in written.expressions() {
        let measure = measure(expression);
        nodes = nodes.saturating_add(measure.nodes);
        expression.walk(&mut |part| {
            if let Node::All(list) | Node::Any(list) | Node::Concat(list) = &part.node
                && list.len() > TERMS_AT_MOST
            {
                let message = format!("{TERMS_AT_MOST} terms are the most, and these are {}", list.len());
                let help = "put the values into an object of Gainsight and find them with a LOOKUP";
                out.push(Diagnostic::error(TOO_MUCH, list[0].span, message).help(help));
                whole = None;
            }
        });
        if measure.depth > DEPTH_AT_MOST {
            let message = "this expression is nested too deeply to be planned";
            let first = crate::diagnostic::source::Span { end: expression.span.start + 1, ..expression.span };
            out.push(Diagnostic::error(TOO_MUCH, first, message).help("calculate a part of it in Dynamics"));
            whole = None;
        }
    }
    if nodes > NODES_AT_MOST {
        let message = format!("the job's expressions have {nodes} parts; {NODES_AT_MOST} are the most");
        out.push(Diagnostic::error(TOO_MUCH, written.name.span, message).help("split it into several jobs"));
        return None;
    }
    whole
}

fn measure(expression: &Expression) -> Measure {
    let children: Vec<Measure> = expression.children().into_iter().map(measure).collect();
    let copies = match &expression.node {
        Node::Between { operand, .. } => measure(operand).nodes,
        Node::Case { operand: Some(operand), arms, .. } => measure(operand).nodes.saturating_mul(arms.len() - 1),
        _ => 0,
    };
    let levels = match &expression.node {
        Node::Arithmetic(_, rest) => 3 * rest.len(),
        Node::Negative(_) => 4,
        Node::Call(_) => 2,
        // Balanced, however many they are.
        Node::All(list) | Node::Any(list) | Node::Concat(list) => list.len().ilog2() as usize + 1,
        _ => 1,
    };
    Measure {
        nodes: children.iter().fold(copies.saturating_add(1), |sum, m| sum.saturating_add(m.nodes)),
        depth: children.iter().map(|m| m.depth).max().unwrap_or(0) + levels,
    }
}
