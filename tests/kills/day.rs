//! A world on its second day: the chain came to its end once, then rows changed, came, left and were deleted. Accounts that are gone take
//! their companies with them, and those that leave mark them; contacts that are gone mark their people.

use std::collections::BTreeMap;

use ferry::run::report::{ReadHow, Report};
use serde_json::{Map, Value, json};

use super::boundary::Boundary;
use super::totals::{Totals, ended};
use super::world::{Verb, World};
use crate::faults::holdings;

/// How often the chain is run until the day must have come to its end.
const RUNS_AT_MOST: usize = 5;

/// What the chain leaves behind that nobody disturbs on that day.
pub struct CalmDay {
    pub holdings: BTreeMap<&'static str, Vec<String>>,
    /// Of each job the first run, that of the day, and one after it.
    pub totals: BTreeMap<String, Vec<Totals>>,
    pub boundaries: Vec<Boundary>,
}

/// A world right before the run of its second day.
pub async fn second_day(faults: &str) -> World {
    let world = World::new(faults).await;
    add(
        &world,
        "company_sync.ferry",
        "WHERE a.statecode = 'Active' ON SOURCE DELETE DELETE ON SOURCE LEAVE SET \"Employees\" = 0",
    );
    add(&world, "company_person_sync.ferry", "ON SOURCE DELETE SET \"Company Person\".\"Active\" = FALSE");
    tokio::task::block_in_place(|| {
        let (code, _, err) = world.desk.ferry(Verb::Run.arguments());
        assert!(code <= 1, "{code}: {err}");
    });
    change(&world);
    world
}

pub async fn calm_day() -> CalmDay {
    let world = second_day("").await;
    let boundaries = tokio::task::block_in_place(|| {
        let boundaries = world.trace(Verb::Run);
        finish(&world, Verb::Run, "nobody disturbed it");
        boundaries
    });
    let totals = totals(&world);
    assert!(totals.len() == 3 && totals.values().all(|runs| runs.len() == 3), "{totals:?}");
    let of = |job: &str| totals.iter().find(|(name, _)| name.starts_with(job)).expect("it ran").1[1].counts;
    let (users, companies, people) = (of("User"), of("Company Sync"), of("Company Person"));
    assert!(users.inserted == 1 && users.updated > 0, "{users:?}");
    assert!(companies.inserted > 0 && companies.updated > 0 && companies.deleted > 2, "{companies:?}");
    assert!(people.inserted > 0 && people.updated > 0 && people.deleted > 0, "{people:?}");
    CalmDay { holdings: holdings(&world.desk.stage), totals, boundaries }
}

/// The ended runs of each job, without the moments at which the day's rows changed.
fn totals(world: &World) -> BTreeMap<String, Vec<Totals>> {
    let mut totals = ended(&world.desk.home());
    let errors = totals.values_mut().flatten().flat_map(|run| &mut run.errors);
    errors.for_each(|line| drop(line.remove("modifiedon")));
    totals
}

/// Clauses at the end of a job.
fn add(world: &World, file: &str, clauses: &str) {
    let text = std::fs::read_to_string(world.desk.project().join(file)).unwrap();
    let (job, _) = text.rsplit_once(';').unwrap();
    world.desk.write(file, &format!("{job}\n{clauses};\n"));
}

