//! What happens on a day, drawn from a seed.
//!
//! Rows are chosen of the world as it is, in the order of their keys. In: a sandbox. Out: deeds that can be done in each world
//! that is the same.

use std::collections::HashSet;

use ferry::sandbox::Sandbox;
use serde_json::{Map, Value, json};

use super::deed::{Deed, Named};
use super::pair::day_text;
use super::ways::FILLER;
use crate::generated::dice::Dice;

const CUSTOMER: &str = "@Microsoft.Dynamics.CRM.lookuplogicalname";
const LARGEST_DELAY_DAYS: usize = 70;

type Row = Map<String, Value>;

pub struct Draw {
    dice: Dice,
    /// How many things were made so far, for names of their own.
    made: usize,
}

impl Draw {
    pub fn of(seed: u64) -> Self {
        Self { dice: Dice::of(seed), made: 0 }
    }

    /// The things of a day: so many in each of both services. None is about a row that another of the day takes away.
    pub fn day(&mut self, sandbox: &Sandbox, count: usize) -> Vec<Deed> {
        let mut world = World::of(sandbox);
        let mut deeds: Vec<Deed> = (0..count).filter_map(|_| self.in_dynamics(&mut world)).collect();
        deeds.extend((0..count / 3).filter_map(|_| self.in_gainsight(sandbox)));
        deeds
    }

    /// Things in Dynamics that end the same whether a run sees all of them or those before some moment: no two are about one row, and
    /// none leaves a record behind that nothing keeps up to date.
    pub fn meanwhile(&mut self, sandbox: &Sandbox, count: usize) -> Vec<Deed> {
        let mut world = World::of(sandbox);
        let drawn = (0..count * 3).filter_map(|_| self.in_dynamics(&mut world)).collect::<Vec<Deed>>();
        let mut touched = HashSet::new();
        let is_of_a_new_row = |touched: &mut HashSet<String>, deed: &Deed| touched.insert(deed.row().to_owned());
        let mut deeds: Vec<Deed> = drawn.into_iter().filter(leaves_nothing_behind).collect();
        deeds.retain(|deed| is_of_a_new_row(&mut touched, deed));
        deeds.truncate(count);
        deeds
    }

    fn in_dynamics(&mut self, world: &mut World) -> Option<Deed> {
        match self.dice.below(20) {
            0..4 => self.account(world),
            4..8 => self.contact(world),
            8..12 => self.opportunity(world),
            12..14 => self.project(world),
            14..17 => self.user(world),
            17 => self.team(world),
            18 => self.merge(world),
            _ => self.gone(world),
        }
    }

    fn account(&mut self, world: &World) -> Option<Deed> {
        if self.dice.maybe(25) {
            let (id, name) = (self.id(), self.name("Company"));
            let mut row = json!({"accountid": id, "name": name, "statecode": 0, "statuscode": 1, "customertypecode": 3,
                "numberofemployees": self.dice.below(900), "merged": false});
            self.own(world, &mut row)?;
            return Some(Deed::Put("account", row));
        }
        let id = self.pick(&world.accounts, "accountid")?;
        let mut row = match self.dice.below(8) {
            0 => json!({"name": self.name("Renamed")}),
            1 => json!({"numberofemployees": self.dice.below(900), "industrycode": 1 + self.dice.below(33)}),
            2 => json!({"customertypecode": 1 + self.dice.below(12), "creditonhold": self.dice.maybe(50)}),
            3 => json!({"_parentaccountid_value": self.pick(&world.accounts, "accountid")?}),
            4 => json!({"statecode": 1, "statuscode": 2}),
            5 => json!({"statecode": 0, "statuscode": 1}),
            6 => json!({"websiteurl": Value::Null, "industrycode": Value::Null}),
            _ => {
                let mut row = json!({});
                self.own(world, &mut row)?;
                row
            }
        };
        row["accountid"] = id.into();
        Some(Deed::Put("account", row))
    }

