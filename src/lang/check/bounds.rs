//! Expressions that are too large or too deep to be planned are refused here, where the place is known.
//!
//! The engine lowers each expression twice: to its value, and to the condition under which it has none. The second grows with
//! every part that can fail by all that stands below that part, and both are as deep as the expression: DataFusion's recursion
//! would end the process, which no diagnostic can mend.

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
/// What the parts of one expression that can fail carry below them, together.
const WEIGHT_AT_MOST: usize = 6_000;

/// The measures of one expression.
#[derive(Clone, Copy, Default)]
struct Measure {
    nodes: usize,
    depth: usize,
    weight: usize,
}

/// None, and a diagnostic, if the job's expressions are too large to plan.
pub(super) fn check(written: &ast::Job, out: &mut Diagnostics) -> Option<()> {
    let mut nodes = 0;
    let mut whole = Some(());
    for expression in written.expressions() {
        let measure = measure(expression);
        nodes += measure.nodes;
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
        if measure.depth > DEPTH_AT_MOST || measure.weight > WEIGHT_AT_MOST {
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
    let below = Measure {
        nodes: 1 + children.iter().map(|m| m.nodes).sum::<usize>(),
        depth: children.iter().map(|m| m.depth).max().unwrap_or(0),
        weight: children.iter().map(|m| m.weight).sum(),
    };
    let (levels, failing) = match &expression.node {
        Node::Arithmetic(_, rest) => (3 * rest.len(), rest.len().div_ceil(2)),
        Node::Negative(_) => (4, 1),
        Node::Call(_) => (2, 1),
        // Balanced, however many they are.
        Node::All(list) | Node::Any(list) | Node::Concat(list) => (list.len().ilog2() as usize + 1, 0),
        _ => (1, 0),
    };
    Measure { nodes: below.nodes, depth: below.depth + levels, weight: below.weight + failing * below.nodes }
}
