//! Holding what is there against what must be. Every disagreement is a line of text; none stops the comparison.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ferry::model::outcome::{Counts, Status};
use ferry::run::report::Report;
use serde_json::Value;

use super::company::ACCOUNT;
use super::expected::{End, Expected, Records, Row, World, new, text};
use super::person::link_name;

/// The fields that point to records.
const REFERENCES: [&str; 4] = ["Gsid", "Manager", "Person_ID", "Company_ID"];

/// What differs between the records of Gainsight and the expected ones.
pub fn records(start: &World, end: &World, expected: &Expected) -> Vec<String> {
    let names = names(start, end);
    let mut wrong = Vec::new();
    for (object, expected) in &expected.objects {
        let mut seen = BTreeSet::new();
        for record in &end.objects[object] {
            let record = named(record, &names);
            let name = text(&record, "Gsid").unwrap_or_default();
            match expected.get(&name) {
                None => wrong.push(format!("{object} {name}: should not be there")),
                Some(expected) => wrong.extend(fields(object, &record, expected)),
            }
            if !seen.insert(name.clone()) {
                wrong.push(format!("{object} {name}: there twice"));
            }
        }
        wrong.extend(missing(object, expected, &seen));
    }
    wrong
}

/// The name of every record by its GSID: the GSID itself if it was there at the start, else a name from the key.
fn names(start: &World, end: &World) -> HashMap<String, String> {
    let mut names: HashMap<String, String> = HashMap::new();
    let before: BTreeSet<String> = start.objects.values().flatten().filter_map(|record| text(record, "Gsid")).collect();
    // The people of companies come last: they are named by what they join.
    for object in ["gsuser", "company", "person", "company_person"] {
        for record in &end.objects[object] {
            let part = |field: &str| text(record, field).unwrap_or_default();
            let known = |field: &str| names.get(&part(field)).cloned().unwrap_or_default();
            let gsid = part("Gsid");
            let name = match object {
                _ if before.contains(&gsid) => gsid.clone(),
                "gsuser" => new(&part("SFDCUserName")),
                "company" => new(&part(ACCOUNT)),
                "person" => new(&part("Email").to_lowercase()),
                _ => link_name(&known("Person_ID"), &known("Company_ID")),
            };
            names.insert(gsid, name);
        }
    }
    names
}

fn named(record: &Row, names: &HashMap<String, String>) -> Row {
    let mut record = record.clone();
    for field in REFERENCES {
        let name = record.get(field).and_then(Value::as_str).and_then(|gsid| names.get(gsid));
        if let Some(name) = name {
            record.insert(field.to_owned(), name.as_str().into());
        }
    }
    record
}

fn fields(object: &str, record: &Row, expected: &Row) -> Vec<String> {
    let differing = expected.iter().filter(|(field, value)| record.get(*field) != Some(value));
    let line = |(field, value): (&String, &Value)| {
        format!("{object} {}: {field} is {} and not {value}", record["Gsid"], record[field])
    };
    differing.map(line).collect()
}

fn missing(object: &str, expected: &Records, seen: &BTreeSet<String>) -> Vec<String> {
    expected.keys().filter(|name| !seen.contains(*name)).map(|name| format!("{object} {name}: missing")).collect()
}

/// What differs between a report with its error file and the expected ends.
pub fn report(pass: usize, report: &Report, ends: &BTreeMap<String, End>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut counts = Counts { read: ends.len() as u64, ..Counts::default() };
    let mut failures = BTreeSet::new();
    for (key, end) in ends {
        match end {
            End::Inserted => counts.inserted += 1,
            End::Updated => counts.updated += 1,
            End::Unchanged => counts.unchanged += 1,
            End::Filtered => counts.filtered += 1,
            End::Rejected(code) => {
                counts.rejected += 1;
                failures.insert([key, "rejected", code].map(str::to_owned));
            }
            End::Error(code) => {
                counts.error += 1;
                failures.insert([key, "error", code].map(str::to_owned));
            }
        }
    }
    if report.counts != counts {
        wrong.push(format!("pass {pass}, {}: counts are {:?} and not {counts:?}", report.job, report.counts));
    }
    let status = if failures.is_empty() { Status::Success } else { Status::Partial };
    if report.status != status {
        wrong.push(format!("pass {pass}, {}: status is {:?} and not {status:?}", report.job, report.status));
    }
    let lines = error_file(report);
    let listed: BTreeSet<[String; 3]> = lines.iter().cloned().collect();
    if listed.len() != lines.len() {
        wrong.push(format!("pass {pass}, {}: the error file has a line twice", report.job));
    }
    let line = |what: &str, line: &[String; 3]| format!("pass {pass}, {}: {what} {}", report.job, line.join(" "));
    wrong.extend(listed.difference(&failures).map(|found| line("error file has", found)));
    wrong.extend(failures.difference(&listed).map(|lost| line("error file lacks", lost)));
    wrong
}

/// Source key, outcome and code of every line.
fn error_file(report: &Report) -> Vec<[String; 3]> {
    let Some(path) = &report.error_file else { return Vec::new() };
    let mut reader = csv::Reader::from_path(path).expect("the error file can be read");
    let header = reader.headers().expect("the error file has a header").clone();
    let place = |name| header.iter().position(|column| column == name).expect("the column is in the error file");
    let places = ["source_key", "outcome", "code"].map(place);
    let cells = |record: csv::StringRecord| places.map(|place| record[place].to_owned());
    reader.records().map(|record| cells(record.expect("a line of the error file"))).collect()
}
