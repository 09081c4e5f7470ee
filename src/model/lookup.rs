//! A derived mapping: find one record of an object by equalities, with a policy for none and for several.
//!
//! One row in, one row out, always: a lookup never multiplies rows and never drops one.

use super::expression::Expression;
use super::field::Field;
use super::job::{Fold, ObjectRef};
use super::place::Place;

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

/// One equality of a lookup.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The field of the object that is searched.
    pub field: Field,
    /// What it must equal.
    pub value: Expression,
    /// How the two sides are made alike before they are compared.
    pub fold: Fold,
    /// The source column, where the value is a bare one that may point at rows of several tables.
    pub polymorphic: Option<usize>,
}

/// `WHEN MULTIPLE MATCHED THEN …`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMultiple {
    /// `USE ANY`: the record with the smallest GSID, so that two runs agree.
    UseAny,
    /// `ERROR`: the row goes to the error file as an error.
    Error,
}

/// `WHEN NOT MATCHED THEN …`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnNone {
    /// `USE NULL`: the looked-up fields are null.
    UseNull,
    /// `REJECT`: the row goes to the error file as rejected.
    Reject,
}
