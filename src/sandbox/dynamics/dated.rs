//! The rows of a table by a moment of theirs, as an index keeps them.
//!
//! It follows every change, where lists that are sorted once (`order`) are forgotten with the first. Callers ask by the
//! moments of creation and of change again and again, mostly for few rows of many. Rows are looked at only where a filter
//! says more than the bounds that it gives the moment. In: rows as they come and go, filters. Out: rows, by their moments
//! or by their keys.

use std::collections::BTreeMap;
use std::iter::successors;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use super::filter::{Condition, Side, Test};
use super::guid::Guid;
use super::order::Order;
use super::row::{Comparable, Row};
use super::schema::TableSchema;

/// The columns that have an index.
const INDEXED: [&str; 2] = ["createdon", "modifiedon"];

/// Where a row stands: its moment, none first, and its key.
pub(in crate::sandbox) type Stand = (Option<i64>, Guid);

/// The rows of one table by one column.
pub(in crate::sandbox) struct Dated {
    column: usize,
    stands: BTreeMap<Stand, Arc<Row>>,
}

/// The stands between which a filter can hold, both inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::sandbox) struct Between {
    from: Stand,
    to: Stand,
}

impl Dated {
    /// The indexes of a table, empty.
    pub(in crate::sandbox) fn of(table: &TableSchema) -> Vec<Self> {
        let columns = INDEXED.iter().filter_map(|name| table.column(name));
        columns.map(|column| Dated { column, stands: BTreeMap::new() }).collect()
    }

    pub(in crate::sandbox) fn add(&mut self, id: Guid, row: &Arc<Row>) {
        self.stands.insert((row.moment(self.column), id), Arc::clone(row));
    }

    pub(in crate::sandbox) fn remove(&mut self, id: Guid, row: &Row) {
        self.stands.remove(&(row.moment(self.column), id));
    }

    /// Whether its keys are in that order, and then whether from the last one on.
    pub(in crate::sandbox) fn serves(&self, order: &Order) -> Option<bool> {
        match order.by.as_slice() {
            [(column, descending)] if *column == self.column => Some(*descending),
            _ => None,
        }
    }

    /// The rows that a filter leaves, behind a stand or from it on, the earliest moment first.
    pub(in crate::sandbox) fn ascending<'a>(
        &'a self,
        filter: Option<&'a Condition>,
        table: &'a TableSchema,
        after: Bound<Stand>,
    ) -> impl Iterator<Item = (Guid, &'a Row)> {
        let (part, is_all) = self.between(filter);
        let (from, last) = match after {
            Bound::Included(stand) | Bound::Excluded(stand) if stand >= part.from => (after, stand),
            _ => (Bound::Included(part.from), part.from),
        };
        let found = (last <= part.to).then(|| self.stands.range((from, Bound::Included(part.to))));
        let rest = filter.filter(|_| !is_all);
        let rows = found.into_iter().flatten().map(|((_, id), row)| (*id, row.as_ref()));
        rows.filter(move |(_, row)| rest.is_none_or(|rest| rest.holds(row, table)))
    }

    /// The rows that a filter leaves, behind a stand or from it on, the latest moment first; of equals the keys ascend.
    pub(in crate::sandbox) fn descending<'a>(
        &'a self,
        filter: Option<&'a Condition>,
        table: &'a TableSchema,
        after: Bound<Stand>,
    ) -> impl Iterator<Item = (Guid, &'a Row)> {
        let (part, _) = self.between(filter);
        let (first, from) = match after {
            Bound::Included(stand) | Bound::Excluded(stand) => (Some(stand.0), Some(after)),
            Bound::Unbounded => (self.stands.range(..=part.to).next_back().map(|((moment, _), _)| *moment), None),
        };
        let earlier = |moment: &Option<i64>| {
            let before = self.stands.range(..(*moment, Guid::LEAST)).next_back();
            before.map(|((moment, _), _)| *moment)
        };
        let moments = successors(first, earlier).take_while(move |moment| *moment >= part.from.0);
        let rows = moments.flat_map(move |moment| {
            let begin = from.filter(|_| Some(moment) == first).unwrap_or(Bound::Included((moment, Guid::LEAST)));
            let equal = self.stands.range((begin, Bound::Included((moment, Guid::GREATEST))));
            equal.map(|((_, id), row)| (*id, row.as_ref()))
        });
        rows.filter(move |(_, row)| filter.is_none_or(|filter| filter.holds(row, table)))
    }

    /// The rows that a filter leaves by their keys, from a key on, if it has bounds and they leave no more than that.
    pub(in crate::sandbox) fn few<'a>(
        &'a self,
        filter: Option<&'a Condition>,
        table: &'a TableSchema,
        after: Bound<Guid>,
        most: usize,
    ) -> Option<Vec<(Guid, &'a Row)>> {
        let (part, _) = self.between(filter);
        if part == Between::ALL || part.from <= part.to && self.stands.range(part.from..=part.to).nth(most).is_some() {
            return None;
        }
        let all = self.ascending(filter, table, Bound::Unbounded);
        let mut few: Vec<_> = all.filter(|(id, _)| (after, Bound::Unbounded).contains(id)).collect();
        few.sort_unstable_by_key(|(id, _)| *id);
        Some(few)
    }

    /// What a filter's bounds leave, and whether it has nothing but these bounds.
    fn between(&self, filter: Option<&Condition>) -> (Between, bool) {
        let mut part = Between::ALL;
        let is_all = filter.is_none_or(|filter| part.narrow(filter, self.column));
        (part, is_all)
    }
}

impl Between {
    const ALL: Between = Between { from: (None, Guid::LEAST), to: (Some(i64::MAX), Guid::GREATEST) };

    /// Says whether that is all that the condition says: then no row is asked any more, so bounds are exactly what
    /// `filter::compare` says of every moment and of none.
    fn narrow(&mut self, condition: &Condition, column: usize) -> bool {
        match condition {
            Condition::All(conditions) => conditions.iter().filter(|one| !self.narrow(one, column)).count() == 0,
            Condition::Compare(of, test, Side::Value(value)) if *of == column => {
                let (first, last) = (Some(i64::MIN), Some(i64::MAX));
                // What is compared with a moment is none where there is no moment.
                let (least, greatest) = match (test, value) {
                    (Test::Equal, Comparable::Null) => (None, None),
                    (Test::NotEqual, Comparable::Null) => (first, last),
                    (Test::Equal, Comparable::Instant(at)) => (Some(*at), Some(*at)),
                    (Test::Greater, Comparable::Instant(at)) => (Some(at.saturating_add(1)), last),
                    (Test::GreaterOrEqual, Comparable::Instant(at)) => (Some(*at), last),
                    (Test::Less, Comparable::Instant(at)) => (first, Some(at.saturating_sub(1))),
                    (Test::LessOrEqual, Comparable::Instant(at)) => (first, Some(*at)),
                    _ => return false,
                };
                self.from = self.from.max((least, Guid::LEAST));
                self.to = self.to.min((greatest, Guid::GREATEST));
                true
            }
            _ => false,
        }
    }
}
