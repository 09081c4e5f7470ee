//! What Gainsight had before the first sync: the users and companies of the special rows.
//!
//! In: the special rows as they are in Dynamics. Out: records in Gainsight.

use serde_json::{Map, Value, json};

use super::super::dynamics::Dynamics;
use super::super::gainsight::Gainsight;
use super::corners::Corners;

const ACCOUNTING: &str = "Accounting";

pub(super) fn fill(corners: &Corners, dynamics: &Dynamics, gainsight: &Gainsight) {
    let seed = |object: &str, record: Value| {
        gainsight.seed_record(object, record.as_object().unwrap_or(&Map::new()));
    };
    seed("gsuser", user("Theo", "There", "old.address@example.com", "there@contoso.example"));
    seed("gsuser", user("Tara", "Twice", "twice.one@example.com", "twice@contoso.example"));
    seed("gsuser", user("Tara", "Twice", "twice.two@example.com", "twice@contoso.example"));
    let of = |table: &str, id: &str, column: &str| {
        let row = dynamics.row(table, id);
        row.and_then(|row| row.get(column).cloned()).unwrap_or(Value::Null)
    };
    seed("gsuser", known_otherwise(&|column| of("systemuser", &corners.user_late_manager, column)));
    let text = |id: &str, column: &str| of("account", id, column);
    let company = |id: &str, name: Value, industry: &str| {
        json!({
            "Name": name,
            "Industry": industry,
            "Employees": text(id, "numberofemployees"),
            "External_Account_ID_gainsight123__gc": id,
            "Dynamics_Account_ID__gc": id,
            "ManagedAs": "Customer",
        })
    };
    let unchanged = &corners.account_unchanged;
    seed("company", company(unchanged, text(unchanged, "name"), ACCOUNTING));
    seed("company", company(&corners.account_renamed, json!("Old Name Ltd"), "Brokers"));
    let twice = &corners.account_twice_there;
    seed("company", company(twice, text(twice, "name"), "Financial"));
    seed("company", company(twice, json!("Twice Ltd (copy)"), "Financial"));
}

/// A user under a user name that Dynamics does not know, and under the primary e-mail there in another case.
fn known_otherwise(column: &dyn Fn(&str) -> Value) -> Value {
    let text = |name: &str| column(name).as_str().unwrap_or("").to_owned();
    let email = text("internalemailaddress").to_uppercase();
    user(&text("firstname"), &text("lastname"), &email, "legacy.owner@contoso.example")
}

fn user(first: &str, last: &str, email: &str, username: &str) -> Value {
    json!({
        "FirstName": first,
        "LastName": last,
        "Name": format!("{first} {last}"),
        "Email": email,
        "SFDCUserName": username,
        "IsActiveUser": true,
        "SystemType": "Internal",
        "LicenseType": "Full",
    })
}
