//! The job of the workload, checked against schemas in memory.

use std::path::Path;

use ferry::diagnostic::source::Sources;
use ferry::engine::functions;
use ferry::lang::project::{check, read};
use ferry::model::catalog::{Catalog, Object, ObjectName};
use ferry::model::field::{Field, FieldKind};
use ferry::model::job::Job;
use ferry::store::schemas;

use super::records::FIELDS;

pub const CONNECTIONS: &str = include_str!("../../jobs/connections.ferry");
/// The job's name.
pub const NAME: &str = "Dynamics Contacts";
/// The API name of the object that it writes.
pub const OBJECT: &str = "Dynamics_Contact__gc";
/// Labels of the target's fields, in the order of [`FIELDS`].
const LABELS: [&str; 10] = [
    "External Contact ID",
    "First Name",
    "Last Name",
    "Name",
    "Email",
    "Title",
    "Phone",
    "Location",
    "Company",
    "Owner",
];
const MAPPINGS: &str = r#"
  c.contactid                                      AS "External Contact ID",
  TRIM(c.firstname)                                AS "First Name",
  TRIM(c.lastname)                                 AS "Last Name",
  TRIM(c.firstname) || ' ' || TRIM(c.lastname)     AS "Name",
  LOWER(TRIM(c.emailaddress1))                     AS "Email",
  TRIM(c.jobtitle)                                 AS "Title",
  TRIM(c.telephone1)                               AS "Phone",
  TRIM(c.address1_city) || ', ' || c.address1_country AS "Location""#;
/// Of each lookup what it fills and how it searches. The first two are those of the workload.
const LOOKUPS: [(&str, &str, &str); 6] = [
    (
        "Company",
        "l1.\"GSID\"",
        "gainsight.Company AS l1\n  ON l1.\"External Account ID_gainsight123\" = c.parentcustomerid\n  WHEN MULTIPLE MATCHED THEN ERROR\n  WHEN NOT MATCHED THEN REJECT",
    ),
    (
        "Owner",
        "l2.\"GSID\"",
        "gainsight.User AS l2\n  ON l2.\"Dynamics User ID\" = c.ownerid\n  WHEN MULTIPLE MATCHED THEN USE ANY\n  WHEN NOT MATCHED THEN USE NULL",
    ),
    (
        "Reserve 1",
        "l3.\"GSID\"",
        "gainsight.Company AS l3\n  ON l3.\"Dynamics Account ID\" = c.parentcustomerid\n  WHEN MULTIPLE MATCHED THEN USE ANY\n  WHEN NOT MATCHED THEN USE NULL",
    ),
    (
        "Reserve 2",
        "l4.\"GSID\"",
        "gainsight.User AS l4\n  ON l4.\"Username\" = LOWER(c.emailaddress1) IGNORE CASE\n  WHEN MULTIPLE MATCHED THEN USE ANY\n  WHEN NOT MATCHED THEN USE NULL",
    ),
    (
        "Reserve 3",
        "l5.\"GSID\"",
        "gainsight.Company AS l5\n  ON l5.\"Name\" = TRIM(c.jobtitle)\n  WHEN MULTIPLE MATCHED THEN USE ANY\n  WHEN NOT MATCHED THEN USE NULL",
    ),
    (
        "Reserve 4",
        "l6.\"GSID\"",
        "gainsight.User AS l6\n  ON l6.\"Email\" = c.emailaddress1 IGNORE CASE\n  WHEN MULTIPLE MATCHED THEN USE ANY\n  WHEN NOT MATCHED THEN USE NULL",
    ),
];

/// The text of the job, with that many lookups of six.
pub fn script(lookups: usize) -> String {
    let mut text = format!(
        "CREATE JOB \"{NAME}\"\nAS\nUPSERT INTO gainsight.\"Dynamics Contact\"\n  KEY (\"External Contact ID\")\nSELECT{MAPPINGS}"
    );
    for (field, value, _) in &LOOKUPS[..lookups] {
        text.push_str(&format!(",\n  {value} AS \"{field}\""));
    }
    text.push_str("\nFROM CHANGES OF dynamics.contact AS c\n");
    for (.., search) in &LOOKUPS[..lookups] {
        text.push_str(&format!("LOOKUP {search}\n"));
    }
    text.push_str("WHERE c.statecode = 'Active';\n");
    text
}

/// The job with two lookups: the workload's own.
pub fn job() -> Job {
    job_with(2)
}

/// The job with that many lookups of six.
pub fn job_with(lookups: usize) -> Job {
    let mut sources = Sources::default();
    sources.add("connections.ferry".to_owned(), CONNECTIONS.to_owned());
    sources.add("job.ferry".to_owned(), script(lookups));
    let (mut project, diagnostics) = check(&read(&sources), &catalog(), &functions::catalog(), &sources);
    assert!(!diagnostics.has_errors(), "{:?}", diagnostics.sorted().first());
    project.jobs.remove(NAME).expect("the job is right")
}

/// The schemas that lie in `jobs/`, and the object that is written.
pub fn catalog() -> Catalog {
    let project = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/jobs"));
    let names = ["dynamics".to_owned(), "gainsight".to_owned()];
    let mut catalog = schemas::read(project, names.iter()).expect("a snapshot").expect("of both");
    let object = object();
    let name = ObjectName { name: object.name.clone(), label: object.label.clone() };
    catalog.names.entry("gainsight".to_owned()).or_default().push(name);
    catalog.connections.entry("gainsight".to_owned()).or_default().insert(object.name.clone(), object);
    catalog
}

fn object() -> Object {
    let field = |name: &str, label: &str| {
        let kind = match label {
            "Company" | "Owner" => FieldKind::Lookup,
            _ if label.starts_with("Reserve") => FieldKind::Lookup,
            "Email" => FieldKind::Email,
            _ => FieldKind::String,
        };
        let mut field = Field::bare(name, label, kind);
        field.writable = true;
        match kind {
            FieldKind::Lookup => {
                let is_company = matches!(label, "Company" | "Reserve 1" | "Reserve 3");
                field.targets = vec![if is_company { "company" } else { "gsuser" }.to_owned()];
            }
            _ => field.length = Some(255),
        }
        field
    };
    let mut fields = vec![Field::bare("Gsid", "GSID", FieldKind::Gsid)];
    fields.extend(FIELDS.iter().zip(LABELS).map(|(name, label)| field(name, label)));
    fields.extend((1..=4).map(|n| field(&format!("Reserve_{n}__gc"), &format!("Reserve {n}"))));
    Object {
        name: OBJECT.to_owned(),
        label: "Dynamics Contact".to_owned(),
        set_name: OBJECT.to_owned(),
        primary_id: "Gsid".to_owned(),
        tracks: false,
        is_of_files: false,
        fields,
    }
}
