//! The rows that others point to in both kinds of world: the business unit, the currencies and the teams.
//!
//! Nothing here is drawn, so a world from a folder has the same ones. In: the seed and the users that may lead a team.
//! Out: rows of `businessunit`, `transactioncurrency` and `team`.

use serde_json::{Value, json};

use super::super::randomness::Chance;
use super::seeded::{Row, row};

const SINCE: &str = "2021-06-01T08:00:00Z";

/// Code, name, sign, decimals, and units for one US dollar; the base currency comes first.
const CURRENCIES: [(&str, &str, &str, u8, f64); 4] = [
    ("USD", "US Dollar", "$", 2, 1.0),
    ("EUR", "Euro", "€", 2, 0.92),
    ("GBP", "Pound Sterling", "£", 2, 0.781_234_567_8),
    ("JPY", "Yen", "¥", 0, 151.25),
];

/// Name, e-mail and type; the first is the one every business unit has.
const TEAMS: [(&str, Option<&str>, u8); 5] = [
    ("contoso", None, 0),
    ("Key Accounts", Some("key.accounts@contoso.example"), 0),
    ("Field Sales EMEA", Some("sales.emea@contoso.example"), 0),
    ("Renewals", Some("renewals@contoso.example"), 0),
    ("Deal Desk", None, 2),
];

/// A currency as amounts are converted with it.
pub(super) struct Currency {
    pub(super) id: String,
    pub(super) decimals: u8,
    /// Units for one of the base currency.
    pub(super) rate: f64,
}

/// The currencies; the base currency comes first.
pub(super) fn currencies(seed: u64) -> Vec<Currency> {
    let currency = |(code, _, _, decimals, rate)| Currency { id: currency_id(seed, code), decimals, rate };
    CURRENCIES.into_iter().map(currency).collect()
}

/// The ids of the teams.
pub(super) fn teams(seed: u64) -> Vec<String> {
    TEAMS.iter().map(|(name, ..)| Chance::of_text(seed, &format!("team {name}")).guid()).collect()
}

/// All rows, each with its table; nobody leads a team where there are no users.
pub(super) fn rows(seed: u64, business_unit: &str, users: &[String]) -> Vec<(&'static str, Row)> {
    let mut rows = Vec::new();
    let mut add = |table, values| {
        let mut row: Row = row(values);
        row.extend([("createdon".to_owned(), json!(SINCE)), ("modifiedon".to_owned(), json!(SINCE))]);
        rows.push((table, row));
    };
    let base = currency_id(seed, CURRENCIES[0].0);
    let unit = json!({
        "businessunitid": business_unit, "name": "contoso", "isdisabled": false, "_transactioncurrencyid_value": base,
    });
    add("businessunit", unit);
    for (code, name, sign, decimals, rate) in CURRENCIES {
        let currency = json!({
            "transactioncurrencyid": currency_id(seed, code), "currencyname": name, "isocurrencycode": code,
            "currencysymbol": sign, "currencyprecision": decimals, "exchangerate": rate,
            "statecode": 0, "statuscode": 1,
        });
        add("transactioncurrency", currency);
    }
    for (number, ((name, mail, kind), id)) in TEAMS.into_iter().zip(teams(seed)).enumerate() {
        let leader = users.get(number).map_or(Value::Null, |id| json!(id));
        let team = json!({
            "teamid": id, "name": name, "emailaddress": mail, "teamtype": kind, "isdefault": number == 0,
            "_administratorid_value": leader, "_businessunitid_value": business_unit,
        });
        add("team", team);
    }
    rows
}

/// The id of the base currency is older than the other currencies and named without its code.
fn currency_id(seed: u64, code: &str) -> String {
    let text = if code == CURRENCIES[0].0 { "currency".to_owned() } else { format!("currency {code}") };
    Chance::of_text(seed, &text).guid()
}
