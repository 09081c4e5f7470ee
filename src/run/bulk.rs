//! Loading by bulk import: changes go to Gainsight as files of many records, one at a time, until each of their rows has an outcome.
//!
//! A file is written down before it is handed over, and so is the id by which it is asked about, so whoever goes on asks and hands nothing over
//! twice. What Gainsight counts is believed where it adds up; else every key of the file is looked for in the object itself. In: the changes of a plan.
//! Out: outcomes in the load and in the ledger.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;

use super::changes::Changes;
use super::columns;
use super::cost::{import_of, today};
use super::error::Error;
use super::import_file::{Line, cell, header, line};
use super::item::Item;
use super::job::Working;
use super::load::Load;
use crate::gainsight::assumptions::{
    IMPORT_BYTES_AT_MOST, IMPORT_LOOK_MS, IMPORT_ROWS_AT_MOST, IMPORT_STUCK_MS, LISTED_AT_MOST,
};
use crate::gainsight::bulk::{Handed, Standing};
use crate::gainsight::error::Refusal;
use crate::gainsight::sent::Fields;
use crate::gainsight::write::Record;
use crate::model::dataset;
use crate::model::outcome::{Counts, Outcome};
use crate::model::policy::Via;
use crate::model::reject::RejectCode;
use crate::model::sabotage;
use crate::store::dataset::RunFolder;
use crate::store::ledger::{Answer, Lost, Recorded, Settled};

/// Under this name the ledger keeps the id of the import that is under way.
const UNDER_WAY: &str = "import";
/// Under this name the ledger keeps the job of Gainsight's that a run's changes are handed over to; empty, if none.
const VIA: &str = "via";
/// How often the answer to one file may be lost before the run stops.
const LOST_AT_MOST: u32 = 3;

/// Rows of one file.
#[derive(Default)]
struct Gathered {
    lines: Vec<Line>,
    bytes: usize,
}

impl Working<'_> {
    /// The job of Gainsight's that takes the changes in, if they go by bulk import. What was decided for a run holds for whoever goes on.
    pub(super) async fn import_job(&self, planned: &Counts) -> Result<Option<String>, Error> {
        if let Some(noted) = self.ledger.reading(&self.one.run, VIA)? {
            return Ok(Some(noted.checkpoint).filter(|job_id| !job_id.is_empty()));
        }
        let target = self.services.target(self.job)?;
        let today = today(self.job, target).await;
        let job_id = import_of(self.job, planned, &target.limits, today).map(str::to_owned);
        if self.job.via != Via::Api {
            self.ledger.note(&self.one.run, VIA, job_id.as_deref().unwrap_or_default())?;
        }
        Ok(job_id)
    }
}

