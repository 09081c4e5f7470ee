//! What a person sees of jobs over files, on the screen.

use tempfile::TempDir;

use crate::stage::Stage;
use crate::terminal::Desk;

fn script(folder: &TempDir, load: &str) -> String {
    format!(
        "CREATE CONNECTION lake TO FILES URL 'file://{}' FORMAT CSV TABLE companies (code TEXT, name TEXT) KEY (code);\n\
         CREATE JOB \"J\" AS UPSERT INTO gainsight.Company KEY (\"Name\" IGNORE CASE) \
         SELECT c.name AS \"Name\" FROM lake.companies AS c {load};",
        folder.path().display()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_the_road_open_sees_both() {
    let desk = Desk::on(Stage::world("", "", "").await);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("companies.csv"), "code,name\nc1,Acme\n").unwrap();
    let both = "VIA API 1 call, 1 min, 1 day · VIA BULK 1 file, 10 min, 1 day";
    for (load, sees) in [
        ("", false),
        ("LOAD VIA AUTO (job_id = 'company by Name')", true),
        ("LOAD VIA BULK (job_id = 'company by Name')", true),
    ] {
        desk.write("files.ferry", &script(&folder, load));
        let (code, out, err) = desk.ferry(&["plan", "J"]);
        assert_eq!((code, out.contains(both)), (0, sees), "{load}: {out}{err}");
    }
    let (_, out, _) = desk.ferry(&["explain", "J"]);
    assert!(out.contains("as files for a bulk import") && !out.contains("Asked of Dynamics"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_below_the_project_is_told_how_to_be_written() {
    let desk = Desk::on(Stage::world("", "", "").await);
    let folder = tempfile::tempdir().unwrap();
    let text = script(&folder, "").replace(&format!("file://{}", folder.path().display()), "../exports");
    desk.write("files.ferry", &text);
    let (code, out, _) = desk.ferry(&["check"]);
    assert_eq!(code, 2, "{out}");
    assert!(out.contains("this is no folder below the project's") && out.contains("'file:///data/exports'"), "{out}");
}
