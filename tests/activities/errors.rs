//! `ferry errors RUN`: the error file of a run, printed or as a file.

use ferry::store::error_file::safe;
use serde_json::json;

use crate::faults::plain_stage;
use crate::stage::{COMPANIES, PEOPLE, Stage, lines};
use crate::terminal::Desk;

use super::json_lines;

/// Three contacts that fail: two without a company, and one of those with a name that a spreadsheet would run.
async fn desk() -> (Desk, String) {
    let contact = |number: usize, name: &str, parent: &str| {
        json!({ "contactid": format!("30000000-0000-0000-0000-{number:012}"), "firstname": name, "lastname": "L",
            "emailaddress1": format!("c{number}@example.com"), "_parentcustomerid_value": parent,
            "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account" })
    };
    let here = "00000000-0000-0000-0000-000000000001";
    let absent = "00000000-0000-0000-0000-000000000002";
    let mut twice = contact(3, "F", here);
    twice["emailaddress1"] = json!("c4@example.com");
    let contacts = [contact(1, "F", absent), contact(2, "=1+1", absent), twice, contact(4, "F", here)];
    let contacts: String = contacts.iter().map(|contact| format!("{contact}\n")).collect();
    let account = json!({ "accountid": here, "name": "Here" });
    let desk = Desk::on(Stage::world("", &format!("{account}\n"), &contacts).await);
    desk.ferry(&["run", COMPANIES]);
    let (code, out, err) = desk.ferry(&["run", PEOPLE, "--json"]);
    assert_eq!(code, 1, "{err}");
    (desk, json_lines(&out)[0]["run"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_file_is_printed_whole_or_by_code() {
    let (desk, run) = desk().await;
    let file = desk.home().join("runs").join(&run).join("errors.csv");
    let (code, out, err) = desk.ferry(&["errors", &run]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, std::fs::read_to_string(&file).unwrap());
    assert!(out.contains(&*safe("=1+1")) && !out.contains(",=1+1"), "{out}");
    let (code, out, _) = desk.ferry(&["errors", &run, "--code", "no_match"]);
    assert_eq!((code, out.lines().count(), out.matches("NO_MATCH").count()), (0, 3, 2), "{out}");
    let (_, out, _) = desk.ferry(&["errors", &run, "--code", "NO_MATCH,DUPLICATE_KEY"]);
    assert_eq!(out.lines().count(), 5);
    let (code, out, _) = desk.ferry(&["errors", &run, "--json", "--code", "NO_MATCH"]);
    let reasons = json_lines(&out);
    assert_eq!((code, reasons.len(), &reasons[0]["rows"]), (0, 1, &2.into()));
    assert!(reasons[0]["example"]["source_key"].as_str().unwrap().ends_with("000000000001"), "{out}");
    // The verbs beside it are as they were.
    let (code, out, _) = desk.ferry(&["errors", "list"]);
    assert!(code == 0 && out.contains("DUPLICATE_KEY"), "{out}");
    let (code, out, _) = desk.ferry(&["errors", "unescape", file.to_str().unwrap()]);
    assert!(code == 0 && out.contains(",=1+1,"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_file_becomes_a_new_file_of_its_owner_alone() {
    let (desk, run) = desk().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.csv");
    let out = path.to_str().unwrap();
    let (code, said, err) = desk.ferry(&["errors", &run, "--out", out, "--code", "NO_MATCH"]);
    assert!(code == 0 && said.is_empty() && err.contains("2 rows of run"), "{said}{err}");
    assert_eq!(lines(&path).len(), 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let (code, _, err) = desk.ferry(&["errors", &run, "--out", out]);
    assert!(code == 2 && err.contains("is there already, and nothing is written over it"), "{err}");
    assert_eq!(lines(&path).len(), 2, "it is as it was");
    let (code, _, err) = desk.ferry(&["errors", &run, "--out", folder.path().join("no/where.csv").to_str().unwrap()]);
    assert!(code == 7 && err.contains("cannot create"), "{err}");
    #[cfg(unix)]
    {
        // A link that leads nowhere would have its end made.
        let link = folder.path().join("link.csv");
        std::os::unix::fs::symlink(folder.path().join("elsewhere.csv"), &link).unwrap();
        assert_eq!(desk.ferry(&["errors", &run, "--out", link.to_str().unwrap()]).0, 2);
        assert!(!folder.path().join("elsewhere.csv").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_error_file_says_why() {
    let (desk, run) = desk().await;
    let companies = json_lines(&desk.ferry(&["activity", "--job", COMPANIES, "--json"]).1)[0]["run"].to_string();
    for (arguments, said) in [
        (&["errors"][..], "name a run, such as"),
        (&["errors", "20200101-0001"], "has no run \"20200101-0001\""),
        (&["errors", "../../etc/passwd"], "has no run"),
        (&["errors", companies.trim_matches('"')], "has no error file: no row of it failed"),
        (&["errors", &run, "--code", "REFUSED"], "no row with the code REFUSED; it has DUPLICATE_KEY, NO_MATCH"),
        (&["errors", "--code", "NO_MATCH"], "required"),
    ] {
        let (code, out, err) = desk.ferry(arguments);
        assert!(code == 2 && out.is_empty() && err.contains(said), "{arguments:?}: {code} {out}{err}");
    }
    desk.ferry(&["run", PEOPLE]);
    desk.ferry(&["clean", "--older-than", "0s"]);
    let (code, _, err) = desk.ferry(&["errors", &run]);
    assert!(code == 2 && err.contains("is there no more: it was cleaned away"), "{err}");
}

/// An error file that somebody else put there is data, whatever is in it.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_file_that_is_none_is_an_error_and_no_panic() {
    let stage = plain_stage("").await;
    let desk = Desk::on(stage);
    let (_, out, _) = desk.ferry(&["run", COMPANIES, "--json"]);
    let run = json_lines(&out)[0]["run"].as_str().unwrap().to_owned();
    let file = desk.home().join("runs").join(&run).join("errors.csv");
    for (bytes, expected) in [(&b"a,b\n1\n"[..], 7), (b"\xff\xfe\n", 7), (b"", 0)] {
        std::fs::write(&file, bytes).unwrap();
        let (code, _, err) = desk.ferry(&["errors", &run]);
        assert_eq!(code, expected, "{bytes:?}: {err}");
        assert_eq!(desk.ferry(&["activity", &run]).0, 0, "what else is known of the run is shown");
    }
}
