//! Somebody who works in Dynamics meanwhile: rows change, go and come back.

use std::sync::Arc;
use std::time::Duration;

use ferry::sandbox::Sandbox;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Map, Value, json};

const BETWEEN_CHANGES: Duration = Duration::from_millis(40);
/// Rows that are away at once, at the most.
const AWAY_AT_MOST: usize = 10;
const TABLES: [(&str, &str); 3] = [("account", "accountid"), ("contact", "contactid"), ("systemuser", "systemuserid")];

/// Changes rows until it is stopped.
pub async fn write(sandbox: Arc<Sandbox>) {
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let mut away: Vec<(&str, Map<String, Value>)> = Vec::new();
    loop {
        tokio::time::sleep(BETWEEN_CHANGES).await;
        let mut below = |most: usize| (chance.next_u64() % most.max(1) as u64) as usize;
        let (table, key) = TABLES[below(TABLES.len())];
        let rows = sandbox.table(table);
        let row = &rows[below(rows.len())];
        let number = below(1_000);
        let changed = match (table, number % 10) {
            ("account", 0..5) => json!({ "numberofemployees": number }),
            ("account", _) => json!({ "name": format!("Renamed {number}") }),
            ("contact", 0) if away.len() < AWAY_AT_MOST => {
                away.push((table, row.clone()));
                sandbox.delete_row(table, row[key].as_str().unwrap_or_default());
                continue;
            }
            ("contact", 1) if !away.is_empty() => {
                let (table, row) = away.swap_remove(below(away.len()));
                sandbox.put_row(table, row);
                continue;
            }
            ("contact", _) => json!({ "firstname": format!("First {number}") }),
            (_, 0) => json!({ "isdisabled": number > 500 }),
            _ => json!({ "lastname": format!("Last {number}") }),
        };
        let mut one = Map::from_iter([(key.to_owned(), row[key].clone())]);
        one.extend(changed.as_object().cloned().unwrap_or_default());
        sandbox.put_row(table, one);
    }
}
