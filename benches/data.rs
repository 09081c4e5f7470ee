//! The workload as files, for whoever is to be compared with Ferry: `cargo bench -- data DIR ROWS [changed=20] [new=0] …`.
//!
//! `pages/` has the answers of Dataverse, a file each; `lines/` the same rows, one a line; `companies.parquet`, `users.parquet` and
//! `target.parquet` what Gainsight holds; `manifest.json` the mix, how many rows come to which outcome, and a digest of all files.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use ring::digest::{Context, SHA256};
use serde_json::{Value, json};

use super::workload::contact::{Fate, accounts_held, contacts};
use super::workload::page::{lines, page};
use super::workload::records::{companies, is_doubled, target, users};
use super::workload::{Mix, Workload};

/// Writes the files into a folder that may be there.
pub fn data(folder: &Path, workload: &Workload) {
    for below in ["pages", "lines"] {
        std::fs::create_dir_all(folder.join(below)).expect("a folder");
    }
    let mut digest = Context::new(&SHA256);
    let mut bytes = 0;
    for number in 0..workload.pages() {
        let whole = page(workload, number);
        bytes += whole.len();
        digest.update(&whole);
        std::fs::write(folder.join(format!("pages/{number:06}.json")), whole).expect("a page is written");
        std::fs::write(folder.join(format!("lines/{number:06}.ndjson")), lines(workload, number))
            .expect("so are lines");
    }
    write(&folder.join("companies.parquet"), std::iter::once(companies(workload)));
    write(&folder.join("users.parquet"), std::iter::once(users(workload)));
    write(&folder.join("target.parquet"), (0..workload.pages()).map(|number| target(workload, number)));
    for file in ["companies.parquet", "users.parquet", "target.parquet"] {
        digest.update(&std::fs::read(folder.join(file)).expect("it is there"));
    }
    let digest: String = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let manifest = json!({
        "rows": workload.rows, "page_bytes": bytes, "mix": mix(&workload.mix), "outcomes": outcomes(workload), "sha256": digest,
    });
    let mut file = File::create(folder.join("manifest.json")).expect("a file");
    writeln!(file, "{manifest:#}").expect("it is written");
    println!("{manifest}");
}

/// The mix that a manifest has.
pub fn mixed_of(manifest: &Value) -> Mix {
    let words = manifest.as_object().into_iter().flatten().map(|(name, share)| format!("{name}={share}"));
    mixed(&words.collect::<Vec<_>>())
}

/// The mix that `name=number` words on the command line make of the usual one.
pub fn mixed(words: &[String]) -> Mix {
    let mut mix = Mix::default();
    for (name, share) in words.iter().filter_map(|word| word.split_once('=')) {
        let share = share.parse().expect("a share is a number of a thousand");
        match name {
            "inactive" => mix.inactive = share,
            "without_company" => mix.without_company = share,
            "without_owner" => mix.without_owner = share,
            "doubled" => mix.doubled = share,
            "changed" => mix.changed = share,
            "new" => mix.new = share,
            other => unreachable!("there is no share of {other}"),
        }
    }
    mix
}

fn mix(mix: &Mix) -> Value {
    json!({
        "inactive": mix.inactive, "without_company": mix.without_company, "without_owner": mix.without_owner,
        "doubled": mix.doubled, "changed": mix.changed, "new": mix.new,
    })
}

/// How many rows come to which outcome, from what they were drawn as and by no plan.
pub fn outcomes(workload: &Workload) -> Value {
    let names = ["filtered", "rejected", "error", "inserted", "updated", "unchanged"];
    let mut counts = [0_u64; 6];
    for contact in (0..workload.pages()).flat_map(|number| contacts(workload, number)) {
        let place = match contact.fate {
            _ if !contact.is_active => 0,
            _ if contact.account >= accounts_held(&workload.mix) => 1,
            _ if is_doubled(contact.account, workload) => 2,
            Fate::New => 3,
            Fate::Changed => 4,
            Fate::Same => 5,
        };
        counts[place] += 1;
    }
    names
        .iter()
        .zip(counts)
        .map(|(name, count)| ((*name).to_owned(), Value::from(count)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn write(path: &Path, batches: impl Iterator<Item = RecordBatch>) {
    let mut batches = batches.peekable();
    let Some(first) = batches.peek() else { return };
    let schema = Arc::clone(&first.schema());
    let mut writer = ArrowWriter::try_new(File::create(path).expect("a file"), schema, None).expect("a writer");
    batches.for_each(|batch| writer.write(&batch).expect("a batch is written"));
    writer.close().expect("the file ends");
}
