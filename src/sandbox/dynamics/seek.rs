//! Where in a sorted list the rows of a filter can stand, as an index lets a database seek.
//!
//! It narrows, it does not filter: every row is still asked. In: a filter, an order and the sorted list. Out: the part of
//! the list outside of which no row can satisfy the filter.

use std::cmp::Ordering;
use std::ops::Range;

use super::filter::{Condition, Side, Test};
use super::order::{Order, Sorted};
use super::row::Comparable;

/// The part of `sorted` that the filter's bounds on the first, ascending column of the order leave.
pub(in crate::sandbox) fn part(filter: Option<&Condition>, order: &Order, sorted: &Sorted) -> Range<usize> {
    let mut part = 0..sorted.len();
    if let (Some(filter), Some((column, false))) = (filter, order.by.first()) {
        narrow(filter, *column, sorted, &mut part);
    }
    part.start..part.end.max(part.start)
}

fn narrow(condition: &Condition, column: usize, sorted: &Sorted, part: &mut Range<usize>) {
    match condition {
        Condition::All(conditions) => conditions.iter().for_each(|one| narrow(one, column, sorted, part)),
        Condition::Compare(of, test, Side::Value(value)) if *of == column && *value != Comparable::Null => {
            let before = |wanted: &[Ordering]| sorted.partition_point(|(by, _)| wanted.contains(&by[0].order(value)));
            match test {
                Test::Greater => part.start = part.start.max(before(&[Ordering::Less, Ordering::Equal])),
                Test::GreaterOrEqual => part.start = part.start.max(before(&[Ordering::Less])),
                Test::Less => part.end = part.end.min(before(&[Ordering::Less])),
                Test::LessOrEqual => part.end = part.end.min(before(&[Ordering::Less, Ordering::Equal])),
                Test::Equal | Test::NotEqual => {}
            }
        }
        _ => {}
    }
}
