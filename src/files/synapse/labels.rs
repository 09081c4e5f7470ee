//! What an export knows of a table's columns beside their types: the names of choices, and where lookups lead.
//!
//! In: `<table>-EntityMetadata.json`, or the files of `OptionsetMetadata`, which say the same. Out: choices and targets by column.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::client::Files;
use super::super::error::Error;
use crate::decode::csv::{Record, Step};
use crate::model::field::Choice;

/// What is known of columns.
#[derive(Debug, Default)]
pub(super) struct Labels {
    pub(super) choices: BTreeMap<String, Vec<Choice>>,
    pub(super) targets: BTreeMap<String, Vec<String>>,
}

/// The lists: their name in JSON, their file, and the places of table, column, number, user's own, label (or of table, column, target).
const LISTS: [(&str, &str, [&str; 6]); 5] = [
    (
        "OptionSetMetadata",
        "OptionsetMetadata",
        [
            "EntityName",
            "OptionSetName",
            "Option",
            "IsUserLocalizedLabel",
            "LocalizedLabelLanguageCode",
            "LocalizedLabel",
        ],
    ),
    (
        "GlobalOptionSetMetadata",
        "GlobalOptionsetMetadata",
        [
            "OptionSetName",
            "Option",
            "IsUserLocalizedLabel",
            "LocalizedLabelLanguageCode",
            "LocalizedLabel",
            "GlobalOptionSetName",
        ],
    ),
    (
        "StateMetadata",
        "StateMetadata",
        ["EntityName", "State", "IsUserLocalizedLabel", "LocalizedLabelLanguageCode", "LocalizedLabel", ""],
    ),
    (
        "StatusMetadata",
        "StatusMetadata",
        ["EntityName", "State", "Status", "IsUserLocalizedLabel", "LocalizedLabelLanguageCode", "LocalizedLabel"],
    ),
    (
        "TargetMetadata",
        "TargetMetadata",
        ["EntityName", "AttributeName", "ReferencedEntity", "ReferencedAttribute", "", ""],
    ),
];

impl Files {
    /// What the export knows of the columns of a table.
    pub(super) async fn labels(&self, table: &str) -> Result<Labels, Error> {
        let mut labels = Labels::default();
        let folder = self.root.clone().join("Microsoft.Athena.TrickleFeedService");
        let path = folder.join(format!("{table}-EntityMetadata.json"));
        if let Some(bytes) = self.small(&path).await? {
            let wrong =
                |detail: String| Error::Malformed { file: path.to_string(), place: "metadata".to_owned(), detail };
            let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
            let all: Value = serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))?;
            for (list, _, _) in LISTS {
                for one in all[list].as_array().into_iter().flatten() {
                    labels.take(list, table, |name| said(&one[name]));
                }
            }
            return Ok(labels);
        }
        for (list, file, columns) in LISTS {
            let path = self.root.clone().join("OptionsetMetadata").join(format!("{file}.csv"));
            let Some(bytes) = self.small(&path).await? else { continue };
            let mut columns: Vec<&str> = columns.to_vec();
            if list == "GlobalOptionSetMetadata" {
                columns.push("EntityName");
            }
            let (mut record, mut at) = (Record::default(), 0);
            let wrong = |detail: &dyn std::fmt::Display| Error::Malformed {
                file: path.to_string(),
                place: "metadata".to_owned(),
                detail: detail.to_string(),
            };
            while let Step::Record(length) = record.read(&bytes[at..], b',', true).map_err(|flaw| wrong(&flaw))? {
                at += length;
                labels.take(list, table, |name| {
                    let field = columns.iter().position(|column| *column == name).and_then(|at| record.field(at));
                    String::from_utf8_lossy(field.unwrap_or_default()).into_owned()
                });
            }
        }
        Ok(labels)
    }
}

impl Labels {
    fn take(&mut self, list: &str, table: &str, of: impl Fn(&str) -> String) {
        let entity = of("EntityName");
        if !entity.is_empty() && !entity.eq_ignore_ascii_case(table) {
            return;
        }
        let (column, code) = match list {
            "StateMetadata" => ("statecode".to_owned(), of("State")),
            "StatusMetadata" => ("statuscode".to_owned(), of("Status")),
            "TargetMetadata" => {
                let targets = self.targets.entry(of("AttributeName")).or_default();
                let target = of("ReferencedEntity");
                if !targets.contains(&target) {
                    targets.push(target);
                }
                return;
            }
            _ => (of("OptionSetName"), of("Option")),
        };
        let is_own = of("IsUserLocalizedLabel").eq_ignore_ascii_case("true");
        let choices = self.choices.entry(column).or_default();
        let label = of("LocalizedLabel");
        match choices.iter_mut().find(|choice| choice.code == code) {
            Some(choice) if is_own => choice.label = label,
            Some(_) => {}
            None => choices.push(Choice { code, label }),
        }
    }
}

fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
