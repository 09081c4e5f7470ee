//! The contacts of the generated world.
//!
//! Some lack an e-mail, some name a company that does not exist, some have none. In: the drawing, with its users and
//! accounts. Out: rows of `contact`.

use serde_json::{Value, json};

use super::super::options::Error;
use super::corners::Corners;
use super::names::{CITY, FIRST, LAST, TITLE};
use super::seeded::{Draw, KNOWN_CONTACTS, Row, over, row};
use super::users::full_name;

const TARGET: &str = "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname";

pub(super) fn draw(draw: &mut Draw, count: usize, put: &mut dyn FnMut(&Row) -> Result<(), Error>) -> Result<(), Error> {
    // The first ordinary accounts carry the special contacts, so that nothing else is special about those.
    let plain = draw.corners.account_null_industry.clone();
    let other = draw.corners.account_unchanged.clone();
    let unknown = draw.chance.guid();
    let mut special = special(&draw.corners, &plain, &other, &unknown);
    special.extend(named(&draw.corners, &plain));
    for number in 0..count.max(special.len()) {
        let id = match special.get(number) {
            Some((id, _)) => id.clone(),
            None => draw.chance.guid(),
        };
        if number < KNOWN_CONTACTS {
            draw.contacts.push(id.clone());
        }
        let mut row = ordinary(draw, number, id);
        if let Some((_, values)) = special.get(number) {
            over(&mut row, values.clone());
        }
        let name = full_name(&row);
        row.insert("fullname".to_owned(), name.into());
        put(&row)?;
    }
    Ok(())
}

fn ordinary(draw: &mut Draw, number: usize, id: String) -> Row {
    let (first, last) = (draw.chance.pick(&FIRST), draw.chance.pick(&LAST));
    let (city, country) = CITY[draw.chance.below(CITY.len())];
    let has_mail = !draw.chance.percent(6);
    let parent = match draw.chance.below(50) {
        0 => None,
        1 => Some(draw.chance.guid()),
        _ => Some(draw.accounts[draw.chance.below(draw.accounts.len())].clone()),
    };
    let phone = draw.chance.percent(60);
    let born = draw.chance.percent(25);
    let mut row = row(json!({
        "contactid": id,
        "firstname": first,
        "lastname": last,
        "emailaddress1": has_mail.then(|| format!("contact{number:06}@example.com")),
        "jobtitle": draw.chance.pick(&TITLE),
        "telephone1": phone.then(|| format!("+44 20 {:08}", draw.chance.below(100_000_000))),
        "birthdate": born.then(|| format!("19{}-0{}-1{}", 50 + draw.chance.below(49), 1 + draw.chance.below(9), draw.chance.below(10))),
        "gendercode": 1 + draw.chance.below(2),
        "donotemail": draw.chance.percent(5),
        "address1_city": city,
        "address1_country": country,
        "statecode": 0,
        "statuscode": 1,
        "_parentcustomerid_value": parent,
        TARGET: "account",
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
    draw.stamp(&mut row);
    row
}

/// Contacts special by their e-mail or company.
fn special(corners: &Corners, plain: &str, other: &str, unknown: &str) -> Vec<(String, Value)> {
    let at = |id: &String, company: &str, mail: &str, first: &str, changed: &str| {
        let values = json!({
            "_parentcustomerid_value": company,
            TARGET: "account",
            "emailaddress1": mail,
            "firstname": first,
            "createdon": "2023-01-01T00:00:00Z",
            "modifiedon": format!("{changed}T12:00:00Z"),
        });
        (id.clone(), values)
    };
    let (early, late) = ("2024-03-01", "2024-04-01");
    vec![
        at(&corners.contact_unknown_company, unknown, "unknown.company@example.com", "Una", early),
        at(&corners.contact_company_twice, &corners.account_twice_there, "company.twice@example.com", "Tom", early),
        at(&corners.contact_same_company_first, plain, "same.company@example.com", "Early", early),
        at(&corners.contact_same_company_second, plain, "same.company@example.com", "Late", late),
        at(&corners.contact_two_companies_first, plain, "two.companies@example.com", "Early", early),
        at(&corners.contact_two_companies_second, other, "two.companies@example.com", "Late", late),
        at(&corners.contact_case_first, plain, "case@example.com", "Lower", early),
        at(&corners.contact_case_second, other, "CASE@Example.com", "Upper", late),
        at(&corners.contact_refused, plain, "refused@blocked.example", "Rita", early),
        (
            corners.contact_without_email.clone(),
            json!({"emailaddress1": null, "_parentcustomerid_value": plain, TARGET: "account"}),
        ),
        (
            corners.contact_parent_contact.clone(),
            json!({
                "emailaddress1": "parent.contact@example.com",
                "_parentcustomerid_value": corners.contact_without_email,
                TARGET: "contact",
            }),
        ),
        (
            corners.contact_without_parent.clone(),
            json!({"emailaddress1": "without.parent@example.com", "_parentcustomerid_value": null}),
        ),
    ]
}

/// Contacts special by their names.
fn named(corners: &Corners, plain: &str) -> Vec<(String, Value)> {
    let at = |id: &String, mail: &str, first: &str, last: &str| {
        let values = json!({
            "_parentcustomerid_value": plain,
            TARGET: "account",
            "emailaddress1": format!("{mail}@example.com"),
            "firstname": first,
            "lastname": last,
        });
        (id.clone(), values)
    };
    vec![
        at(&corners.contact_quotes, "quotes", "Pat \"The, Quote\"", "O'Neil"),
        at(&corners.contact_newline, "newline", "Nina", "New\nLine"),
        at(&corners.contact_emoji, "emoji", "Em 🙂", "Oji 👩‍🚀"),
        at(&corners.contact_right_to_left, "rtl", "محمد", "כהן"),
        at(&corners.contact_formula, "formula", "=1+1", "=SUM(A1:A9)"),
        at(&corners.contact_blanks, "blanks", "  Lea", "Blank  "),
        at(&corners.contact_multibyte, "multibyte", "Mia", &"漢".repeat(50)),
    ]
}
