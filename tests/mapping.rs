//! What mappings come to: case files of jobs with tests in the language itself, checked against the sandbox's schemas.

use std::path::PathBuf;

use ferry::app::tests::{Tested, of};
use ferry::diagnostic::render::for_people;
use ferry::diagnostic::report::Severity;

use crate::stage::Stage;

fn told(failed: &Tested) -> String {
    failed.failures.iter().map(|f| format!("{}\n  {f:#?}\n", failed.test)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_comes_out_as_it_says() {
    let stage = Stage::seeded(40).await;
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/mapping"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let workspace = stage.workspace(&[("case.ferry", &text)]).await;
        let found = workspace.diagnostics.sorted();
        let mistakes: Vec<_> = found.into_iter().filter(|d| d.severity == Severity::Error).collect();
        let mistakes: Vec<String> = mistakes.iter().map(|d| for_people(d, &workspace.sources, false)).collect();
        assert!(mistakes.is_empty(), "{}\n{}", path.display(), mistakes.join("\n"));
        let tested = of(&workspace, &[PathBuf::from("case.ferry")]).await.unwrap();
        count += tested.len();
        wrong.extend(tested.iter().filter(|t| !t.passed).map(told));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 12, "the cases are there");
}
