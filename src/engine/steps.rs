//! Values that a plan needs more than once, as columns of their own.
//!
//! A value that is asked whether it is there, and then used, stands twice in the expression that does so. Nested, that doubles
//! with every level: a day moved four times would take half a minute to plan. So such a value becomes a column first, computed
//! once, and whoever needs it names the column. In: lowered expressions. Out: their names, and projections that make them.

use std::collections::HashMap;

use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Expr, ident};
use datafusion::prelude::DataFrame;

use super::error::Result;
use super::frame::add;

/// The columns of one stage of a plan. They are called `v`, the stage's letter and a number, and are the caller's to leave out
/// again: [`is_step`] knows them.
pub(super) struct Steps {
    stage: char,
    /// The columns by what they depend on: those of a level use those of earlier ones only.
    levels: Vec<Vec<(String, Expr)>>,
    /// The name and the level of what has a column already.
    known: HashMap<Expr, String>,
    level_of: HashMap<String, usize>,
}

impl Steps {
    pub(super) fn new(stage: char) -> Self {
        Self { stage, levels: Vec::new(), known: HashMap::new(), level_of: HashMap::new() }
    }

    /// A value in a form that may be used any number of times.
    pub(super) fn once(&mut self, value: Expr) -> Expr {
        if matches!(value, Expr::Column(_) | Expr::Literal(..)) {
            return value;
        }
        if let Some(name) = self.known.get(&value) {
            return ident(name);
        }
        let needs = value.column_refs().into_iter().filter_map(|c| self.level_of.get(&c.name)).max();
        let level = needs.map_or(0, |level| level + 1);
        let name = format!("v{}{}", self.stage, self.level_of.len());
        if level == self.levels.len() {
            self.levels.push(Vec::new());
        }
        self.levels[level].push((name.clone(), value.clone()));
        self.level_of.insert(name.clone(), level);
        self.known.insert(value, name.clone());
        ident(name)
    }

    /// A value that DataFusion is going to use several times: a column of its own where it branches itself, so that branches
    /// inside branches do not multiply.
    pub(super) fn branch(&mut self, value: Expr) -> Expr {
        let branches = value.exists(|part| Ok(is_branch(part))).unwrap_or(true);
        if branches { self.once(value) } else { value }
    }

    /// The rows with the columns added: each as late as what uses it allows, so that few of them are carried on at a time.
    pub(super) fn taken(self, rows: DataFrame) -> Result<DataFrame> {
        let count = self.levels.len();
        let mut needed_at: HashMap<String, usize> = HashMap::new();
        let mut late: Vec<Vec<(String, Expr)>> = vec![Vec::new(); count];
        for (name, value) in self.levels.into_iter().rev().flatten() {
            let level = needed_at.get(&name).copied().unwrap_or(count) - 1;
            for used in value.column_refs() {
                let first = needed_at.entry(used.name.clone()).or_insert(level);
                *first = level.min(*first);
            }
            late[level].push((name, value));
        }
        late.into_iter().try_fold(rows, add)
    }
}

/// Whether DataFusion makes a CASE of it, or it is one.
fn is_branch(part: &Expr) -> bool {
    match part {
        Expr::Case(_) => true,
        Expr::ScalarFunction(call) => ["coalesce", "nvl", "nullif"].contains(&call.name()),
        _ => false,
    }
}

/// Whether a column is such a step.
pub(super) fn is_step(name: &str) -> bool {
    name.starts_with('v')
}
