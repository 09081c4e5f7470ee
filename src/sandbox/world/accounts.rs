//! The accounts of the generated world.
//!
//! In: the drawing, with its users. Out: rows of `account`.

use serde_json::{Value, json};

use super::super::options::Error;
use super::corners::Corners;
use super::names::{CITY, COMPANY, FORM, TRADE};
use super::seeded::{Draw, Row, over, row};

pub(super) fn draw(draw: &mut Draw, count: usize, put: &mut dyn FnMut(&Row) -> Result<(), Error>) -> Result<(), Error> {
    let special = special(&draw.corners);
    draw.accounts = special.iter().map(|(id, _)| id.clone()).collect();
    while draw.accounts.len() < count {
        let id = draw.chance.guid();
        draw.accounts.push(id);
    }
    for number in 0..draw.accounts.len() {
        let mut row = ordinary(draw, number);
        if let Some((_, values)) = special.get(number) {
            over(&mut row, values.clone());
        }
        put(&row)?;
    }
    Ok(())
}

fn ordinary(draw: &mut Draw, number: usize) -> Row {
    let (one, two, form) = (draw.chance.pick(&COMPANY), draw.chance.pick(&TRADE), draw.chance.pick(&FORM));
    let (city, country) = CITY[draw.chance.below(CITY.len())];
    let employees = 1 + draw.chance.below(40_000);
    let revenue = draw.chance.below(900_000_000) as f64 + draw.chance.below(10_000) as f64 / 10_000.0;
    let industry = (!draw.chance.percent(10)).then(|| 1 + draw.chance.below(33));
    let described = draw.chance.percent(20);
    let mut row = row(json!({
        "accountid": draw.accounts[number],
        "name": format!("{one} {two} {form} {number}"),
        "accountnumber": format!("ACC-{number:06}"),
        "emailaddress1": format!("info@{number:06}.example"),
        "telephone1": format!("+1 555 {:07}", draw.chance.below(10_000_000)),
        "websiteurl": format!("https://www.{number:06}.example/"),
        "description": described.then(|| format!("Customer of {two}.\nSecond line.")),
        "industrycode": industry,
        "customertypecode": 3,
        "numberofemployees": employees,
        "revenue": revenue,
        "exchangerate": 1.0,
        "address1_city": city,
        "address1_country": country,
        "statecode": 0,
        "statuscode": 1,
        "_transactioncurrencyid_value": draw.currency,
        "_owningbusinessunit_value": draw.business_unit,
    }));
    let owner = draw.owner();
    over(
        &mut row,
        json!({
            "_ownerid_value": owner,
            "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "systemuser",
            "_owninguser_value": owner,
        }),
    );
    if number > 0 && draw.chance.percent(15) {
        let parent = draw.chance.below(number);
        row.insert("_parentaccountid_value".to_owned(), draw.accounts[parent].clone().into());
    }
    draw.stamp(&mut row);
    row
}

fn special(corners: &Corners) -> Vec<(String, Value)> {
    let named = |id: &String, name: &str| (id.clone(), json!({"name": name}));
    vec![
        (corners.account_null_name.clone(), json!({"name": null})),
        named(&corners.account_quotes, "\"Quote, Comma\" & 'Sons',\nNewline Ltd"),
        named(&corners.account_emoji, "Rocket 🚀 & Family 👨‍👩‍👧 Ltd"),
        named(&corners.account_right_to_left, "شركة النور שלום בע\"מ"),
        named(&corners.account_formula, "=HYPERLINK(\"https://example.com\")"),
        named(&corners.account_blanks, "  Blank Edges  "),
        (corners.account_null_industry.clone(), json!({"name": "No Industry Ltd", "industrycode": null})),
        (
            corners.account_unchanged.clone(),
            json!({"name": "Unchanged Ltd", "industrycode": 1, "numberofemployees": 42}),
        ),
        (corners.account_renamed.clone(), json!({"name": "Renamed Ltd", "industrycode": 4, "numberofemployees": 77})),
        (corners.account_twice_there.clone(), json!({"name": "Twice Ltd", "industrycode": 16, "numberofemployees": 5})),
        (corners.account_negative_employees.clone(), json!({"name": "Negative Ltd", "numberofemployees": -5})),
        named(&corners.account_void_name, "Void Holdings"),
    ]
}
