//! The workload that every number is about: contacts of Dataverse that become records of a custom object in Gainsight, with a company and
//! an owner each, most of them there already.
//!
//! Contacts come in pages of 5,000 rows of 20 properties, about 846 bytes a row, of which the job wants 12. A filter drops 15 %. Each row
//! looks for its company among 200,000 records (1 % of the keys are there twice, which is an error; a company that is not there rejects the
//! row) and for its owner among 5,000 users (any; none is null). The target holds as many records as there are rows. Everything follows
//! from a number of rows, a [`Mix`] and a constant seed; a page is made by itself, so any number of rows fits into memory.
//!
//! Not here: Ferry's own way through it, and anything that is timed. In: numbers. Out: pages, batches, files.

pub mod contact;
pub mod folder;
pub mod job;
pub mod page;
pub mod records;
pub mod world;

/// Rows of a page, as many as Dataverse gives at the most.
pub const ROWS_PER_PAGE: u64 = 5_000;
/// Companies that Gainsight holds.
pub const COMPANIES: u64 = 200_000;
/// Users that Gainsight holds.
pub const USERS: u64 = 5_000;

/// What befalls the rows, each as so many of a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// Contacts that are not active, and dropped by the filter.
    pub inactive: u64,
    /// Contacts whose company Gainsight does not hold.
    pub without_company: u64,
    /// Contacts whose owner is none of Gainsight's users.
    pub without_owner: u64,
    /// Keys that two records of a lookup share.
    pub doubled: u64,
    /// Contacts whose record holds something else.
    pub changed: u64,
    /// Contacts that have no record yet; a stranger's stands in its place.
    pub new: u64,
}

impl Default for Mix {
    fn default() -> Self {
        Self { inactive: 150, without_company: 45, without_owner: 20, doubled: 10, changed: 20, new: 0 }
    }
}

/// A number of rows and what befalls them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// Contacts.
    pub rows: u64,
    /// What befalls them.
    pub mix: Mix,
}

impl Workload {
    /// That many rows, with the usual mix.
    pub fn of(rows: u64) -> Self {
        Self { rows, mix: Mix::default() }
    }

    /// How many pages there are.
    pub fn pages(&self) -> u64 {
        self.rows.div_ceil(ROWS_PER_PAGE)
    }

    /// Numbers of the rows of a page.
    pub fn rows_of(&self, page: u64) -> std::ops::Range<u64> {
        page * ROWS_PER_PAGE..((page + 1) * ROWS_PER_PAGE).min(self.rows)
    }
}