    fn contact(&mut self, world: &World) -> Option<Deed> {
        if self.dice.maybe(25) {
            let (id, name) = (self.id(), self.name("Person"));
            let mail = format!("{}@days.example", name.replace(' ', ".").to_lowercase());
            let mut row = json!({"contactid": id, "firstname": "New", "lastname": name, "fullname": format!("New {name}"),
                "emailaddress1": mail, "gendercode": 1 + self.dice.below(2), "donotemail": false, "statecode": 0, "statuscode": 1,
                "_parentcustomerid_value": self.pick(&world.accounts, "accountid")?, "merged": false});
            row[format!("_parentcustomerid_value{CUSTOMER}")] = "account".into();
            self.own(world, &mut row)?;
            return Some(Deed::Put("contact", row));
        }
        let id = self.pick(&world.contacts, "contactid")?;
        let mut row = match self.dice.below(8) {
            0 => json!({"lastname": self.name("Married")}),
            1 => json!({"emailaddress1": format!("changed.{}@days.example", self.next())}),
            2 => json!({"emailaddress1": self.pick(&world.contacts, "emailaddress1")}),
            3 => json!({"jobtitle": self.name("Head"), "address1_city": self.name("Town")}),
            4 => json!({"donotemail": self.dice.maybe(50), "gendercode": 1 + self.dice.below(2)}),
            5 => json!({"statecode": self.dice.below(2), "statuscode": Value::Null}),
            6 => json!({"emailaddress1": Value::Null}),
            _ => {
                let mut row = json!({"_parentcustomerid_value": self.pick(&world.accounts, "accountid")?});
                row[format!("_parentcustomerid_value{CUSTOMER}")] = "account".into();
                row
            }
        };
        row["contactid"] = id.into();
        Some(Deed::Put("contact", row))
    }

    fn opportunity(&mut self, world: &World) -> Option<Deed> {
        let is_new = self.dice.maybe(30);
        let id = if is_new { self.id() } else { self.pick(&world.opportunities, "opportunityid")? };
        let mut row = match (is_new, self.dice.below(6)) {
            (true, _) => {
                let close = self.soon();
                let mut row = json!({"name": self.name("Deal"), "estimatedvalue": 500 + self.dice.below(1_000_000),
                    "estimatedclosedate": close, "statecode": 0, "statuscode": 1, "salesstage": self.dice.below(4),
                    "closeprobability": self.dice.below(101),
                    "_parentaccountid_value": self.pick(&world.accounts, "accountid")?,
                    "_parentcontactid_value": self.pick(&world.contacts, "contactid")?});
                self.own(world, &mut row)?;
                row
            }
            (_, 0) => json!({"statecode": 1, "statuscode": 3}),
            (_, 1) => json!({"statecode": 2, "statuscode": 4}),
            (_, 2) => json!({"statecode": 0, "statuscode": 1, "estimatedclosedate": self.soon()}),
            (_, 3) => json!({"estimatedvalue": self.dice.below(1_000_000), "closeprobability": self.dice.below(101)}),
            (_, 4) => {
                json!({"estimatedclosedate": Value::Null, "_parentaccountid_value": self.pick(&world.accounts, "accountid")?})
            }
            _ => json!({"_parentcontactid_value": self.pick(&world.contacts, "contactid")?, "name": self.name("Deal")}),
        };
        row["opportunityid"] = id.into();
        Some(Deed::Put("opportunity", row))
    }

    fn project(&mut self, world: &World) -> Option<Deed> {
        let is_new = self.dice.maybe(30);
        let id = if is_new { self.id() } else { self.pick(&world.projects, "new_projectid")? };
        let mut row = match (is_new, self.dice.below(3)) {
            (true, _) => {
                let mut row = json!({"new_name": self.name("Project"), "new_code": format!("DAY-{}", self.next()), "statecode": 0,
                    "statuscode": 1, "new_budget": self.dice.below(9_000),
                    "_new_accountid_value": self.pick(&world.accounts, "accountid")?});
                self.own(world, &mut row)?;
                row
            }
            (_, 0) => {
                let state = self.dice.below(2);
                json!({"statecode": state, "statuscode": state + 1})
            }
            (_, 1) => json!({"new_budget": self.dice.below(9_000)}),
            _ => json!({"new_code": format!("DAY-{}", self.next())}),
        };
        row["new_projectid"] = id.into();
        Some(Deed::Put("new_project", row))
    }

