//! The User job by hand: enabled users, keyed by user name, each with its manager.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::expected::{End, Ends, Records, Row, World, new, stored, text};

/// The length of the text fields of a user.
const LENGTH: usize = 255;

/// What a manager's user name leads to.
enum Manager {
    Nobody,
    Record(String),
    /// A record of this run that Gainsight refused.
    Refused,
}

/// What the rows are decided against.
struct Facts<'a> {
    /// How many enabled users carry a user name.
    times: HashMap<String, usize>,
    /// The users that Gainsight has, by user name.
    there: HashMap<String, Vec<&'a Row>>,
    /// The users that this run creates, by user name, and whether Gainsight takes them.
    created: HashMap<String, bool>,
    /// The user name of every Dynamics user, by key.
    names: HashMap<String, Option<String>>,
}

pub fn expect(world: &World) -> (Ends, Records) {
    let enabled: Vec<&Row> = world.tables["systemuser"].iter().filter(|row| row["isdisabled"] == false).collect();
    let facts = facts(world, &enabled);
    let mut records = world.kept("gsuser");
    // Gainsight may make the name from first and last name; the job does not map it.
    records.values_mut().for_each(|record| {
        record.remove("Name");
    });
    let mut ends = Ends::default();
    for row in world.tables["systemuser"].iter().filter(|row| row["isdisabled"] != false) {
        ends.0.insert(text(row, "systemuserid").expect("a user has a key"), End::Filtered);
    }
    for row in enabled {
        let end = match fault(row, &facts) {
            Some(code) => End::Error(code),
            None => write(row, &facts, &mut records),
        };
        ends.0.insert(text(row, "systemuserid").expect("a user has a key"), end);
    }
    (ends, records)
}

fn facts<'a>(world: &'a World, enabled: &[&Row]) -> Facts<'a> {
    let mut facts =
        Facts { times: HashMap::new(), there: HashMap::new(), created: HashMap::new(), names: HashMap::new() };
    for row in &world.tables["systemuser"] {
        facts.names.insert(text(row, "systemuserid").expect("a user has a key"), text(row, "domainname"));
    }
    for name in enabled.iter().filter_map(|row| text(row, "domainname")) {
        *facts.times.entry(name).or_default() += 1;
    }
    for record in &world.objects["gsuser"] {
        let name = text(record, "SFDCUserName").expect("a stored user has a user name");
        facts.there.entry(name).or_default().push(record);
    }
    for row in enabled {
        if fault(row, &facts).is_none() && there(row, &facts).is_none() {
            let name = text(row, "domainname").expect("a row without a fault has its key");
            facts.created.insert(name, !refused(row, None));
        }
    }
    facts
}

/// Why a row is not written, as far as it is known before writing.
fn fault(row: &Row, facts: &Facts<'_>) -> Option<&'static str> {
    let Some(name) = text(row, "domainname") else { return Some("NULL_KEY") };
    let there = facts.there.get(&name).map_or(0, Vec::len);
    let is_long = |column: &str| text(row, column).is_some_and(|text| text.chars().count() > LENGTH);
    if facts.times[&name] > 1 {
        Some("DUPLICATE_KEY")
    } else if there > 1 {
        Some("AMBIGUOUS_TARGET")
    } else if there == 0 && text(row, "personalemailaddress").is_none() {
        Some("REQUIRED_EMPTY")
    } else if ["domainname", "firstname", "lastname", "personalemailaddress"].into_iter().any(is_long) {
        Some("TOO_LONG")
    } else {
        None
    }
}

fn there<'a>(row: &Row, facts: &Facts<'a>) -> Option<&'a Row> {
    facts.there.get(&text(row, "domainname")?)?.first().copied()
}

/// The house rule on e-mail addresses, for those that are sent.
fn refused(row: &Row, there: Option<&Row>) -> bool {
    let email = text(row, "personalemailaddress");
    let is_sent = there.is_none_or(|record| text(record, "Email") != email);
    is_sent && email.is_some_and(|email| email.to_lowercase().ends_with("@blocked.example"))
}

fn manager(row: &Row, facts: &Facts<'_>) -> Manager {
    let parent = text(row, "_parentsystemuserid_value");
    let Some(name) = parent.and_then(|id| facts.names.get(&id).cloned()).flatten() else { return Manager::Nobody };
    let there = facts.there.get(&name).into_iter().flatten().filter_map(|record| text(record, "Gsid")).min();
    match (there, facts.created.get(&name)) {
        (Some(gsid), _) => Manager::Record(gsid),
        (None, Some(true)) => Manager::Record(new(&name)),
        (None, Some(false)) => Manager::Refused,
        (None, None) => Manager::Nobody,
    }
}

/// Writes a row without fault. The avatar of everybody is new, so nobody who was there is unchanged.
fn write(row: &Row, facts: &Facts<'_>, records: &mut Records) -> End {
    let there = there(row, facts);
    if refused(row, there) {
        return End::Error("REFUSED");
    }
    let name = text(row, "domainname").expect("a row without a fault has its key");
    let id = there.map_or_else(|| new(&name), |record| text(record, "Gsid").expect("a stored record has a GSID"));
    let record = records.entry(id.clone()).or_insert_with(|| {
        let mut record = Row::new();
        record.extend([("Gsid".to_owned(), json!(id)), ("Manager".to_owned(), Value::Null)]);
        record
    });
    record.insert("FirstName".to_owned(), stored(row, "firstname"));
    record.insert("LastName".to_owned(), stored(row, "lastname"));
    record.insert("SFDCUserName".to_owned(), json!(name));
    if let Some(email) = text(row, "personalemailaddress") {
        record.insert("Email".to_owned(), json!(email));
    }
    let manager = match manager(row, facts) {
        Manager::Refused => return End::Error("REFERENCE_FAILED"),
        Manager::Nobody => Value::Null,
        Manager::Record(id) => json!(id),
    };
    record.insert("Manager".to_owned(), manager);
    if there.is_some() { End::Updated } else { End::Inserted }
}
