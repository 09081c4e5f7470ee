//! The decoders of pages against the plainest reader: on any bytes the same values, or both refuse.
//!
//! Longer: `FERRY_PAGES=1000000 FERRY_SEED=7 cargo test --release -- decoding:: --nocapture`, which prints what it saw.

#![allow(clippy::print_stdout)] // A long run prints what it saw.

mod columns;
mod draw;
mod dynamics;
mod gainsight;
mod naive;

use crate::generated::dice::Dice;

/// Pages that are drawn, each of which is harmed once too.
const PAGES: usize = 4_000;
/// Pages of which every beginning is read.
const CUT_OFF: usize = 12;

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Holds a reader and the plain one together, on drawn pages and on what is left of them.
fn agree<T: PartialEq + std::fmt::Debug>(
    draw: impl Fn(&mut Dice) -> Vec<u8>,
    ours: impl Fn(&[u8]) -> Option<T>,
    naive: impl Fn(&[u8]) -> Option<T>,
) {
    let (pages, seed) = (number("FERRY_PAGES", PAGES), number("FERRY_SEED", 8));
    let (mut read, mut refused, mut harmed_read, mut cut) = (0_usize, 0_usize, 0_usize, 0_usize);
    let same = |bytes: &[u8], what: &str| {
        let (found, expected) = (ours(bytes), naive(bytes));
        assert_eq!(found, expected, "{what}, left is ours: {}", String::from_utf8_lossy(bytes));
        found.is_some()
    };
    for at in 0..pages {
        let mut dice = Dice::of(u64::try_from(seed * 1_000_003 + at).unwrap());
        let page = draw(&mut dice);
        let is_read = same(&page, &format!("page {at} of seed {seed}"));
        *(if is_read { &mut read } else { &mut refused }) += 1;
        let harmed = draw::harmed(&mut dice, &page);
        harmed_read += usize::from(same(&harmed, &format!("page {at} of seed {seed}, harmed")));
        if is_read && page.len() > 100 && cut < CUT_OFF * pages / PAGES {
            cut += 1;
            for end in 0..page.trim_ascii_end().len() {
                assert!(!same(&page[..end], &format!("page {at} of seed {seed}, cut off at {end}")));
            }
        }
    }
    println!("{pages} pages: {read} read, {refused} refused; harmed {harmed_read} read; {cut} cut off everywhere");
    assert!(
        read > pages / 3 && refused > pages / 20 && harmed_read > pages / 20 && cut > 0,
        "{read} {refused} {harmed_read} {cut}"
    );
}
