//! How long it takes to read and check a script of many jobs, each with lookups, paths, a CASE and casts.

use std::path::Path;
use std::time::Instant;

use ferry::diagnostic::source::Sources;
use ferry::engine::functions;
use ferry::lang::layout::format;
use ferry::lang::project::{check as checked, read};
use ferry::store::schemas;

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

/// Checks a script of this many jobs.
pub fn check(jobs: usize) {
    let mut sources = Sources::default();
    sources.add("connections.ferry".to_owned(), CONNECTIONS.to_owned());
    let text: String = (0..jobs).map(|n| JOB.replace("{n}", &n.to_string())).collect();
    let size = text.len();
    sources.add("jobs.ferry".to_owned(), text.clone());
    let project = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/jobs"));
    let names = ["dynamics".to_owned(), "gainsight".to_owned()];
    let catalog = schemas::read(project, names.iter()).expect("a snapshot").expect("of both");
    let functions = functions::catalog();

    let since = Instant::now();
    let parsed = read(&sources);
    let reading = since.elapsed();
    let (project, diagnostics) = checked(&parsed, &catalog, &functions, &sources);
    let all = since.elapsed();
    assert!(!diagnostics.has_errors(), "{:?}", diagnostics.sorted().first());
    assert_eq!(project.jobs.len(), jobs);
    println!("check: {jobs} jobs, {size} bytes: read in {reading:.2?}, read and checked in {all:.2?}");

    let since = Instant::now();
    format(1, &text).expect("it can be laid out");
    println!("fmt: the same script laid out in {:.2?}", since.elapsed());
}
