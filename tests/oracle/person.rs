//! The Company Person job by hand: contacts with an e-mail, as people and as people of their companies.

use std::collections::HashMap;

use serde_json::json;

use super::company::{ACCOUNT, by_account};
use super::expected::{End, Ends, Records, Row, World, new, stored, text};

const PARENT: &str = "_parentcustomerid_value";
const PARENT_TABLE: &str = "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname";

/// A contact whose company was found.
struct Found<'a> {
    row: &'a Row,
    email: String,
    company: String,
}

/// The ends, the people, and the people of companies. `companies` are those after the Company job.
pub fn expect(world: &World, companies: &Records) -> (Ends, Records, Records) {
    let none_before = world.objects["person"].is_empty() && world.objects["company_person"].is_empty();
    assert!(none_before, "the oracle takes it that Gainsight has no people before the first pass");
    let by_account = by_account(companies);
    let mut ends = Ends::default();
    let mut found = Vec::new();
    // An empty text is not null, so it passes WHERE; as a key it is one.
    for row in &world.tables["contact"] {
        if row["emailaddress1"].is_null() {
            ends.0.insert(id(row), End::Filtered);
            continue;
        }
        match company(row, &by_account) {
            Err(end) => {
                ends.0.insert(id(row), end);
            }
            Ok(company) => match text(row, "emailaddress1") {
                None => {
                    ends.0.insert(id(row), End::Error("NULL_KEY"));
                }
                Some(email) => found.push(Found { row, email: email.to_lowercase(), company }),
            },
        }
    }
    let unique = without_repeated(found, &mut ends);
    let (mut people, mut links) = (Records::new(), Records::new());
    for (email, contacts) in by_email(unique) {
        let refused = email.ends_with("@blocked.example");
        for contact in &contacts {
            ends.0.insert(id(contact.row), if refused { End::Error("REFUSED") } else { End::Inserted });
        }
        if !refused {
            people.insert(new(&email), person(&email, &contacts));
            links.extend(contacts.iter().map(link));
        }
    }
    (ends, people, links)
}

/// The name of a new record that joins a person and a company.
pub fn link_name(person: &str, company: &str) -> String {
    new(&format!("{person} at {company}"))
}

fn id(row: &Row) -> String {
    text(row, "contactid").expect("a contact has a key")
}

fn company(row: &Row, by_account: &HashMap<String, Vec<String>>) -> Result<String, End> {
    let parent = text(row, PARENT).map(|parent| parent.to_lowercase());
    match parent.and_then(|parent| by_account.get(&parent)).map(Vec::as_slice) {
        Some([one]) => Ok(one.clone()),
        Some([_, _, ..]) => Err(End::Error("SEVERAL_MATCHES")),
        _ if row.get(PARENT_TABLE).is_some_and(|table| table == "contact") => Err(End::Rejected("PARENT_IS_CONTACT")),
        _ => Err(End::Rejected("NO_MATCH")),
    }
}

/// Takes out the rows that share both e-mail and company with another.
fn without_repeated<'a>(found: Vec<Found<'a>>, ends: &mut Ends) -> Vec<Found<'a>> {
    let mut times: HashMap<(String, String), usize> = HashMap::new();
    for contact in &found {
        *times.entry((contact.email.clone(), contact.company.clone())).or_default() += 1;
    }
    let (once, often): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|contact| times[&(contact.email.clone(), contact.company.clone())] == 1);
    for contact in often {
        ends.0.insert(id(contact.row), End::Error("DUPLICATE_KEY"));
    }
    once
}

fn by_email(contacts: Vec<Found<'_>>) -> HashMap<String, Vec<Found<'_>>> {
    let mut groups: HashMap<String, Vec<Found<'_>>> = HashMap::new();
    for contact in contacts {
        groups.entry(contact.email.clone()).or_default().push(contact);
    }
    groups
}

/// The person takes its fields from the contact that changed last.
fn person(email: &str, contacts: &[Found<'_>]) -> Row {
    let newest = contacts.iter().map(|contact| contact.row).max_by_key(|row| (text(row, "modifiedon"), id(row)));
    let newest = newest.expect("a group has a contact");
    let mut record = Row::new();
    record.insert("Gsid".to_owned(), json!(new(email)));
    record.insert("FirstName".to_owned(), stored(newest, "firstname"));
    record.insert("LastName".to_owned(), stored(newest, "lastname"));
    record.insert("Email".to_owned(), stored(newest, "emailaddress1"));
    record
}

fn link(contact: &Found<'_>) -> (String, Row) {
    let person = new(&contact.email);
    let name = link_name(&person, &contact.company);
    let mut record = Row::new();
    record.insert("Gsid".to_owned(), json!(name));
    record.insert("Person_ID".to_owned(), json!(person));
    record.insert("Company_ID".to_owned(), json!(contact.company));
    record.insert("External_Contact_ID_gainsight123__gc".to_owned(), stored(contact.row, "contactid"));
    record.insert(ACCOUNT.to_owned(), stored(contact.row, PARENT));
    (name, record)
}
