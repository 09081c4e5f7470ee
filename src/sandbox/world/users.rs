//! The users of the generated world.
//!
//! Roughly one in eight is disabled and one in five has no personal e-mail. In: the drawing. Out: rows of `systemuser`.

use serde_json::{Value, json};

use super::super::options::Error;
use super::corners::Corners;
use super::names::{FIRST, LAST, TITLE};
use super::seeded::{Draw, Row, over, row};

pub(super) fn draw(draw: &mut Draw, count: usize, put: &mut dyn FnMut(&Row) -> Result<(), Error>) -> Result<(), Error> {
    let special = special(&draw.corners);
    draw.users = special.iter().map(|(id, _)| id.clone()).collect();
    while draw.users.len() < count {
        let id = draw.chance.guid();
        draw.users.push(id);
    }
    for number in 0..draw.users.len() {
        let mut row = ordinary(draw, number);
        if let Some((_, values)) = special.get(number) {
            over(&mut row, values.clone());
        }
        let name = full_name(&row);
        row.insert("fullname".to_owned(), name.into());
        put(&row)?;
    }
    Ok(())
}

/// First and last name in one.
pub(super) fn full_name(row: &Row) -> String {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or("");
    format!("{} {}", text("firstname"), text("lastname")).trim().to_owned()
}

fn ordinary(draw: &mut Draw, number: usize) -> Row {
    let (first, last) = (draw.chance.pick(&FIRST), draw.chance.pick(&LAST));
    let mail = format!("user{number:05}@contoso.example");
    let (disabled, private) = (draw.chance.percent(12), !draw.chance.percent(20));
    let mut row = row(json!({
        "systemuserid": draw.users[number],
        "firstname": first,
        "lastname": last,
        "domainname": mail,
        "internalemailaddress": mail,
        "personalemailaddress": private.then(|| format!("user{number:05}@personal.example")),
        "title": draw.chance.pick(&TITLE),
        "isdisabled": disabled,
        "accessmode": 0,
        "islicensed": true,
        "setupuser": false,
    }));
    row.insert("_businessunitid_value".to_owned(), draw.business_unit.clone().into());
    let manager = draw.chance.below(draw.users.len());
    if draw.chance.percent(70) && manager != number {
        row.insert("_parentsystemuserid_value".to_owned(), draw.users[manager].clone().into());
    }
    draw.stamp(&mut row);
    row
}

/// The special users, all enabled, with e-mail and without a manager unless that is what they are for.
fn special(corners: &Corners) -> Vec<(String, Value)> {
    let plain = |id: &str, values: Value| {
        let mut row = Row::new();
        let mail = format!("{}@personal.example", &id[..8]);
        over(&mut row, json!({"isdisabled": false, "personalemailaddress": mail, "_parentsystemuserid_value": null}));
        over(&mut row, values);
        (id.to_owned(), Value::Object(row))
    };
    let without_email = &corners.user_without_email;
    let long = format!("{}@contoso.example", "u".repeat(300 - "@contoso.example".len()));
    vec![
        plain(&corners.user_manager_later, json!({"_parentsystemuserid_value": corners.user_late_manager})),
        plain(&corners.user_late_manager, json!({})),
        plain(&corners.user_manager_disabled, json!({"_parentsystemuserid_value": corners.user_disabled})),
        plain(&corners.user_disabled, json!({"isdisabled": true})),
        plain(&corners.user_manager_without_email, json!({"_parentsystemuserid_value": without_email})),
        plain(without_email, json!({"personalemailaddress": null})),
        plain(&corners.user_without_username, json!({"domainname": null})),
        plain(&corners.user_long_username, json!({"domainname": long})),
        plain(&corners.user_same_username_first, json!({"domainname": "same@contoso.example"})),
        plain(&corners.user_same_username_second, json!({"domainname": "same@contoso.example"})),
        plain(&corners.user_already_there, json!({"domainname": "there@contoso.example"})),
        plain(&corners.user_twice_there, json!({"domainname": "twice@contoso.example"})),
        plain(&corners.user_refused, json!({"personalemailaddress": "refused@blocked.example"})),
    ]
}