    fn user(&mut self, world: &World) -> Option<Deed> {
        if self.dice.maybe(20) {
            let (id, name) = (self.id(), self.name("User"));
            let mail = format!("{}@days.example", name.replace(' ', ".").to_lowercase());
            return Some(Deed::Put(
                "systemuser",
                json!({"systemuserid": id, "firstname": "Hired", "lastname": name,
                "fullname": format!("Hired {name}"), "domainname": mail, "internalemailaddress": mail,
                "personalemailaddress": mail, "isdisabled": false, "accessmode": 0,
                "_parentsystemuserid_value": self.pick(&world.users, "systemuserid")?}),
            ));
        }
        let id = self.pick(&world.users, "systemuserid")?;
        let mut row = match self.dice.below(6) {
            0 => json!({"isdisabled": true}),
            1 => json!({"isdisabled": false}),
            2 => json!({"domainname": format!("renamed.{}@days.example", self.next())}),
            3 => json!({"title": self.name("Head"), "lastname": self.name("Married")}),
            4 => json!({"personalemailaddress": format!("private.{}@days.example", self.next())}),
            _ => match self.pick(&world.users, "systemuserid")? {
                manager if manager == id => json!({"_parentsystemuserid_value": Value::Null}),
                manager => json!({ "_parentsystemuserid_value": manager }),
            },
        };
        row["systemuserid"] = id.into();
        Some(Deed::Put("systemuser", row))
    }

    fn team(&mut self, world: &World) -> Option<Deed> {
        let id = self.pick(&world.teams, "teamid")?;
        let row = match self.dice.below(2) {
            0 => json!({"teamid": id, "name": self.name("Team")}),
            _ => json!({"teamid": id, "_administratorid_value": self.pick(&world.users, "systemuserid")?}),
        };
        Some(Deed::Put("team", row))
    }

    fn merge(&mut self, world: &mut World) -> Option<Deed> {
        let is_account = self.dice.maybe(50);
        let (table, rows) =
            if is_account { ("account", &mut world.accounts) } else { ("contact", &mut world.contacts) };
        let key = format!("{table}id");
        rows.retain(|row| row["merged"] != true);
        if rows.len() < 8 {
            return None;
        }
        let other = rows.remove(self.dice.below(rows.len()));
        let master = rows.remove(self.dice.below(rows.len()));
        let id = |row: &Row| row[&key].as_str().map(str::to_owned);
        Some(Deed::Merge(table, id(&master)?, id(&other)?))
    }

    fn gone(&mut self, world: &mut World) -> Option<Deed> {
        let (table, rows) = match self.dice.below(10) {
            0..3 => ("account", &mut world.accounts),
            3..6 => ("contact", &mut world.contacts),
            6..9 => ("opportunity", &mut world.opportunities),
            _ => ("new_project", &mut world.projects),
        };
        if rows.len() < 8 {
            return None;
        }
        let row = rows.remove(self.dice.below(rows.len()));
        Some(Deed::Delete(table, row[&format!("{table}id")].as_str()?.to_owned()))
    }

    fn in_gainsight(&mut self, sandbox: &Sandbox) -> Option<Deed> {
        let company = |value| Named { object: "company", field: "External_Account_ID_gainsight123__gc", value };
        let deal = |value| Named { object: "Opportunity__gc", field: "Opportunity_External_Id__gc", value };
        let companies = names(sandbox, "company", "External_Account_ID_gainsight123__gc");
        let deals = names(sandbox, "Opportunity__gc", "Opportunity_External_Id__gc");
        let users = names(sandbox, "gsuser", "SFDCUserName");
        let user = |value| Named { object: "gsuser", field: "SFDCUserName", value };
        Some(match self.dice.below(10) {
            0 => Deed::Edit(company(self.one(&companies)?), json!({"Name": self.name("Edited")})),
            1 => Deed::Edit(
                company(self.one(&companies)?),
                json!({"Industry": Value::Null, "Stage": "Churn", "Employees": 1}),
            ),
            2 => Deed::Point(company(self.one(&companies)?), "Csm", user(self.one(&users)?)),
            3 => Deed::Remove(company(self.one(&companies)?)),
            4 => Deed::Edit(
                deal(self.one(&deals)?),
                json!({"Name": self.name("Edited"), "Amount__gc": 1, "State__gc": "Won"}),
            ),
            5 => Deed::Remove(deal(self.one(&deals)?)),
            6 => Deed::Edit(user(self.one(&users)?), json!({"Title": self.name("Edited")})),
            7 => {
                let people = names(sandbox, "person", "Email");
                let person = Named { object: "person", field: "Email", value: self.one(&people)? };
                Deed::Edit(person, json!({"FirstName": self.name("Edited"), "Location": Value::Null}))
            }
            8 => {
                let links = names(sandbox, "company_person", "External_Contact_ID_gainsight123__gc");
                let field = "External_Contact_ID_gainsight123__gc";
                let link = Named { object: "company_person", field, value: self.one(&links)? };
                if self.dice.maybe(50) { Deed::Remove(link) } else { Deed::Edit(link, json!({"Title": "Edited"})) }
            }
            _ => {
                let id = self.one(&companies)?;
                Deed::Make("company", json!({"Name": self.name("Copy"), "External_Account_ID_gainsight123__gc": id}))
            }
        })
    }

