//! Files of a run folder as a crash, a disk or a stranger leaves them: what was recorded is kept, what was not is removed.

mod error_files;
mod sifting;

use std::collections::BTreeSet;
use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use ferry::app;
use ferry::engine::compare::queue;
use ferry::engine::session::Engine;
use ferry::model::dataset::{CHANGES, ROW, changes};
use ferry::store::dataset::{Part, RunFolder, Writer};
use ferry::store::error::Error;
use futures::TryStreamExt;
use tempfile::TempDir;

const NAME: &str = "related/account";

fn schema() -> SchemaRef {
    let column = |name: &str| Field::new(name, DataType::Int64, false);
    Arc::new(Schema::new(vec![column(ROW), column(changes::FIRST)]))
}

fn batch(numbers: std::ops::Range<i64>) -> RecordBatch {
    let numbers = Arc::new(Int64Array::from_iter_values(numbers));
    RecordBatch::try_new(schema(), vec![Arc::clone(&numbers) as _, numbers]).unwrap()
}

struct Desk {
    root: TempDir,
    run: RunFolder,
}

impl Desk {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let run = RunFolder::open(root.path()).unwrap();
        Self { root, run }
    }

    fn at(&self, file: &str) -> PathBuf {
        self.root.path().join(NAME).join(file)
    }

    /// Three pages, and what was recorded of them.
    async fn three(&self) -> Vec<Part> {
        let mut writer = self.run.write(NAME, schema());
        let mut parts = Vec::new();
        for page in [0..3, 3..4, 4..9] {
            parts.push(writer.page(batch(page)).await.unwrap().expect("it has rows"));
        }
        parts
    }

    async fn taken_up(&self, kept: &[Part]) -> Option<Writer> {
        self.run.take_up(NAME, schema(), kept).await.unwrap()
    }

    async fn numbers(&self) -> Vec<i64> {
        let mut reader = self.run.read(NAME).await.unwrap();
        let mut all = Vec::new();
        while let Some(batch) = reader.next().await.unwrap() {
            all.extend(batch.column(0).as_primitive::<Int64Type>().values());
        }
        all
    }

    fn files(&self) -> BTreeSet<String> {
        names(&self.root.path().join(NAME))
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_page_is_a_file_of_its_own_at_once() {
    let desk = Desk::new();
    let parts = desk.three().await;
    assert_eq!(parts.iter().map(|part| part.rows).collect::<Vec<_>>(), [3, 1, 5]);
    assert_eq!(desk.files(), set(&["part-000000.arrow", "part-000001.arrow", "part-000002.arrow"]));
    assert!(parts.iter().all(|part| desk.files().contains(&part.file) && part.digest.len() == 32));
    assert_eq!(desk.numbers().await, (0..9).collect::<Vec<_>>(), "without the writer's end");
    let again = Desk::new();
    assert_eq!(again.three().await, parts, "the same pages are the same files");
}

#[cfg(unix)]
#[tokio::test]
async fn files_and_folders_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    desk.three().await;
    let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(desk.at("part-000000.arrow")), 0o600);
    assert_eq!((mode(desk.at("")), mode(desk.root.path().join("related"))), (0o700, 0o700));
}

#[tokio::test]
async fn pages_and_rows_of_fixed_files_are_not_mixed() {
    let desk = Desk::new();
    let mut writer = desk.run.write(NAME, schema());
    writer.page(batch(0..1)).await.unwrap();
    assert!(writer.add(batch(1..2)).await.err().unwrap().to_string().contains("takes pages only"));
    let mut writer = desk.run.write("source", schema());
    writer.add(batch(0..1)).await.unwrap();
    assert!(writer.page(batch(1..2)).await.err().unwrap().to_string().contains("between the rows"));
    assert_eq!(writer.finish().await.unwrap(), 1);
    let mut writer = desk.run.write("mapped", schema());
    writer.add(batch(0..65_537)).await.unwrap();
    assert!(writer.page(batch(0..1)).await.is_err());
}

#[tokio::test]
async fn an_empty_page_has_no_file_and_an_empty_dataset_has_one() {
    let desk = Desk::new();
    let mut writer = desk.run.write(NAME, schema());
    assert_eq!(writer.page(batch(0..0)).await.unwrap(), None);
    assert!(desk.files().is_empty());
    assert_eq!(writer.finish().await.unwrap(), 0);
    assert_eq!(desk.files(), set(&["part-000000.arrow"]), "it knows the columns");
    let writer = desk.taken_up(&[]).await.expect("nothing is missing");
    assert!(desk.files().is_empty(), "nobody recorded it");
    assert_eq!((writer.finish().await.unwrap(), desk.files().len()), (0, 1));
    let mut writer = desk.taken_up(&[]).await.unwrap();
    writer.page(batch(0..2)).await.unwrap();
    writer.page(batch(2..2)).await.unwrap();
    assert_eq!((writer.finish().await.unwrap(), desk.files().len()), (2, 1));
}

