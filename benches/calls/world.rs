//! A world in which nothing is refused: users with managers, accounts, and contacts with an address and a company each.
//!
//! In: a number of contacts; accounts are a fifth of it, users a fiftieth. Out: a folder for a sandbox, and rows that change.

use std::path::Path;

use ferry::sandbox::Sandbox;
use serde_json::{Map, Value, json};

/// The tables of the world with their keys, the group of the keys that tells them apart, and how many contacts there are for a row.
const TABLES: [(&str, &str, usize, usize); 3] =
    [("systemuser", "systemuserid", 1, 50), ("account", "accountid", 2, 5), ("contact", "contactid", 3, 1)];

/// How many rows each table has.
pub struct World {
    rows: [usize; 3],
}

impl World {
    pub fn of(contacts: usize) -> Self {
        Self { rows: TABLES.map(|(.., share)| (contacts / share).max(1)) }
    }

    /// Writes the files that a sandbox begins with.
    pub fn write(&self, folder: &Path) {
        std::fs::create_dir_all(folder).expect("a folder");
        for (place, (table, ..)) in TABLES.iter().enumerate() {
            let lines: String =
                (0..self.rows[place]).map(|n| format!("{}\n", Value::Object(self.row(place, n)))).collect();
            std::fs::write(folder.join(format!("{table}s.jsonl")), lines).expect("a file");
        }
    }

    /// So many of a thousand rows change a value that is mapped, evenly over each table, and so many are new.
    pub fn change(&mut self, sandbox: &Sandbox, day: usize, changed: usize, new: usize) {
        for (place, (table, key, ..)) in TABLES.into_iter().enumerate() {
            let rows = self.rows[place];
            for number in (0..rows).filter(|n| n * changed % 1_000 < changed) {
                let column = if table == "account" { "name" } else { "lastname" };
                let row = json!({ key: id(place, number), column: format!("Changed {number} on day {day}") });
                assert!(sandbox.put_row(table, object(row)));
            }
            self.rows[place] += rows * new / 1_000;
            (rows..self.rows[place]).for_each(|number| assert!(sandbox.put_row(table, self.row(place, number))));
        }
    }

    fn row(&self, place: usize, number: usize) -> Map<String, Value> {
        let (table, key, ..) = TABLES[place];
        let mut row = match table {
            "systemuser" => {
                let mail = format!("user{number}@contoso.example");
                // One in ten is at the top; the others are below somebody who may come later.
                let manager = (!number.is_multiple_of(10)).then(|| id(0, (number * 7 + 3) % self.rows[0]));
                json!({ "firstname": "User", "lastname": format!("No. {number}"), "domainname": mail, "isdisabled": false,
                    "internalemailaddress": mail, "personalemailaddress": mail, "_parentsystemuserid_value": manager })
            }
            "account" => json!({ "name": format!("Account {number}"), "industrycode": 1 + number % 33,
                "numberofemployees": 1 + number % 5_000 }),
            _ => json!({ "firstname": "Contact", "lastname": format!("No. {number}"),
                "emailaddress1": format!("contact{number}@example.com"),
                "_parentcustomerid_value": id(1, number * 31 % self.rows[1]),
                "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account" }),
        };
        row[key] = json!(id(place, number));
        object(row)
    }
}

fn id(place: usize, number: usize) -> String {
    format!("{}0000000-0000-0000-0000-{number:012}", TABLES[place].2)
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(fields) = value else { unreachable!("it was made as an object") };
    fields
}
