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
    let text = |id: &str, column: &str| {
        let row = dynamics.row("account", id);
        row.and_then(|row| row.get(column).cloned()).unwrap_or(Value::Null)
    };
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
