//! Names of files are ours: neither a script nor a service chooses where something is written, and no link leads it away.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::Int64Array;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use ferry::model::dataset;
use ferry::model::secret::Secret;
use ferry::store::error_file::{ErrorFile, Line, SourceColumns};
use ferry::store::home::Home;
use ferry::store::schemas;
use ferry::store::secrets::Secrets;

use crate::generated::dice::Dice;
use crate::stage::{COMPANIES, Stage};

/// Names that the random test makes.
const NAMES: usize = 100_000;
const HOSTILE: [&str; 14] =
    ["../../x", "/etc/x", "..", ".", "", "CON", "a\0b", "a/b", "a\\b", "%2e%2e/x", "C:\\x", "~/x", "\u{202e}x", "-rf"];

/// Every path below a folder, without following links.
fn below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            all.extend(below(&path));
        }
        all.insert(path);
    }
    all
}

fn batch() -> RecordBatch {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, false)]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(vec![1]))]).unwrap()
}

#[test]
fn no_name_of_a_service_makes_a_path() {
    let letters: Vec<char> = "./\\%2eE~:\0\n *?\"<>|-_aZ0ü\u{2024}\u{ff0e}\u{ff0f}\u{2215}".chars().collect();
    let mut dice = Dice::of(10);
    let mut folders = BTreeSet::new();
    for _ in 0..NAMES {
        let name: String = (0..dice.below(12)).map(|_| dice.pick(&letters)).collect();
        for (root, folder) in [
            ("related/", dataset::related(&name)),
            ("searched/", dataset::searched(&name)),
            ("target/", dataset::target(&name)),
        ] {
            let rest = folder.strip_prefix(root).unwrap();
            assert!(rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{name:?}: {folder}");
        }
        folders.insert((dataset::related(&name), name));
    }
    let names: BTreeSet<&str> = folders.iter().map(|(_, name)| name.as_str()).collect();
    let unique: BTreeSet<&str> = folders.iter().map(|(folder, _)| folder.as_str()).collect();
    assert_eq!(names.len(), unique.len(), "two names never share a folder");
    assert_eq!(dataset::target("External_Object__gc"), "target/external_object__gc", "honest names stay");
}

#[tokio::test]
async fn a_dataset_lies_in_its_run_folder() {
    let outer = tempfile::tempdir().unwrap();
    let home = Home::open(&outer.path().join("home")).unwrap();
    let run = home.runs().make("20260101-0001").await.unwrap();
    for name in HOSTILE {
        // As it is, and as the datasets of a service's objects are named.
        for dataset in [name.to_owned(), dataset::target(name), dataset::related(name)] {
            let mut writer = run.write(&dataset, batch().schema());
            writer.add(batch()).await.unwrap();
            writer.finish().await.unwrap();
        }
    }
    let strays: Vec<_> =
        below(outer.path()).into_iter().filter(|p| p.is_file() && !p.starts_with(run.root())).collect();
    assert_eq!(strays, [outer.path().join("home/lock")]);
    let catalog = ferry::model::catalog::Catalog {
        connections: HOSTILE.iter().map(|name| ((*name).to_owned(), Default::default())).collect(),
        ..Default::default()
    };
    let project = outer.path().join("project");
    schemas::write(&project, &catalog).unwrap();
    assert!(
        below(&project).iter().all(|p| p == &project.join("schemas") || p.parent() == Some(&project.join("schemas")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_may_be_named_anything_and_writes_into_its_home() {
    let stage = Stage::seeded(40).await;
    let outer = stage.setting.home.parent().unwrap().to_owned();
    let long = "x".repeat(4_096);
    let mut ran = 0;
    for name in HOSTILE.into_iter().chain([long.as_str()]) {
        let text = format!(
            "CREATE JOB \"{name}\" AS UPSERT INTO gainsight.Company KEY (\"Dynamics Account ID\") SELECT a.accountid AS \
             \"Dynamics Account ID\", a.name AS \"Name\", -1 AS \"Employees\" FROM dynamics.account AS a;"
        );
        let workspace = stage.workspace(&[("hostile.ferry", &text)]).await;
        if workspace.diagnostics.has_errors() {
            continue;
        }
        ran += 1;
        let (reports, result) = stage.try_run_with(name, &[("hostile.ferry", &text)]).await;
        assert!(result.is_ok() && reports[0].job == name, "{name:?}");
        let file = reports[0].error_file.clone().expect("its rows are refused");
        assert_eq!(file.parent().unwrap().parent().unwrap(), stage.setting.home.canonicalize().unwrap().join("runs"));
    }
    assert!(ran > 8, "{ran} names are accepted");
    for path in below(&outer) {
        let rest = path.strip_prefix(&outer).unwrap().to_str().unwrap().to_owned();
        assert!(rest == "home" || rest.starts_with("home/"), "{rest}");
        assert!(
            rest.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) && !rest.contains(".."),
            "{rest}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_link_is_not_followed() {
    let stage = Stage::seeded(40).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let home = &stage.setting.home;
    drop(Home::open(home).unwrap());
    symlink(elsewhere.path(), home.join("runs")).unwrap();
    let (_, result) = stage.try_run(COMPANIES).await;
    let said = result.err().unwrap().to_string();
    assert!(said.contains("runs: it is a link; remove it"), "{said}");
    std::fs::remove_file(home.join("runs")).unwrap();
    std::fs::create_dir(home.join("runs")).unwrap();
    // The number of the next run is easily guessed.
    let next = ferry::store::state::State::open(&home.join("state.db")).unwrap().runs(1).unwrap()[0].id.clone();
    let next = format!("{}-{:04}", &next[..8], next[9..].parse::<u32>().unwrap() + 1);
    for target in [elsewhere.path().to_owned(), elsewhere.path().join("not-there")] {
        symlink(&target, home.join("runs").join(&next)).unwrap();
        assert!(Home::open(home).unwrap().runs().make(&next).await.is_err());
        std::fs::remove_file(home.join("runs").join(&next)).unwrap();
    }
    symlink(elsewhere.path(), home.join("preview")).unwrap();
    Home::open(home).unwrap().preview_folder().unwrap();
    assert!(!home.join("preview").is_symlink(), "the link is replaced by a folder");
    assert_eq!(below(elsewhere.path()).len(), 0);
    assert!(stage.try_run(COMPANIES).await.1.is_ok());
}

#[tokio::test]
async fn a_link_in_place_of_a_file_is_not_written_through() {
    let outer = tempfile::tempdir().unwrap();
    let (home, precious) = (outer.path().join("home"), outer.path().join("precious"));
    std::fs::write(&precious, "precious").unwrap();
    std::fs::create_dir(&home).unwrap();
    symlink(&precious, home.join("lock")).unwrap();
    let folder = Home::open(&home).unwrap().runs().make("20260101-0001").await.unwrap();
    let folder = Path::new(folder.root());
    symlink(&precious, folder.join("errors.csv")).unwrap();
    symlink(&precious, home.join("secrets.new")).unwrap();
    let key = outer.path().join("key");
    Secrets::make_key(&key).unwrap();
    Secrets::open(&home, &key).unwrap().set("a", &Secret::new("b".to_owned())).unwrap();
    let mut file = ErrorFile::new(folder, "20260101-0001", "J");
    file.add(&Line::default(), &SourceColumns::of(&batch()).unwrap(), 0).unwrap();
    let path = file.finish().unwrap().unwrap();
    assert!(!path.is_symlink() && path.is_file());
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
}
