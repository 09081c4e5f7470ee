//! The projects of the generated world: rows of a table that a customer made.
//!
//! In: the drawing, with its users and accounts. Out: rows of `new_project`.

use serde_json::json;

use super::super::options::Error;
use super::names::{COMPANY, TRADE};
use super::opportunities::{own, settle};
use super::seeded::{Draw, Row, row, time};

pub(super) fn draw(draw: &mut Draw, count: usize, put: &mut dyn FnMut(&Row) -> Result<(), Error>) -> Result<(), Error> {
    for number in 0..count {
        let mut row = ordinary(draw, number);
        settle(draw, &mut row, &["new_budget"]);
        put(&row)?;
    }
    Ok(())
}

fn ordinary(draw: &mut Draw, number: usize) -> Row {
    let (one, two) = (draw.chance.pick(&COMPANY), draw.chance.pick(&TRADE));
    let budget = draw.chance.below(90_000) as f64 + draw.chance.below(100) as f64 / 100.0;
    // A start at a full hour of the wall clock, wherever it is read.
    let start = 1_735_689_600 + 3_600 * draw.chance.below(10_000) as i64;
    let account = draw.accounts[draw.chance.below(draw.accounts.len())].clone();
    let (with_account, budgeted, ended) = (!draw.chance.percent(15), !draw.chance.percent(10), draw.chance.percent(20));
    let currency = draw.chance.below(draw.currencies.len());
    let mut row = row(json!({
        "new_projectid": draw.chance.guid(),
        "new_name": format!("{one} {two} Rollout {number}"),
        "new_code": format!("PRJ-{number:05}"),
        "_new_accountid_value": with_account.then_some(account),
        "new_budget": budgeted.then_some(budget),
        "new_start": time(start),
        "_transactioncurrencyid_value": draw.currencies[currency].id,
        "statecode": i32::from(ended),
        "statuscode": 1 + i32::from(ended),
    }));
    own(draw, &mut row);
    draw.stamp(&mut row);
    row
}
