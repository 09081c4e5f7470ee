//! Files as a source and as what lookups search: case files, run on an empty world.
//!
//! A case is a text with sections, carried out one after the other: `## connection` and `## job` are statements, `## file NAME` puts a file
//! into the connection's folder (`as ENCODING` brings it to one first, `packed` packs it), `## remove NAME` takes one away, `## run` runs the
//! job, `## records FIELD, …` is what Gainsight holds of companies then, `## errors` the lines of the error file, `## counts` the outcomes,
//! `## said` what the run told, and `## fails` how it ended. `{folder}` stands for the folder.

mod bulk;
mod exports;
mod handed;
mod handing_over;
mod parquet;
mod records;
mod shown;
mod vouched;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ferry::app::error::Error;
use ferry::app::runs;
use ferry::app::workspace::Workspace;
use ferry::diagnostic::render::for_people;
use ferry::run::progress::{Event, Progress};
use ferry::run::report::Report;
use ferry::sandbox::Export;
use ferry::store::appending::Appending;
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use crate::stage::{Stage, errors};

/// A case being carried out.
pub struct Desk {
    pub stage: Stage,
    pub folder: TempDir,
    pub scripts: Vec<(String, String)>,
    pub said: Vec<String>,
    pub report: Option<Report>,
    pub failed: Option<String>,
}

impl Desk {
    pub async fn empty() -> Self {
        Self::on(Stage::world("", "", "").await)
    }

    pub fn on(stage: Stage) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { stage, folder, scripts: Vec::new(), said: Vec::new(), report: None, failed: None }
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Writes the folder of an interval of an export.
    pub fn export(&self, export: &mut Export, interval: &str, next: &str) {
        let mut files = Appending::below(&self.folder.path().join("export"));
        let written =
            self.stage.sandbox.export_folder(export, interval, next, &mut |name, bytes| files.put(name, bytes));
        written.and_then(|()| files.finish()).unwrap();
    }

    pub fn script(&mut self, name: &str, text: &str) {
        let text = text.replace("{folder}", &format!("file://{}", self.folder.path().display()));
        self.scripts.retain(|(known, _)| known != name);
        self.scripts.push((name.to_owned(), text));
    }

    pub async fn workspace(&self) -> Result<Workspace, Error> {
        let more: Vec<(&str, &str)> = self.scripts.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
        Workspace::of(self.stage.text(&more), &self.stage.setting).await
    }

    pub async fn run(&mut self, job: &str) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        let progress: Progress = Arc::new(move |event: Event| {
            if let Event::Notice(text) = event {
                ear.lock().unwrap().push(text);
            }
        });
        let mut report = None;
        let ended = async {
            let workspace = self.workspace().await?.or_mistakes()?;
            runs::run(&workspace, &self.stage.setting, job, &progress, |one| report = Some(one.clone())).await
        };
        self.failed = ended.await.err().map(|error| told(&error));
        self.report = report;
        self.said = heard.lock().unwrap().clone();
    }
}

/// A failure as people read it.
pub fn told(error: &Error) -> String {
    match error {
        Error::Text(both) => both.0.sorted().into_iter().map(|d| for_people(d, &both.1, false)).collect(),
        other => other.to_string(),
    }
}

fn encoded(text: &str, how: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let mut words = how.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "as" => {
                let label = words.next().unwrap();
                bytes = match label {
                    "utf-16le" => {
                        [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
                    }
                    "bom" => [0xEF, 0xBB, 0xBF].into_iter().chain(text.bytes()).collect(),
                    "crlf" => text.replace('\n', "\r\n").into_bytes(),
                    label => encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().encode(text).0.into_owned(),
                };
            }
            "packed" => {
                let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
                std::io::Write::write_all(&mut packing, &bytes).unwrap();
                bytes = packing.finish().unwrap();
            }
            other => panic!("there is no way `{other}` to write a file"),
        }
    }
    bytes
}

/// Carries a case out; gives what is not as it says.
async fn carry_out(text: &str) -> Result<(), String> {
    let mut desk = Desk::empty().await;
    for section in text.split("\n## ").skip(1) {
        let (head, body) = section.split_once('\n').unwrap_or((section, ""));
        let (word, rest) = head.split_once(' ').unwrap_or((head, ""));
        let found = match word {
            "connection" | "job" => {
                desk.script(&format!("{word}.ferry"), body);
                continue;
            }
            "file" => {
                let (name, how) = rest.split_once(' ').unwrap_or((rest, ""));
                desk.put(name, &encoded(&body.replace("\\t", "\t"), how));
                continue;
            }
            "remove" => {
                std::fs::remove_file(desk.folder.path().join(rest)).unwrap();
                continue;
            }
            "run" => {
                desk.run("J").await;
                continue;
            }
            "records" => {
                let fields: Vec<&str> = rest.split(", ").collect();
                let mut lines: Vec<String> = desk
                    .stage
                    .sandbox
                    .records("company")
                    .iter()
                    .map(|record| fields.iter().map(|f| shown(&record[*f])).collect::<Vec<_>>().join(" | "))
                    .collect();
                lines.sort();
                lines.join("\n")
            }
            "errors" => {
                let lines = desk.report.as_ref().map(errors).unwrap_or_default();
                let line = |line: &crate::stage::Line| {
                    format!("{} | {} | {}", line["source_key"], line["code"], line["value"])
                };
                let mut lines: Vec<String> = lines.iter().map(line).collect();
                lines.sort();
                lines.join("\n")
            }
            "counts" => counts(desk.report.as_ref()),
            "said" => desk.said.join("\n"),
            "fails" => desk.failed.clone().unwrap_or_default(),
            other => panic!("there is no section {other}"),
        };
        let folder = desk.folder.path().display().to_string();
        let found = found.replace(&folder, "{folder}");
        let (found, wanted) = (found.trim(), body.trim());
        let is_met = if word == "fails" || word == "said" {
            !wanted.is_empty() && found.contains(wanted)
        } else {
            found == wanted
        };
        if !is_met {
            return Err(format!(
                "## {head}\n{found}\n-- not as the case says:\n{wanted}\n-- the run ended with {:?}",
                desk.failed
            ));
        }
    }
    Ok(())
}

fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn counts(report: Option<&Report>) -> String {
    let mut said = String::new();
    if let Some(report) = report {
        let counts = serde_json::to_value(report).unwrap()["counts"].clone();
        for (name, count) in counts.as_object().unwrap().iter().filter(|(_, count)| count.as_u64().unwrap_or(0) > 0) {
            let _ = write!(said, "{name} {count} ");
        }
    }
    said.trim().to_owned()
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/files");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_comes_out_as_it_says() {
    let mut wrong = Vec::new();
    let all = cases();
    for path in &all {
        let text = std::fs::read_to_string(path).unwrap();
        if let Err(told) = carry_out(&text).await {
            wrong.push(format!("{}\n{told}", path.file_name().unwrap().display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(all.len() >= 10, "the cases are there");
}
