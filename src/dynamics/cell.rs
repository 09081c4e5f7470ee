//! One value of a row, as Dataverse writes it → one value of a column.
//!
//! In: a scan that stands at the value, and its column. Out: the column with one more row, or what should have been there.

use crate::decode::column::Column;
use crate::decode::scan::Scan;
use crate::decode::written::{days, decimal, moment, parsed, whole};
use crate::decode::{Fault, Kind};

/// Takes the value in. The fault names the column by its place in the layout.
#[inline]
pub(super) fn take(column: &mut Column, place: usize, scan: &mut Scan<'_>) -> Result<(), Fault> {
    let (at, first) = (scan.at(), scan.byte());
    if first == b'n' {
        scan.word(b"null")?;
        column.null();
        return Ok(());
    }
    let no = |what| Fault { at, kind: Kind::Column(place, what) };
    if let Column::Texts(texts) = column {
        if first != b'"' {
            scan.skip()?;
            return Err(no("a text"));
        }
        return texts.take(scan);
    }
    // A number may come as a text (`IEEE754Compatible`), and a text only as one.
    let written = &*scan.scalar()?;
    match column {
        Column::Texts(_) => {}
        Column::Wholes(c) => c.push(whole(written).ok_or_else(|| no("a whole number"))?),
        Column::Decimals(c) => c.push(decimal(written).ok_or_else(|| no("a decimal number"))?),
        Column::Doubles(c) => c.push(parsed(written).ok_or_else(|| no("a number"))?),
        Column::Booleans(c) => c.push(parsed(written).ok_or_else(|| no("true or false"))?),
        Column::Days(c) => c.push(days(written).ok_or_else(|| no("a date"))?),
        Column::Moments(c) => c.push(moment(written).ok_or_else(|| no("a time"))?),
    }
    Ok(())
}
