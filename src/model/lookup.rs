//! A derived mapping: find one record of an object by equalities, with a policy for none and for several.
//!
//! One row in, one row out, always: a lookup never multiplies rows and never drops one.

use super::expression::{Expression, Literal};
use super::field::Field;
use super::job::{Fold, ObjectRef};
use super::place::Place;
use super::value::ValueType;

/// `LOOKUP gainsight.Company AS co ON … WHEN MULTIPLE MATCHED … WHEN NOT MATCHED …`.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// The name that mappings use for the found record.
    pub alias: String,
    /// Where to look.
    pub object: ObjectRef,
    /// One to six equalities, all of which must hold. A null matches nothing.
    pub matches: Vec<Match>,
    /// The fields of the found record that the job uses.
    pub yields: Vec<Field>,
    /// Whether it also matches records that this run is going to insert.
    pub after_load: bool,
    /// What several matches mean.
    pub on_multiple: OnMultiple,
    /// What no match means.
    pub on_none: OnNone,
    /// Where the clause stands.
    pub place: Place,
}

impl Lookup {
    /// The fields of the searched object that it needs: what it is found by, what it gives, what orders it.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        let orders: &[Order] = if let OnMultiple::UseFirst(orders) = &self.on_multiple { orders } else { &[] };
        self.matches.iter().map(|m| &m.field).chain(&self.yields).chain(orders.iter().map(|o| &o.field))
    }
}

/// One equality of a lookup.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The field of the object that is searched.
    pub field: Field,
    /// What it must equal.
    pub value: Expression,
    /// The type in which the two sides are compared.
    pub of: ValueType,
    /// How the two sides are made alike before they are compared.
    pub fold: Fold,
    /// The source column, where the value is a bare one that may point at rows of several tables.
    pub polymorphic: Option<usize>,
}

/// `WHEN MULTIPLE MATCHED THEN …`
#[derive(Debug, Clone, PartialEq)]
pub enum OnMultiple {
    /// `USE ANY`: the record with the smallest id, so that two runs agree.
    UseAny,
    /// `USE FIRST BY`: the first in this order, nulls last, and of equals the one with the smallest id.
    UseFirst(Vec<Order>),
    /// `ERROR`: the row goes to the error file as an error.
    Error,
}

/// One field of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The field.
    pub field: Field,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// `WHEN NOT MATCHED THEN …`
#[derive(Debug, Clone, PartialEq)]
pub enum OnNone {
    /// `USE value`: the looked-up fields have this value, which may be null.
    Use(Literal),
    /// `REJECT`: the row goes to the error file as rejected.
    Reject,
}