#[tokio::test]
async fn a_dataset_goes_on_behind_what_was_recorded() {
    let desk = Desk::new();
    let parts = desk.three().await;
    // A page that came to the disk and not to the books, half a page, and what others may put there.
    for stray in [".part-000002.arrow.new", "part-000017.arrow", "part-1.arrow", "notes.txt"] {
        std::fs::write(desk.at(stray), "PAR1").unwrap();
    }
    let mut writer = desk.taken_up(&parts[..2]).await.expect("both are there");
    assert_eq!(desk.files(), set(&["part-000000.arrow", "part-000001.arrow"]));
    assert_eq!(writer.rows, 4);
    let part = writer.page(batch(4..9)).await.unwrap().unwrap();
    assert_eq!(part, parts[2], "as if nothing had happened");
    assert_eq!(writer.finish().await.unwrap(), 9);
    assert_eq!(desk.numbers().await, (0..9).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_dataset_of_which_a_part_is_not_what_it_was_is_not_taken_up() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 6] = [
        ("missing", |path| std::fs::remove_file(path).unwrap()),
        ("half", |path| std::fs::File::options().write(true).open(path).unwrap().set_len(20).unwrap()),
        ("empty", |path| std::fs::write(path, "").unwrap()),
        ("one bit", |path| {
            let mut bytes = std::fs::read(path).unwrap();
            bytes[30] ^= 1;
            std::fs::write(path, bytes).unwrap();
        }),
        ("longer", |path| {
            let bytes = [&std::fs::read(path).unwrap()[..], b"\0"].concat();
            std::fs::write(path, bytes).unwrap();
        }),
        ("another", |path| {
            std::fs::copy(path.with_file_name("part-000002.arrow"), path).unwrap();
        }),
    ];
    for (what, harm) in harms {
        let desk = Desk::new();
        let parts = desk.three().await;
        harm(&desk.at("part-000001.arrow"));
        let there = desk.files();
        assert!(desk.taken_up(&parts).await.is_none(), "{what}");
        assert_eq!(desk.files(), there, "{what}: nothing is removed");
        assert!(desk.taken_up(&parts[..1]).await.is_some(), "{what}: the first one is whole");
        desk.run.clear(NAME).await.unwrap();
        assert!(!desk.at("").exists());
        let mut writer = desk.run.write(NAME, schema());
        writer.page(batch(5..7)).await.unwrap();
        assert_eq!(desk.numbers().await, [5, 6], "{what}: it begins again");
    }
    let desk = Desk::new();
    let parts = desk.three().await;
    desk.run.clear(NAME).await.unwrap();
    desk.run.clear(NAME).await.unwrap();
    assert!(desk.taken_up(&parts).await.is_none(), "all of it is gone");
}

/// What the state says of files is data too.
#[tokio::test]
async fn a_recorded_name_that_is_none_of_ours_is_no_path() {
    let desk = Desk::new();
    let parts = desk.three().await;
    let outside = desk.root.path().join("related/part-000000.arrow");
    std::fs::copy(desk.at("part-000000.arrow"), &outside).unwrap();
    let absolute = outside.to_str().unwrap();
    for file in ["../part-000000.arrow", absolute, "", ".", "part-.arrow", "part-00000x.arrow", "errors.csv"] {
        let named = Part { file: file.to_owned(), ..parts[0].clone() };
        assert!(desk.taken_up(&[named]).await.is_none(), "{file}");
    }
    assert!(outside.exists());
}

#[tokio::test]
async fn nobody_reads_a_file_that_is_not_whole() {
    let desk = Desk::new();
    let mut writer = desk.run.write(CHANGES, schema());
    writer.page(batch(0..4)).await.unwrap();
    for stray in [".part-000001.arrow.new", ".part-000000.arrow.new"] {
        std::fs::write(desk.root.path().join(CHANGES).join(stray), "PAR1 and no more").unwrap();
    }
    let mut reader = desk.run.read(CHANGES).await.unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap().num_rows(), 4);
    assert!(reader.next().await.unwrap().is_none());
    // The engine lists the folder by itself.
    let engine = Engine::new(desk.run.root()).unwrap();
    let rows = queue(&engine, false).await.unwrap();
    let batches: Vec<RecordBatch> = rows.batches.try_collect().await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 4);
}

