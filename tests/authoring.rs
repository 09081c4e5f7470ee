//! The verbs of whoever writes jobs, as they meet them in a terminal: fmt, test, refresh, describe, preview, explain.

use ferry::sandbox::{Options, start};
use serde_json::Value;

use crate::stage::{COMPANIES, Stage};
use crate::terminal::Desk;

const WRONG_TEST: &str = "CREATE TEST \"two companies\"
  FOR \"Company Sync_Dynamics Connection\" AS
GIVEN dynamics.account (accountid, name) VALUES
  ('a1', 'Acme'),
  ('a2', NULL)
EXPECT gainsight.Company (\"Dynamics Account ID\", \"Name\") VALUES
  ('a1', 'Acme'),
  ('a2', 'Bolt');
";

#[tokio::test(flavor = "multi_thread")]
async fn tests_run_without_a_service_once_the_schemas_are_kept() {
    let mut desk = Desk::new().await;
    let (code, _, err) = desk.ferry(&["test"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("no snapshot") && err.contains("ferry refresh"), "{err}");
    let (code, out, _) = desk.ferry(&["refresh"]);
    assert_eq!((code, out.lines().count()), (0, 2), "{out}");
    let calls = desk.stage.sandbox.calls().len();
    desk.forget_secrets();
    let (code, out, err) = desk.ferry(&["test"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("8 passed, 0 failed"), "{out}");
    let (code, out, err) = desk.ferry(&["check", "--offline"]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(desk.stage.sandbox.calls().len(), calls, "no service is asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_fails_shows_both_sides() {
    let desk = Desk::new().await;
    desk.ferry(&["refresh"]);
    desk.write("wrong.ferry", WRONG_TEST);
    let (code, out, _) = desk.ferry(&["test", "wrong.ferry"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("FAILED  two companies") && out.contains("0 passed, 1 failed"), "{out}");
    assert!(out.contains("'a1', 'Acme'") && out.contains("≠") && out.contains("'a2', 'Bolt'"), "{out}");
    let (code, out, _) = desk.ferry(&["test", "wrong.ferry", "--json"]);
    let said: Value = serde_json::from_str(out.trim()).unwrap();
    assert_eq!((code, said["passed"].as_bool()), (1, Some(false)));
    assert_eq!(said["failures"][0]["missing"][0][1], "'Bolt'");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_new_since_the_snapshot_is_an_unknown_one() {
    let desk = Desk::new().await;
    desk.ferry(&["refresh"]);
    let job = "CREATE JOB \"J\" AS UPSERT INTO gainsight.Company KEY (\"Name\") SELECT n.new_name AS \"Name\" \
               FROM dynamics.new_project AS n;\n";
    desk.write("new.ferry", job);
    let (code, out, _) = desk.ferry(&["check", "--offline"]);
    assert_eq!(code, 2, "{out}");
    assert!(out.contains("the snapshot knows its name") && out.contains("ferry refresh"), "{out}");
    desk.write("schemas/dynamics.json", "{");
    let (code, _, err) = desk.ferry(&["check", "--offline"]);
    assert_eq!(code, 7, "{err}");
    assert!(err.contains("not a snapshot") && err.contains("ferry refresh"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fmt_lays_out_and_says_which_files() {
    let desk = Desk::new().await;
    assert_eq!(desk.ferry(&["fmt", "--check"]), (0, String::new(), String::new()), "a new project is laid out");
    desk.write("mine.ferry", "-- mine\ncreate chain c as run \"a\" then run \"b\" ; -- two\r\n");
    let (code, out, err) = desk.ferry(&["fmt", "--check"]);
    assert_eq!((code, out.as_str()), (1, "mine.ferry\n"), "{err}");
    assert_eq!(desk.ferry(&["fmt"]).0, 0);
    let laid_out = "-- mine\nCREATE CHAIN c\nAS RUN \"a\"\n  THEN RUN \"b\"; -- two\n";
    let found = std::fs::read_to_string(desk.project().join("mine.ferry")).unwrap();
    assert!(
        found.starts_with("-- mine\nCREATE CHAIN c\nAS RUN \"a\"\n  THEN RUN \"b\";") && found.ends_with("-- two\n"),
        "{found} {laid_out}"
    );
    desk.write("broken.ferry", "CREATE JOB;");
    desk.write("mine.ferry", "create chain c as run \"a\";");
    let (code, out, _) = desk.ferry(&["fmt"]);
    assert_eq!(code, 2, "{out}");
    assert!(out.contains("error[F001]") && out.contains("broken.ferry:1"), "{out}");
    let left = std::fs::read_to_string(desk.project().join("mine.ferry")).unwrap();
    assert_eq!(left, "create chain c as run \"a\";", "where one file is wrong none is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn describe_lists_objects_and_their_fields() {
    let desk = Desk::new().await;
    let (code, out, _) = desk.ferry(&["describe"]);
    assert!(code == 0 && out.contains("opportunity") && out.contains("Company Person"), "{out}");
    let (code, out, _) = desk.ferry(&["describe", "dynamics.opportunity"]);
    let state = out.lines().find(|l| l.contains("statecode")).unwrap_or_default();
    assert!(code == 0 && state.contains("CHOICE") && state.contains("'Open' (0)"), "{out}");
    let (_, out, _) = desk.ferry(&["describe", "Company"]);
    let csm = out.lines().find(|l| l.contains("Csm")).unwrap_or_default();
    assert!(csm.contains("GSID") && csm.contains("→ gsuser"), "{out}");
    let (code, _, err) = desk.ferry(&["describe", "acount"]);
    assert!(code == 2 && err.contains("did you mean \"account\"?") || err.contains("\"Account\"?"), "{err}");
    let (_, out, _) = desk.ferry(&["describe", "Company", "--json"]);
    let said: Value = serde_json::from_str(out.trim()).unwrap();
    assert_eq!((said["connection"].as_str(), said["name"].as_str()), (Some("gainsight"), Some("company")));
}

#[tokio::test(flavor = "multi_thread")]
async fn preview_shows_mapped_rows_and_writes_nothing() {
    let desk = Desk::new().await;
    let (code, out, err) = desk.ferry(&["preview", COMPANIES, "--limit", "3"]);
    assert_eq!((code, out.lines().count()), (0, 4), "{out}{err}");
    assert!(out.starts_with("  accountid") && err.contains("3 of "), "{out}{err}");
    let (_, out, _) = desk.ferry(&["preview", COMPANIES, "--limit", "2", "--json"]);
    let rows: Vec<Value> = out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    assert!(rows[0]["fields"]["Name"].is_string(), "{out}");
    assert!(desk.stage.sandbox.calls().iter().all(|c| !c.write), "nothing is written");
}

const TWO_LOOKUPS: &str = "CREATE JOB \"two lookups\"
AS
UPSERT INTO gainsight.Company
  KEY (\"Dynamics Account ID\")
SELECT
  a.accountid                               AS \"Dynamics Account ID\",
  COALESCE(x.\"Name\", y.\"Name\", x.\"GSID\") AS \"Name\"
FROM dynamics.account AS a
LOOKUP gainsight.Company AS x
    ON x.\"Name\" = a.name
    WHEN MULTIPLE MATCHED THEN ERROR
    WHEN NOT MATCHED      THEN USE NULL
LOOKUP gainsight.Company AS y
    ON y.\"Name\" = a.accountid
    WHEN MULTIPLE MATCHED THEN ERROR
    WHEN NOT MATCHED      THEN USE NULL;
";

#[tokio::test(flavor = "multi_thread")]
async fn explain_names_a_lookup_once_for_all_its_fields() {
    let desk = Desk::new().await;
    desk.write("two.ferry", TWO_LOOKUPS);
    let (code, out, err) = desk.ferry(&["explain", "two lookups"]);
    assert_eq!(code, 0, "{err}");
    let told: Vec<&str> = out.lines().filter(|line| line.contains("← LOOKUP")).map(str::trim).collect();
    assert_eq!(told, ["← LOOKUP x: \"Name\", \"GSID\" of Company", "← LOOKUP y: \"Name\" of Company"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_tells_where_a_field_comes_from() {
    let desk = Desk::new().await;
    let (code, out, _) = desk.ferry(&["explain", "User Sync_Dynamics Connection"]);
    assert_eq!(code, 0);
    assert!(out.contains("User.\"Username\"  (key)") && out.contains("← systemuser.domainname"), "{out}");
    assert!(out.contains("\"Username\" = systemuser.parentsystemuserid.domainname"), "{out}");
    assert!(out.contains("several match: USE ANY; none matches: USE NULL"), "{out}");
    let (code, out, _) = desk.ferry(&["explain", "f001"]);
    assert!(code == 0 && out.starts_with("F001: "), "{out}");
    let (code, _, err) = desk.ferry(&["explain", "F999"]);
    assert!(code == 2 && err.contains("F999"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_of_ones_own_is_right_from_the_beginning() {
    let desk = Desk::new().await;
    let folder = desk.home().parent().unwrap().join("own");
    let own = folder.to_str().unwrap();
    let (organization, gainsight) = (desk.stage.sandbox.dynamics_url(), desk.stage.sandbox.gainsight_url());
    let urls = ["--organization", organization, "--gainsight", gainsight];
    let (code, out, err) = desk.ferry(&[&["init", own, "--label", "Sales"][..], &urls].concat());
    assert_eq!((code, out.lines().count()), (0, 6), "{err}");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(read("user_sync.ferry").contains("CREATE JOB \"User Sync_Sales\""));
    assert!(read("company_sync.ferry").contains("\"External Account ID_gainsight123\""), "as the tenant calls it");
    let in_own = |arguments: &[&str]| desk.ferry_in(&folder, arguments);
    assert_eq!(in_own(&["refresh"]).0, 0);
    assert_eq!(in_own(&["fmt", "--check"]).0, 0, "in canonical layout");
    let (code, out, err) = in_own(&["test"]);
    assert_eq!(code, 0, "{out}{err}");
    let (code, _, err) = desk.ferry(&[&["init", own][..], &urls].concat());
    assert!(code == 2 && err.contains("writes over nothing"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_of_ones_own_calls_fields_as_its_tenant_does() {
    let options = Options { rows: 60, suffix: "Acme_Corp".to_owned(), ..Options::default() };
    let desk = Desk::on(Stage::on(start(options).await.unwrap()));
    let folder = desk.home().parent().unwrap().join("own");
    let (organization, gainsight) = (desk.stage.sandbox.dynamics_url(), desk.stage.sandbox.gainsight_url());
    let own = folder.to_str().unwrap();
    let (code, _, err) = desk.ferry(&["init", own, "--organization", organization, "--gainsight", gainsight]);
    assert_eq!(code, 0, "{err}");
    let all: String = ["company_sync", "company_person_sync", "tests"]
        .map(|name| std::fs::read_to_string(folder.join(format!("{name}.ferry"))).unwrap())
        .concat();
    assert!(all.contains("\"External Account ID_Acme_Corp\"") && all.contains("\"External Contact ID_Acme_Corp\""));
    assert!(!all.contains("gainsight123"), "nothing of the shipped tenant is left: {all}");
    let (code, out, err) = desk.ferry_in(&folder, &["check"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_cannot_begin_says_why() {
    let desk = Desk::new().await;
    let folder = desk.home().parent().unwrap().join("own");
    let own = folder.to_str().unwrap();
    let urls = ["--organization", "https://acme.crm.dynamics.com", "--gainsight", "https://acme.gainsightcloud.com"];
    let keys = ["--account-key", "External Account ID_a \"b\"", "--contact-key", "External Contact ID_acme"];
    let plain = ["--organization", "http://acme.crm.dynamics.com", "--gainsight", "https://x.gainsightcloud.com"];
    let (code, out, _) = desk.ferry(&[&["init", own][..], &plain, &keys].concat());
    assert!(code == 2 && out.contains("a connection needs https"), "{out}");
    let (code, _, err) = desk.ferry(&[&["init", own, "--label", "a\"b"][..], &urls, &keys].concat());
    assert!(code == 2 && err.contains("a name without quotes"), "{err}");
    assert!(!folder.exists(), "nothing was written");
    let (code, _, err) = desk.ferry(&[&["init", own][..], &urls, &keys].concat());
    assert_eq!(code, 0, "with both fields named nobody is asked: {err}");
    let text = std::fs::read_to_string(folder.join("company_sync.ferry")).unwrap();
    assert!(text.contains("KEY (\"External Account ID_a \"\"b\"\"\")"), "{text}");
}
