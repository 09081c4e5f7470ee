//! The opportunities of the generated world.
//!
//! Roughly half are open; some have no account, no value or no close date, and one in seven belongs to a team. In: the
//! drawing, with its users, accounts and contacts. Out: rows of `opportunity`.

use serde_json::{Value, json};

use super::super::options::Error;
use super::names::{COMPANY, TRADE};
use super::seeded::{Draw, Row, over, row, time};

const OWNER: &str = "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname";
const CUSTOMER: &str = "_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname";
const DEAL: [&str; 6] = ["Renewal", "Expansion", "New Business", "Pilot", "Migration", "Support Plan"];
const CLOSE_TEXT: [&str; 6] = ["2026-03-31", "2025-12-01", "31.03.2026", "Q3", "soon", ""];
const STAGES: [&str; 5] = ["100000000", "100000001", "100000000,100000001", "100000002,100000003", "100000003"];

pub(super) fn draw(draw: &mut Draw, count: usize, put: &mut dyn FnMut(&Row) -> Result<(), Error>) -> Result<(), Error> {
    let special = special(draw);
    for number in 0..count.max(special.len()) {
        let id = match special.get(number) {
            Some((id, _)) => id.clone(),
            None => draw.chance.guid(),
        };
        let mut row = ordinary(draw, number, id);
        if let Some((_, values)) = special.get(number) {
            over(&mut row, values.clone());
        }
        settle(draw, &mut row, &["estimatedvalue", "actualvalue"]);
        put(&row)?;
    }
    Ok(())
}

/// Derives from a complete row what the service derives: the owning user or team, the rate, the decimals of amounts
/// and the base amounts.
pub(super) fn settle(draw: &Draw, row: &mut Row, amounts: &[&str]) {
    let owner = row.get("_ownerid_value").cloned().unwrap_or(Value::Null);
    let owning = if row.get(OWNER).is_some_and(|target| target == "team") { "team" } else { "user" };
    row.insert(format!("_owning{owning}_value"), owner);
    let currency = draw.currencies.iter().find(|one| row.get("_transactioncurrencyid_value") == Some(&json!(one.id)));
    let Some(currency) = currency else { return };
    row.insert("exchangerate".to_owned(), currency.rate.into());
    for name in amounts {
        if let Some(amount) = row.get(*name).and_then(Value::as_f64) {
            let unit = 10f64.powi(i32::from(currency.decimals));
            let amount = (amount * unit).round() / unit;
            row.insert((*name).to_owned(), amount.into());
            row.insert(format!("{name}_base"), (amount / currency.rate).into());
        }
    }
}

/// Puts a user or a team as the owner.
pub(super) fn own(draw: &mut Draw, row: &mut Row) {
    let (owner, target) = if draw.chance.percent(15) {
        (json!(draw.teams[draw.chance.below(draw.teams.len())]), "team")
    } else {
        (draw.owner(), "systemuser")
    };
    over(row, json!({"_ownerid_value": owner, OWNER: target, "_owningbusinessunit_value": draw.business_unit}));
}

fn ordinary(draw: &mut Draw, number: usize, id: String) -> Row {
    let (deal, one, two) = (draw.chance.pick(&DEAL), draw.chance.pick(&COMPANY), draw.chance.pick(&TRADE));
    let value = draw.chance.below(400_000) as f64 + draw.chance.below(100) as f64 / 100.0;
    let (valued, due) = (!draw.chance.percent(5), !draw.chance.percent(5));
    let close = time(1_735_689_600 + draw.chance.below(60_000_000) as i64);
    let account = draw.accounts[draw.chance.below(draw.accounts.len())].clone();
    let contact = draw.contacts[draw.chance.below(draw.contacts.len())].clone();
    let (with_account, with_contact) = (!draw.chance.percent(3), draw.chance.percent(60));
    let customer = if with_account { (&account, "account") } else { (&contact, "contact") };
    let currency = if draw.chance.percent(60) { 0 } else { draw.chance.below(draw.currencies.len()) };
    let (described, told, staged) = (draw.chance.percent(20), draw.chance.percent(50), draw.chance.percent(70));
    let told = told.then(|| draw.chance.pick(&CLOSE_TEXT)).filter(|text| !text.is_empty());
    let mut row = row(json!({
        "opportunityid": id,
        "name": format!("{deal} {one} {two} {number}"),
        "description": described.then(|| format!("{deal} for {one} {two}.\nSecond line.")),
        "_parentaccountid_value": with_account.then_some(&account),
        "_parentcontactid_value": with_contact.then_some(&contact),
        "_customerid_value": customer.0,
        CUSTOMER: customer.1,
        "estimatedvalue": valued.then_some(value),
        "estimatedclosedate": due.then_some(&close[..10]),
        "opportunityratingcode": 1 + draw.chance.below(3),
        "purchasetimeframe": draw.chance.below(5),
        "isrevenuesystemcalculated": false,
        "_transactioncurrencyid_value": draw.currencies[currency].id,
        "new_closetext": told,
        "new_stages": staged.then(|| draw.chance.pick(&STAGES)),
    }));
    progress(draw, &mut row, value, &close[..10]);
    own(draw, &mut row);
    draw.stamp(&mut row);
    row
}