/// What happens between the two runs. The first rows of a table are the special ones, and the last are as good as any.
fn change(world: &World) {
    let sandbox = &world.desk.stage.sandbox;
    let table = |table: &str| sandbox.table(table).into_iter().rev();
    let put = |table: &str, key: &str, row: &Map<String, Value>, fields: Value| {
        let mut one = Map::from_iter([(key.to_owned(), row[key].clone())]);
        one.extend(object(fields));
        assert!(sandbox.put_row(table, one));
    };
    let new = |table: &str, key: &str, like: &Map<String, Value>, id: usize, fields: Value| {
        let mut one = like.clone();
        one.insert(key.to_owned(), json!(format!("70000000-0000-0000-0000-{id:012}")));
        one.remove("versionnumber");
        one.extend(object(fields));
        assert!(sandbox.put_row(table, one));
    };
    let users: Vec<_> = table("systemuser").filter(|user| user["isdisabled"] == false).collect();
    put("systemuser", "systemuserid", &users[0], json!({ "lastname": "Changed" }));
    put("systemuser", "systemuserid", &users[1], json!({ "isdisabled": true }));
    let mail = "new.manager@contoso.example";
    new(
        "systemuser",
        "systemuserid",
        &users[2],
        1,
        json!({ "domainname": mail, "personalemailaddress": mail,
        "internalemailaddress": mail, "lastname": "Manager" }),
    );
    put(
        "systemuser",
        "systemuserid",
        &users[3],
        json!({ "_parentsystemuserid_value": "70000000-0000-0000-0000-000000000001" }),
    );
    // Of those that have a company, and of those that become people.
    let is_plain = |row: &Map<String, Value>, column: &str| {
        row[column].as_str().is_some_and(|text| text.ends_with(|c: char| c.is_ascii_digit()))
    };
    let accounts: Vec<_> = table("account").filter(|account| is_plain(account, "name")).collect();
    let contacts: Vec<_> = table("contact")
        .filter(|contact| contact["emailaddress1"].as_str().is_some_and(|mail| mail.starts_with("contact0")))
        .collect();
    for (number, account) in accounts.iter().enumerate() {
        let id = account["accountid"].as_str().unwrap();
        match number {
            0..2 => assert!(sandbox.delete_row("account", id)),
            2..4 => put("account", "accountid", account, json!({ "statecode": 1 })),
            4..7 => put("account", "accountid", account, json!({ "name": format!("Changed {number}") })),
            _ => {}
        }
    }
    for number in 0..6 {
        new("account", "accountid", &accounts[7], 10 + number, json!({ "name": format!("New {number}") }));
    }
    let parent = |id: usize| json!(format!("70000000-0000-0000-0000-{id:012}"));
    for (number, contact) in contacts.iter().enumerate() {
        let id = contact["contactid"].as_str().unwrap();
        match number {
            0..2 => assert!(sandbox.delete_row("contact", id)),
            2..4 => put("contact", "contactid", contact, json!({ "emailaddress1": null })),
            4..8 => put("contact", "contactid", contact, json!({ "_parentcustomerid_value": parent(10) })),
            8..14 => put("contact", "contactid", contact, json!({ "lastname": "Changed" })),
            _ => {}
        }
    }
    for number in 0..3 {
        let fields =
            json!({ "emailaddress1": format!("new.{number}@example.com"), "_parentcustomerid_value": parent(11) });
        new("contact", "contactid", &contacts[14], 20 + number, fields);
    }
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(fields) = value else { panic!("an object") };
    fields
}

/// Runs what is left of the day, and then once more: that run reads no change and writes nothing.
pub fn finish(world: &World, first: Verb, what: &str) {
    let mut verb = first;
    for _ in 0..RUNS_AT_MOST {
        let is_complete = ended(&world.desk.home()).values().all(|runs| runs.len() > 1);
        let writes = world.writes();
        let (code, out, err) = world.desk.ferry(verb.arguments());
        assert!(code <= 1, "{what}: {verb:?} ended with {code}\n{err}");
        if is_complete && verb == Verb::Run {
            assert_eq!(world.writes(), writes, "{what}: running again wrote\n{err}");
            let reports: Vec<Report> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let nothing = ReadHow { full: None, changed: 0, gone: 0 };
            let is_quiet = |report: &Report| report.read.as_ref() == Some(&nothing);
            assert!(reports.len() == 3 && reports.iter().all(is_quiet), "{what}: {reports:#?}");
            return;
        }
        verb = Verb::Run;
    }
    panic!("{what}: the chain does not come to its end");
}

/// Holds the world against one that nobody disturbed. A run that was given up has no totals, and its successor finds what it wrote.
pub fn hold(world: &World, calm: &CalmDay, has_totals: bool, what: &str) {
    let held = holdings(&world.desk.stage);
    for (object, expected) in &calm.holdings {
        assert_eq!(&held[object], expected, "{what}: {object}");
    }
    for (job, runs) in totals(world).iter().filter(|_| has_totals) {
        for (number, run) in runs.iter().enumerate() {
            assert_eq!(run, &calm.totals[job][number.min(2)], "{what}: run {number} of {job}");
        }
    }
}