#[tokio::test]
async fn parts_are_read_in_the_order_of_their_numbers() {
    let desk = Desk::new();
    let parts = desk.three().await;
    let late = Part { file: "part-999999.arrow".to_owned(), ..parts[1].clone() };
    std::fs::rename(desk.at("part-000001.arrow"), desk.at("part-999999.arrow")).unwrap();
    let mut writer = desk.taken_up(&[parts[0].clone(), late]).await.unwrap();
    let next = writer.page(batch(4..9)).await.unwrap().unwrap();
    assert_eq!(next.file, "part-1000000.arrow");
    assert_eq!(desk.numbers().await, (0..9).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_digest_of_a_dataset_is_that_of_its_files() {
    let (one, other) = (Desk::new(), Desk::new());
    let none = one.run.digest(NAME).await.unwrap();
    one.three().await;
    other.three().await;
    let whole = one.run.digest(NAME).await.unwrap();
    assert!(whole.len() == 64 && whole != none);
    assert_eq!(other.run.digest(NAME).await.unwrap(), whole);
    std::fs::write(one.at(".part-000003.arrow.new"), "PAR1").unwrap();
    assert_eq!(one.run.digest(NAME).await.unwrap(), whole, "half a file is none");
    let second = other.at("part-000001.arrow");
    std::fs::rename(&second, other.at("part-000009.arrow")).unwrap();
    assert_ne!(other.run.digest(NAME).await.unwrap(), whole, "the same rows in another order");
    std::fs::rename(other.at("part-000009.arrow"), &second).unwrap();
    assert_eq!(other.run.digest(NAME).await.unwrap(), whole);
    std::fs::write(&second, "x").unwrap();
    assert_ne!(other.run.digest(NAME).await.unwrap(), whole);
    std::fs::remove_file(second).unwrap();
    assert_ne!(other.run.digest(NAME).await.unwrap(), whole);
}

#[cfg(unix)]
#[tokio::test]
async fn a_planted_link_leads_no_page_away() {
    use std::os::unix::fs::symlink;
    let elsewhere = tempfile::tempdir().unwrap();
    let precious = elsewhere.path().join("precious");
    std::fs::write(&precious, "precious").unwrap();
    let desk = Desk::new();
    symlink(elsewhere.path(), desk.root.path().join("related")).unwrap();
    let error = desk.run.write(NAME, schema()).page(batch(0..1)).await.err().unwrap();
    assert!(matches!(error, Error::Disk { .. }), "{error}");
    desk.run.clear("related").await.unwrap();
    for (name, digest) in [(".part-000000.arrow.new", ""), ("part-000000.arrow", "a")] {
        std::fs::create_dir_all(desk.at("")).unwrap();
        symlink(&precious, desk.at(name)).unwrap();
        let planted = Part { file: "part-000000.arrow".to_owned(), rows: 1, digest: digest.to_owned() };
        assert!(desk.taken_up(&[planted]).await.is_none());
        desk.run.write(NAME, schema()).page(batch(0..1)).await.unwrap();
        assert!(!desk.at("part-000000.arrow").is_symlink() && desk.numbers().await == [0], "{name}");
        symlink(&precious, desk.at("notes")).unwrap();
        desk.taken_up(&[]).await.unwrap();
        assert!(desk.files().is_empty());
    }
    symlink(elsewhere.path(), desk.at("below")).unwrap();
    desk.run.clear(NAME).await.unwrap();
    assert_eq!((names(elsewhere.path()), names(desk.root.path())), (set(&["precious"]), set(&["related"])));
    assert_eq!(std::fs::read_to_string(precious).unwrap(), "precious");
}

#[test]
fn a_full_disk_is_told_with_what_to_do() {
    for (kind, is_full) in [(ErrorKind::StorageFull, true), (ErrorKind::QuotaExceeded, true), (ErrorKind::Other, false)]
    {
        let (path, source) = (PathBuf::from("/runs/1/source/part-000000.arrow"), IoError::from(kind));
        let words = source.to_string();
        let error = app::error::Error::from(Error::Disk { what: "cannot write", path, source });
        let said = error.to_string();
        assert!(said.starts_with(&format!("cannot write /runs/1/source/part-000000.arrow: {words}")), "{said}");
        assert_eq!(said.ends_with("; free some space there, then go on with `ferry resume`"), is_full, "{said}");
        assert_eq!(error.exit_code(), 7);
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_written_leaves_nothing() {
    let desk = Desk::new();
    // A folder in the place of the file is as good as a full disk.
    std::fs::create_dir_all(desk.at("part-000000.arrow/x")).unwrap();
    let mut writer = desk.run.write(NAME, schema());
    let error = writer.page(batch(0..3)).await.err().unwrap();
    assert!(matches!(error, Error::Disk { .. }), "{error}");
    assert_eq!(desk.files(), set(&["part-000000.arrow"]), "and no half file");
}

#[tokio::test]
async fn files_with_the_digests_of_before_are_known() {
    let desk = Desk::new();
    let mut parts = desk.three().await;
    for part in &mut parts {
        let bytes = std::fs::read(desk.at(&part.file)).unwrap();
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        part.digest = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    }
    assert!(desk.run.is_whole(NAME, &parts).await.unwrap());
    std::fs::write(desk.at(&parts[1].file), "something else").unwrap();
    assert!(!desk.run.is_whole(NAME, &parts).await.unwrap());
}