impl Load<'_> {
    /// Writes all changes, by the road that was decided. What is settled when it fails stays in `self`.
    pub(super) async fn carry_out(&mut self, folder: &RunFolder, import: Option<String>) -> Result<(), Error> {
        match import {
            Some(job_id) => self.import(folder, &job_id).await,
            None => self.run(folder).await,
        }
    }

    /// Hands all changes over. What is settled when it fails stays in `self`.
    async fn import(&mut self, folder: &RunFolder, job_id: &str) -> Result<(), Error> {
        self.take_up(folder, job_id).await?;
        let mut gathered = Gathered::default();
        let mut files = folder.sift(dataset::loaded(self.job), columns::outcomes(self.job)).await?;
        while let Some(file) = files.next().await? {
            for batch in file.pick(&self.unsettled(&file), None).await? {
                let changes = Changes::new(self.job, batch);
                for at in 0..changes.len() {
                    let one = self.whole(&changes, at);
                    match self.recorder.before(one.item.row, 1)? {
                        // Counted already.
                        _ if self.taken_up.contains(&one.item.row) => {}
                        Some(recorded) => self.count_recorded(one.item, recorded),
                        None => {
                            gathered.bytes += one.text.len();
                            gathered.lines.push(one);
                        }
                    }
                    if gathered.lines.len() == IMPORT_ROWS_AT_MOST || gathered.bytes >= IMPORT_BYTES_AT_MOST {
                        self.hand_over(std::mem::take(&mut gathered).lines, job_id).await?;
                    }
                }
            }
        }
        self.hand_over(gathered.lines, job_id).await
    }

    /// What an earlier process handed over and did not see the end of.
    async fn take_up(&mut self, folder: &RunFolder, job_id: &str) -> Result<(), Error> {
        if !self.recorder.is_resumed {
            return Ok(());
        }
        let mut open = Vec::new();
        let mut files = folder.sift(dataset::loaded(self.job), columns::outcomes(self.job)).await?;
        while let Some(file) = files.next().await? {
            let rows = Changes::new(self.job, file.rows.clone());
            let is_sent = |at: &usize| matches!(rows.outcome(*at), Some(Outcome::Inserted | Outcome::Updated));
            let wanted: Vec<usize> = (0..rows.len()).filter(is_sent).collect();
            for batch in file.pick(&wanted, None).await? {
                let changes = Changes::new(self.job, batch);
                for at in 0..changes.len() {
                    if let Some(Recorded::Open) = self.recorder.before(changes.row(at), 1)? {
                        open.push(self.whole(&changes, at));
                    }
                }
            }
        }
        self.taken_up = open.iter().map(|one| one.item.row).collect();
        if open.is_empty() {
            return Ok(());
        }
        let noted = self.recorder.ledger.reading(self.recorder.run, UNDER_WAY)?;
        match noted.map(|noted| noted.checkpoint).filter(|id| !id.is_empty()) {
            Some(id) => self.follow(None, open, &id).await,
            // Nobody knows whether it was taken.
            None => {
                let sent_at = self.recorder.last_open()?.unwrap_or_default();
                self.wait_until_quiet(sent_at, "the run was interrupted").await;
                let rest = self.look_for(open).await?;
                self.hand_over(rest, job_id).await
            }
        }
    }

    /// A row with every field of its record, as an upsert takes it: what does not change has the value that it has.
    fn whole(&self, changes: &Changes<'_>, at: usize) -> Line {
        let mappings = self.job.mappings_of(0);
        let values = mappings.map(|(m, mapping)| {
            let is_new = changes.is_changed(m, at) || changes.gsid(0, at).is_none();
            let value = if is_new { changes.new_value(m, at) } else { changes.old_value(m, at) };
            (mapping, value)
        });
        let values: Vec<_> = values.collect();
        let text = line(values.iter().map(|(mapping, value)| cell(&mapping.field, value)));
        let record: Record = values.into_iter().map(|(mapping, value)| (mapping.field.name.clone(), value)).collect();
        let item = Item { fields: Fields::of(&record), ..self.item(changes, at) };
        Line { item, text }
    }

    /// Hands a file over and follows it to its end.
    async fn hand_over(&mut self, lines: Vec<Line>, job_id: &str) -> Result<(), Error> {
        let mut open = vec![lines];
        let mut lost = 0;
        while let Some(mut lines) = open.pop() {
            if lines.is_empty() {
                continue;
            }
            self.still_bearable()?;
            let mut csv = header(self.job);
            lines.iter().for_each(|one| csv.push_str(&one.text));
            let call = self.intend_import(&lines)?;
            let name = format!("{}-{call}.csv", self.recorder.run);
            match self.gainsight.import(job_id, &name, csv.as_bytes()).await {
                Ok(Handed::Taken(id)) => {
                    sabotage::place("import.taken");
                    self.recorder.ledger.note(self.recorder.run, UNDER_WAY, &id)?;
                    self.follow(Some(call), lines, &id).await?;
                }
                Ok(Handed::TooLarge) if lines.len() > 1 => {
                    self.recorder.settle(&[(call, Answer::Refused)], &[])?;
                    let rest = lines.split_off(lines.len() / 2);
                    open.push(rest);
                    open.push(lines);
                }
                Ok(Handed::TooLarge) => {
                    let message = "the row alone is larger than a bulk import takes".to_owned();
                    self.not_taken(call, lines, &message)?;
                }
                Err(error) if error.is_unclear() && lost < LOST_AT_MOST => {
                    lost += 1;
                    let heard_at_ms = self.clock.now().timestamp_millis();
                    self.recorder.settle(&[(call, Answer::Unknown { heard_at_ms })], &[])?;
                    self.wait_until_quiet(heard_at_ms, &error.in_place_of_an_answer()).await;
                    open.push(self.look_for(lines).await?);
                }
                Err(error) => {
                    self.recorder.settle(&[(call, self.answer(&error))], &[])?;
                    return Err(error.into());
                }
            }
        }
        self.still_bearable()
    }

    fn intend_import(&self, lines: &[Line]) -> Result<i64, Error> {
        // The id of the one before says nothing of this one.
        self.recorder.ledger.note(self.recorder.run, UNDER_WAY, "")?;
        let items: Vec<Item> = lines.iter().map(|one| one.item.clone()).collect();
        let what = format!("insert {}", self.job.targets[0].object.name);
        let now = self.clock.now().timestamp_millis();
        let numbers = self.recorder.intend(1, &what, now, std::iter::once(items.as_slice()))?;
        Ok(numbers.first().copied().unwrap_or_default())
    }

    /// Asks about an import until it is at its end, and settles its rows.
    async fn follow(&mut self, call: Option<i64>, lines: Vec<Line>, id: &str) -> Result<(), Error> {
        let [mut pause, longest] = IMPORT_LOOK_MS;
        let (mut waited, rows) = (0, lines.len() as u64);
        let (written, failed, failures) = loop {
            match self.gainsight.import_standing(id).await? {
                Standing::Ended { written, failed, failures } => break (written, failed, failures),
                Standing::UnderWay if waited >= IMPORT_STUCK_MS => {
                    return Err(Error::ImportStuck { id: id.to_owned(), hours: IMPORT_STUCK_MS / 3_600_000 });
                }
                Standing::UnderWay => {
                    let real: Duration = self.clock.real(pause);
                    self.gainsight.wait(real).await;
                    waited += pause;
                    pause = (pause * 2).min(longest);
                }
            }
        };
        sabotage::place("import.ended");
        if failed == 0 && written == rows {
            return self.taken(call, lines);
        }
        let refused = match &failures {
            Some(url) if written + failed == rows => self.refused_keys(url).await,
            _ => None,
        };
        if let Some(refused) = refused {
            let (bad, good): (Vec<Line>, Vec<Line>) =
                lines.iter().cloned().partition(|one| refused.iter().any(|(keys, _)| *keys == self.keys_of(&one.item)));
            if bad.len() as u64 == failed {
                self.taken(call, good)?;
                return self.refused_by_import(bad, &refused);
            }
        }
        self.progress.notice(format!(
            "the bulk import {id} says that it wrote {written} records and {failed} failed, of {rows}; Gainsight is asked which of them it holds"
        ));
        let missing = self.look_for(lines).await?;
        let message = format!("the bulk import {id} did not take the record, and its log in Gainsight may say why");
        match call {
            Some(call) => self.not_taken(call, missing, &message),
            None => self.not_taken(0, missing, &message),
        }
    }

    /// Rows that are written.
    fn taken(&mut self, call: Option<i64>, lines: Vec<Line>) -> Result<(), Error> {
        let rows: Vec<Settled> = lines.iter().map(|one| self.settled(&one.item, None)).collect();
        let calls: Vec<(i64, Answer)> = call.map(|call| (call, Answer::Acknowledged)).into_iter().collect();
        self.recorder.settle(&calls, &rows)?;
        lines.into_iter().for_each(|one| self.acknowledge(one.item, None));
        Ok(())
    }

    /// Rows that nobody refused by name, and that are not there.
    fn not_taken(&mut self, call: i64, lines: Vec<Line>, message: &str) -> Result<(), Error> {
        let why = Lost { code: RejectCode::NotImported, message: message.to_owned() };
        let rows: Vec<Settled> = lines
            .iter()
            .map(|Line { item, .. }| {
                let (row, source_id, lost) = (item.row, item.id.clone(), Some(why.clone()));
                Settled { row, step: 1, source_id, lost, ..Settled::default() }
            })
            .collect();
        let calls: Vec<(i64, Answer)> = (call > 0).then_some((call, Answer::Acknowledged)).into_iter().collect();
        self.recorder.settle(&calls, &rows)?;
        lines.iter().for_each(|one| self.lose(&one.item, why.clone()));
        Ok(())
    }

    /// Rows that Gainsight names as failed.
    fn refused_by_import(&mut self, lines: Vec<Line>, refused: &[(Vec<String>, String)]) -> Result<(), Error> {
        let (mut rows, mut all) = (Vec::new(), Vec::new());
        for Line { item, .. } in lines {
            let keys = self.keys_of(&item);
            let words = refused.iter().find(|(of, _)| *of == keys).map(|(_, words)| words.clone()).unwrap_or_default();
            let refusal = Refusal { code: "bulk import".to_owned(), message: words, field: None, value: None };
            let refused = self.refused(&item, refusal);
            let (row, source_id) = (item.row, item.id.clone());
            rows.push(Settled { row, step: 1, source_id, refused: Some(refused.clone()), ..Settled::default() });
            all.push((item, refused));
        }
        self.recorder.settle(&[], &rows)?;
        for (item, refused) in all {
            self.counts.add(Outcome::Error);
            self.record_count(0).error += 1;
            self.fail(&item, refused);
        }
        Ok(())
    }

    /// The keys of the records that an import did not take, with its words; none if the file of them cannot be made out.
    async fn refused_keys(&self, url: &str) -> Option<Vec<(Vec<String>, String)>> {
        let bytes = match self.gainsight.import_failures(url).await {
            Ok(bytes) => bytes,
            Err(error) => {
                self.progress.notice(format!("the failures of the bulk import cannot be read: {error}"));
                return None;
            }
        };
        super::import_file::failures(self.job, &bytes)
    }

    /// The key of a row's record, as its file has it.
    fn keys_of(&self, item: &Item) -> Vec<String> {
        let record = item.fields.record();
        let keys = self.job.key.iter().map(|key| &self.job.mappings[key.mapping].field);
        keys.map(|field| cell(field, record.get(&field.name).unwrap_or(&Value::Null))).collect()
    }

    /// Looks for the records of rows in the object itself, and settles those that are there as they were sent; gives the others.
    async fn look_for(&mut self, lines: Vec<Line>) -> Result<Vec<Line>, Error> {
        let mut missing = Vec::new();
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let some: Vec<Line> = lines.by_ref().take(LISTED_AT_MOST).collect();
            let items: Vec<Item> = some.iter().map(|one| one.item.clone()).collect();
            let records = self.read_back(&items).await?;
            let (there, absent): (Vec<Line>, Vec<Line>) = some.into_iter().partition(|one| {
                let sent = one.item.fields.record();
                records.iter().any(|record| self.is_of(record, &sent) && holds(record, &sent))
            });
            self.taken(None, there)?;
            missing.extend(absent);
        }
        Ok(missing)
    }
}

/// Whether a record holds what was sent; an empty value may be left out.
fn holds(record: &Record, sent: &Record) -> bool {
    let names: HashSet<&String> = sent.keys().collect();
    names.into_iter().all(|name| record.get(name).unwrap_or(&Value::Null) == &sent[name])
}
