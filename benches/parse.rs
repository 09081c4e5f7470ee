//! How long it takes to read and check a script of many jobs, each with lookups, paths, a CASE and casts, and the world's own jobs.

use std::path::Path;

use ferry::app::projects::OUT_OF_THE_BOX;
use ferry::diagnostic::source::Sources;
use ferry::engine::functions;
use ferry::lang::layout::format;
use ferry::lang::project::{check, read};
use ferry::store::schemas;

use super::measured::{median_of, say};

const CONNECTIONS: &str = include_str!("../jobs/connections.ferry");
const JOB: &str = r#"CREATE JOB "Job {n}"
AS
UPSERT INTO gainsight.Company
  KEY ("External Account ID_gainsight123")
SELECT
  a.accountid                    AS "External Account ID_gainsight123",
  LEFT(TRIM(a.name), 200)        AS "Name",
  LABEL(a.industrycode)          AS "Industry",
  a.numberofemployees * 2 + {n}  AS "Employees",
  CASE WHEN a.revenue > 1000000 THEN 'Launched'
       WHEN a.revenue > 1000 THEN 'Kicked Off' END AS "Stage",
  csm."GSID"                     AS "CSM"
FROM CHANGES OF dynamics.account AS a
LOOKUP gainsight.User AS csm
    ON csm."Email" = a.ownerid.internalemailaddress IGNORE CASE
    WHEN MULTIPLE MATCHED THEN USE ANY
    WHEN NOT MATCHED      THEN USE NULL
WHERE a.statecode = 'Active'
  AND a.name NOT LIKE 'test%'
REQUIRE a.name IS NOT NULL ELSE REJECT 'no name';

"#;

/// Reads, checks and lays out a script of this many jobs, then the world's own project.
pub fn parse(jobs: usize) {
    let text: String = (0..jobs).map(|n| JOB.replace("{n}", &n.to_string())).collect();
    measured(&format!("{jobs} jobs"), &[("connections.ferry", CONNECTIONS.to_owned()), ("jobs.ferry", text)], jobs);
    measured("the world's", &OUT_OF_THE_BOX.map(|(name, text)| (name, text.to_owned())), 3);
}

/// What is measured has so many jobs, which stand where others have rows.
fn measured(what: &str, files: &[(&str, String)], jobs: usize) {
    let mut sources = Sources::default();
    let mut size = 0;
    for (name, text) in files {
        size += text.len();
        sources.add((*name).to_owned(), text.clone());
    }
    let project = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/jobs"));
    let names = ["dynamics".to_owned(), "gainsight".to_owned()];
    let catalog = schemas::read(project, names.iter()).expect("a snapshot").expect("of both");
    let functions = functions::catalog();
    let rows = jobs as u64;
    say(&format!("parse, {what}, read"), rows, size, median_of(|| read(&sources)));
    let taken = median_of(|| {
        let (project, diagnostics) = check(&read(&sources), &catalog, &functions, &sources);
        assert!(!diagnostics.has_errors(), "{:?}", diagnostics.sorted().first());
        assert_eq!(project.jobs.len(), jobs);
    });
    say(&format!("parse, {what}, read and checked"), rows, size, taken);
    let laid_out = || {
        for (number, (_, text)) in files.iter().enumerate() {
            format(number, text).expect("it can be laid out");
        }
    };
    say(&format!("parse, {what}, laid out"), rows, size, median_of(laid_out));
}