/// How far the deal is: open with any probability, or closed as won or lost.
fn progress(draw: &mut Draw, row: &mut Row, value: f64, close: &str) {
    let (stage, chance) = (draw.chance.below(4), 5 * draw.chance.below(20));
    let hold = draw.chance.percent(10);
    let values = match draw.chance.below(20) {
        0..11 => {
            let reason = if hold { 2 } else { 1 };
            json!({"statecode": 0, "statuscode": reason, "closeprobability": chance, "salesstage": stage})
        }
        11..17 => won(value, close),
        _ => lost(close),
    };
    over(row, values);
}

fn won(value: f64, close: &str) -> Value {
    json!({
        "statecode": 1, "statuscode": 3, "closeprobability": 100, "salesstage": 3,
        "actualvalue": value, "actualclosedate": close,
    })
}

fn lost(close: &str) -> Value {
    json!({"statecode": 2, "statuscode": 4, "closeprobability": 0, "actualvalue": 0, "actualclosedate": close})
}

fn special(draw: &Draw) -> Vec<(String, Value)> {
    let (all, corners, value) = (&draw.corners, &draw.corners.opportunity, 25_000.5);
    let at = |id: &String, changes: Value| {
        let mut row = unspecial(draw, value);
        over(&mut row, changes);
        (id.clone(), Value::Object(row))
    };
    let of = |account: &str| json!({"_parentaccountid_value": account, "_customerid_value": account});
    let customer = &all.contact_quotes;
    let nobody = json!({"_parentaccountid_value": null, "_customerid_value": customer, CUSTOMER: "contact"});
    let yen = &draw.currencies[3].id;
    vec![
        at(&corners.plain, json!({"name": "Plain Deal"})),
        at(&corners.won, won(value, "2025-11-30")),
        at(&corners.lost, lost("2025-11-30")),
        at(&corners.without_value, json!({"estimatedvalue": null})),
        at(&corners.below_thousand, json!({"estimatedvalue": 999.99})),
        at(&corners.without_close_date, json!({"estimatedclosedate": null})),
        at(&corners.without_account, nobody),
        at(&corners.account_not_there, of(&all.account_void_name)),
        at(&corners.account_twice_there, of(&all.account_twice_there)),
        at(&corners.owned_by_team, json!({"_ownerid_value": draw.teams[1], OWNER: "team"})),
        at(&corners.owner_email_case, json!({"_ownerid_value": all.user_late_manager})),
        at(&corners.blanks, json!({"name": "  Blank Deal  "})),
        at(&corners.without_currency, json!({"_transactioncurrencyid_value": null})),
        at(&corners.yen, json!({"_transactioncurrencyid_value": yen, "estimatedvalue": 3_500_000})),
        at(&corners.probability_39, json!({"closeprobability": 39})),
        at(&corners.probability_40, json!({"closeprobability": 40})),
        at(&corners.probability_79, json!({"closeprobability": 79})),
        at(&corners.probability_80, json!({"closeprobability": 80})),
        at(&corners.close_text_unreadable, json!({"new_closetext": "soon"})),
        at(&corners.close_text_readable, json!({"new_closetext": "2026-03-31"})),
    ]
}

/// What every special opportunity has unless its name says otherwise.
fn unspecial(draw: &Draw, value: f64) -> Row {
    row(json!({
        "_parentaccountid_value": draw.corners.account_unchanged,
        "_parentcontactid_value": null,
        "_customerid_value": draw.corners.account_unchanged,
        CUSTOMER: "account",
        "estimatedvalue": value,
        "estimatedclosedate": "2026-06-30",
        "actualvalue": null,
        "actualclosedate": null,
        "closeprobability": 60,
        "statecode": 0,
        "statuscode": 1,
        "_transactioncurrencyid_value": draw.currency,
        "new_closetext": null,
        "_ownerid_value": draw.corners.user_already_there,
        OWNER: "systemuser",
        "createdon": "2023-01-01T00:00:00Z",
        "modifiedon": "2024-03-01T12:00:00Z",
    }))
}
