//! Loading by bulk import: changes go to Gainsight as files of many records, one at a time, until each of their rows has an outcome.
//!
//! A file is written down before it is handed over, and so is the id by which it is asked about, so whoever goes on asks and hands nothing over
//! twice. What Gainsight counts is believed where it adds up; else every key of the file is looked for in the object itself. In: the changes of a plan.
//! Out: outcomes in the load and in the ledger.

use std::collections::HashMap;

use serde_json::Value;

use super::changes::Changes;
use super::columns;
use super::cost::{import_of, today};
use super::error::Error;
use super::import_file::{Line, cell, header, line};
use super::importing::{Import, UNDER_WAY, ended};
use super::item::Item;
use super::job::Working;
use super::load::{Load, to_send};
use crate::gainsight::assumptions::{IMPORT_BYTES_AT_MOST, IMPORT_ROWS_AT_MOST};
use crate::gainsight::bulk::{Handed, Standing, plain};
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

/// Under this name the ledger keeps the job of Gainsight's that a run's changes are handed over to; empty, if none.
const VIA: &str = "via";
/// How often the answer to one file may be lost before the run stops.
const LOST_AT_MOST: u32 = 3;

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

    async fn import(&mut self, folder: &RunFolder, job_id: &str) -> Result<(), Error> {
        self.take_up(folder, job_id).await?;
        let (mut lines, mut bytes) = (Vec::new(), 0);
        let mut files = folder.sift(dataset::loaded(self.job), columns::outcomes(self.job)).await?.picking(to_send);
        while let Some(file) = files.next().await? {
            self.count_unsent(&file);
            for batch in file.picked {
                let changes = Changes::new(self.job, batch);
                for at in 0..changes.len() {
                    let one = self.whole(&changes, at);
                    match self.recorder.before(one.item.row, 1)? {
                        // Counted already.
                        _ if self.taken_up.contains(&one.item.row) => {}
                        Some(recorded) => self.count_recorded(one.item, recorded),
                        None => {
                            bytes += one.text.len();
                            lines.push(one);
                        }
                    }
                    if lines.len() == IMPORT_ROWS_AT_MOST || bytes >= IMPORT_BYTES_AT_MOST {
                        bytes = 0;
                        self.hand_over(std::mem::take(&mut lines), job_id).await?;
                    }
                }
            }
        }
        self.hand_over(lines, job_id).await
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
        match noted.and_then(|noted| Import::read(&noted.checkpoint)) {
            Some(import) => self.follow(&import, open).await,
            // Nobody knows whether it was taken.
            None => {
                let sent_at = self.recorder.last_open()?.unwrap_or_default();
                self.wait_until_quiet(sent_at, "the run was interrupted").await;
                let rest = self.once_taken(open).await?;
                self.send_differing(rest.differing).await?;
                self.hand_over(rest.missing, job_id).await
            }
        }
    }

    /// A row with every field of its record, as an upsert takes it: what does not change has the value that it has, and so has the key,
    /// which the import may compare in another way than the job.
    fn whole(&self, changes: &Changes<'_>, at: usize) -> Line {
        let is_known = changes.gsid(0, at).is_some();
        let values = self.job.mappings_of(0).map(|(m, mapping)| {
            let is_key = self.job.key.iter().any(|key| key.mapping == m);
            let is_new = !is_known || (changes.is_changed(m, at) && !is_key);
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
            let call = self.intend_import(&lines)?;
            let handed = {
                let mut csv = header(self.job);
                lines.iter().for_each(|one| csv.push_str(&one.text));
                let name = format!("{}-{call}.csv", self.recorder.run);
                self.gainsight.import(job_id, &name, csv.as_bytes()).await
            };
            match handed {
                Ok(Handed::Taken(id)) => {
                    sabotage::place("import.taken");
                    let object = self.job.targets[0].object.name.clone();
                    let since_ms = Some(self.clock.limits_now_ms());
                    let import = Import { call, rows: lines.len() as u64, id, since_ms, object };
                    self.recorder.ledger.note(self.recorder.run, UNDER_WAY, &import.written())?;
                    self.follow(&import, lines).await?;
                }
                Ok(Handed::TooLarge) if lines.len() > 1 => {
                    self.recorder.settle(&[(call, Answer::Refused)], &[])?;
                    let rest = lines.split_off(lines.len() / 2);
                    open.push(rest);
                    open.push(lines);
                }
                Ok(Handed::TooLarge) => {
                    self.not_taken(call, &lines, "the row alone is larger than a bulk import takes")?;
                }
                Err(error) if error.is_unclear() && lost < LOST_AT_MOST => {
                    lost += 1;
                    let heard_at_ms = self.clock.now().timestamp_millis();
                    self.recorder.settle(&[(call, Answer::Unknown { heard_at_ms })], &[])?;
                    self.wait_until_quiet(heard_at_ms, &error.in_place_of_an_answer()).await;
                    let rest = self.once_taken(lines).await?;
                    self.send_differing(rest.differing).await?;
                    open.push(rest.missing);
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
    async fn follow(&mut self, import: &Import, lines: Vec<Line>) -> Result<(), Error> {
        let Standing::Ended { written, failed, failures } = ended(self.gainsight, self.clock, import).await? else {
            return Ok(());
        };
        sabotage::place("import.ended");
        // What it made is as new as this moment, for whoever waits until it shows.
        let heard_at_ms = self.clock.now().timestamp_millis();
        self.recorder.settle(&[(import.call, Answer::Unknown { heard_at_ms })], &[])?;
        self.settle_import(import, lines, (written, failed, failures)).await?;
        Ok(self.recorder.ledger.note(self.recorder.run, UNDER_WAY, "")?)
    }

    async fn settle_import(
        &mut self,
        import: &Import,
        lines: Vec<Line>,
        (written, failed, failures): (u64, u64, Option<String>),
    ) -> Result<(), Error> {
        let Import { call, rows, id, .. } = import;
        // Some may be settled already, by a process that did not come to the end of it.
        let is_whole = lines.len() as u64 == *rows;
        if is_whole && failed == 0 && written == *rows {
            return self.taken(Some(*call), lines);
        }
        let refused = match &failures {
            Some(url) if is_whole && written + failed == *rows => self.refused_keys(url).await,
            _ => None,
        };
        if let Some(refused) = refused {
            let (mut bad, mut good) = (Vec::new(), Vec::new());
            for one in lines {
                match refused.get(&self.keys_of(&one.item)) {
                    Some(words) => bad.push((one, words.clone())),
                    None => good.push(one),
                }
            }
            if bad.len() as u64 == failed {
                return self.partly_taken(*call, good, bad);
            }
            return self
                .look_through(import, good.into_iter().chain(bad.into_iter().map(|(one, _)| one)).collect())
                .await;
        }
        self.progress.notice(format!(
            "the bulk import {id} says that it wrote {written} records and {failed} failed, of {rows}; Gainsight is asked which of them it holds"
        ));
        self.look_through(import, lines).await
    }

    /// Rows that are written.
    pub(super) fn taken(&mut self, call: Option<i64>, lines: Vec<Line>) -> Result<(), Error> {
        let rows: Vec<Settled> = lines.iter().map(|one| self.settled(&one.item, None)).collect();
        let calls: Vec<(i64, Answer)> = call.map(|call| (call, Answer::Acknowledged)).into_iter().collect();
        self.recorder.settle(&calls, &rows)?;
        lines.into_iter().for_each(|one| self.acknowledge(one.item, None));
        Ok(())
    }

    /// Rows that are written, and those that Gainsight names as failed.
    fn partly_taken(&mut self, call: i64, good: Vec<Line>, bad: Vec<(Line, String)>) -> Result<(), Error> {
        let mut rows: Vec<Settled> = good.iter().map(|one| self.settled(&one.item, None)).collect();
        let mut all = Vec::new();
        for (Line { item, .. }, words) in bad {
            let code = "bulk import".to_owned();
            let refusal = Refusal { code, message: plain(&words), field: None, value: None };
            let refused = self.refused(&item, refusal);
            let (row, source_id) = (item.row, item.id.clone());
            rows.push(Settled { row, step: 1, source_id, refused: Some(refused.clone()), ..Settled::default() });
            all.push((item, refused));
        }
        self.recorder.settle(&[(call, Answer::Acknowledged)], &rows)?;
        good.into_iter().for_each(|one| self.acknowledge(one.item, None));
        for (item, refused) in all {
            self.counts.add(Outcome::Error);
            self.record_count(0).error += 1;
            self.fail(&item, refused);
        }
        Ok(())
    }

    /// Rows that nobody refused by name, and that are not there.
    pub(super) fn not_taken(&mut self, call: i64, lines: &[Line], message: &str) -> Result<(), Error> {
        let why = Lost { code: RejectCode::NotImported, message: message.to_owned() };
        let lost = |Line { item, .. }: &Line| {
            let (row, source_id, lost) = (item.row, item.id.clone(), Some(why.clone()));
            Settled { row, step: 1, source_id, lost, ..Settled::default() }
        };
        let rows: Vec<Settled> = lines.iter().map(lost).collect();
        self.recorder.settle(&[(call, Answer::Acknowledged)], &rows)?;
        lines.iter().for_each(|one| self.lose(&one.item, why.clone()));
        Ok(())
    }

    /// The keys of the records that an import did not take, with its words; none if the file of them cannot be made out.
    async fn refused_keys(&self, url: &str) -> Option<HashMap<Vec<String>, String>> {
        match self.gainsight.import_failures(url).await {
            Ok(bytes) => super::import_file::failures(self.job, &bytes),
            Err(error) => {
                self.progress.notice(format!("the failures of the bulk import cannot be read: {error}"));
                None
            }
        }
    }

    /// The key of a row's record, as its file has it.
    fn keys_of(&self, item: &Item) -> Vec<String> {
        let record = item.fields.record();
        let keys = self.job.key.iter().map(|key| &self.job.mappings[key.mapping].field);
        keys.map(|field| cell(field, record.get(&field.name).unwrap_or(&Value::Null))).collect()
    }
}