    fn own(&mut self, world: &World, row: &mut Value) -> Option<()> {
        let owner = self.pick(&world.users, "systemuserid")?;
        row["_ownerid_value"] = owner.clone().into();
        row["_owninguser_value"] = owner.into();
        row[format!("_ownerid_value{CUSTOMER}")] = "systemuser".into();
        Some(())
    }

    fn pick(&mut self, rows: &[Row], column: &str) -> Option<String> {
        let at = (!rows.is_empty()).then(|| self.dice.below(rows.len()))?;
        rows[at][column].as_str().map(str::to_owned)
    }

    fn one(&mut self, list: &[String]) -> Option<String> {
        (!list.is_empty()).then(|| self.dice.pick(list))
    }

    fn next(&mut self) -> usize {
        self.made += 1;
        self.made
    }

    fn name(&mut self, what: &str) -> String {
        format!("{what} {}", self.next())
    }

    fn id(&mut self) -> String {
        let number = self.next();
        format!("{:08x}-0000-4000-8000-{number:012x}", self.dice.below(1 << 32))
    }

    fn soon(&mut self) -> String {
        day_text(i64::try_from(self.dice.below(LARGEST_DELAY_DAYS)).expect("few days"))
    }
}

fn leaves_nothing_behind(deed: &Deed) -> bool {
    let untouched: &[&str] = match deed {
        Deed::Put("account", row) if row["name"].is_null() => &["statecode"],
        Deed::Put("contact", row) if row["fullname"].is_null() => &["statecode", "emailaddress1", "gendercode"],
        Deed::Put("systemuser", row) if row["fullname"].is_null() => &["isdisabled"],
        Deed::Put(..) | Deed::Delete("opportunity" | "new_project", _) => &[],
        _ => return false,
    };
    match deed {
        Deed::Put(_, row) => untouched.iter().all(|column| row.get(column).is_none()),
        _ => true,
    }
}

/// The rows that there are to choose from.
struct World {
    accounts: Vec<Row>,
    contacts: Vec<Row>,
    opportunities: Vec<Row>,
    projects: Vec<Row>,
    users: Vec<Row>,
    teams: Vec<Row>,
}

impl World {
    fn of(sandbox: &Sandbox) -> Self {
        Self {
            accounts: sandbox.table("account"),
            contacts: sandbox.table("contact"),
            opportunities: sandbox.table("opportunity"),
            projects: sandbox.table("new_project"),
            users: sandbox.table("systemuser"),
            teams: sandbox.table("team"),
        }
    }
}

/// The values of a field that one record has each, sorted.
fn names(sandbox: &Sandbox, object: &str, field: &str) -> Vec<String> {
    let mut all: Vec<String> =
        sandbox.records(object).iter().filter_map(|record| record[field].as_str().map(str::to_owned)).collect();
    all.retain(|value| !value.starts_with(FILLER));
    all.sort();
    let is_one = |at: usize| (at == 0 || all[at - 1] != all[at]) && all.get(at + 1) != Some(&all[at]);
    (0..all.len()).filter(|at| is_one(*at)).map(|at| all[at].clone()).collect()
}
