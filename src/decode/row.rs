//! Rows whose names nobody looks up: each is expected where it stood in the row before.
//!
//! A service writes all rows of a page alike, and leaves out at the most what has no value. So the names of the rows before are kept as
//! they were written; one that comes again is known by its bytes. Any other is read, looked up, and expected from then on.

use super::scan::Scan;
use super::{Fault, Kind};

/// Names that are kept of the rows before.
const KEPT_AT_MOST: usize = 2_048;
/// How many names that were expected may be left out at once.
const LEFT_OUT_AT_MOST: usize = 4;

/// Where the values of rows go.
pub trait Rows {
    /// The slot for the value of a name; none if nobody wants it.
    fn slot(&self, name: &str) -> Option<usize>;

    /// Takes the value at whose first byte the scan stands.
    ///
    /// # Errors
    /// If it is no JSON, beyond the bounds, or not what belongs there.
    fn take(&mut self, slot: usize, scan: &mut Scan<'_>) -> Result<(), Fault>;

    /// Ends the row that began at a place and ends where the scan stands.
    ///
    /// # Errors
    /// If it lacks what it cannot be without.
    fn end(&mut self, start: usize, scan: &Scan<'_>) -> Result<(), Fault>;

    /// Makes room for so many rows, as the first one lets guess.
    fn reserve(&mut self, rows: usize);
}

/// Reads the list of rows at which the scan stands.
///
/// # Errors
/// If it is none, or as [`Rows`] say.
pub fn read(scan: &mut Scan<'_>, rows: &mut impl Rows) -> Result<(), Fault> {
    let mut names = Names::default();
    let mut is_first = true;
    scan.enter(b'[', "a list of rows")?;
    let mut goes_on = scan.begins(b']');
    while goes_on {
        scan.blank();
        let start = scan.at;
        names.read(scan, rows)?;
        rows.end(start, scan)?;
        if is_first {
            rows.reserve(1 + scan.left() / (scan.at - start));
            is_first = false;
        }
        goes_on = scan.goes_on(b']')?;
    }
    Ok(())
}

/// The names of the rows before, in the order in which they came.
#[derive(Debug, Default)]
struct Names<'a> {
    kept: Vec<Name<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct Name<'a> {
    /// With its quotes.
    written: &'a [u8],
    slot: Option<usize>,
}

impl<'a> Names<'a> {
    /// Reads the row at which the scan stands.
    #[inline]
    fn read(&mut self, scan: &mut Scan<'a>, row: &mut impl Rows) -> Result<(), Fault> {
        scan.enter(b'{', "a row")?;
        let (mut place, mut names) = (0, 0);
        let mut goes_on = scan.begins(b'}');
        while goes_on {
            names += 1;
            if names > scan.bounds.names {
                return Err(Fault { at: scan.at, kind: Kind::Names });
            }
            scan.blank();
            let slot = match self.kept.get(place) {
                Some(name) if scan.is_next(name.written) => {
                    place += 1;
                    name.slot
                }
                _ => self.unexpected(&mut place, scan, row)?,
            };
            scan.expect(b':')?;
            scan.blank();
            match slot {
                Some(slot) => row.take(slot, scan)?,
                None => scan.skip()?,
            }
            goes_on = scan.goes_on(b'}')?;
        }
        Ok(())
    }

    #[inline(never)]
    fn unexpected(&mut self, place: &mut usize, scan: &mut Scan<'a>, row: &impl Rows) -> Result<Option<usize>, Fault> {
        let ahead = self.kept.iter().enumerate().skip(*place + 1).take(LEFT_OUT_AT_MOST);
        for (at, name) in ahead {
            if scan.is_next(name.written) {
                *place = at + 1;
                return Ok(name.slot);
            }
        }
        if scan.byte() != b'"' {
            return Err(scan.malformed("a member without a name"));
        }
        let start = scan.at;
        let name = scan.text()?;
        let name = Name { written: scan.since(start), slot: row.slot(&name.into_string()) };
        if self.kept.len() < KEPT_AT_MOST {
            self.kept.insert(*place, name);
            *place += 1;
        }
        Ok(name.slot)
    }
}
