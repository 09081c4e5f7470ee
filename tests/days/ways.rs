//! In which way a seed's services behave, of those that no document decides between.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use ferry::sandbox::{Change, Sandbox};

use serde_json::json;

use super::deed::Deed;

/// Jobs whose records follow from the source as it is now, with no history.
const STEADY: [&str; 8] = [
    "Company parents",
    "Company owners",
    "Company stages",
    "Closing soon",
    "Deal contacts",
    "Projects",
    "Teams",
    "Users by manager",
];

/// What the names of records begin with that nobody touches.
pub const FILLER: &str = "filler ";

/// The behaviour of one seed.
#[derive(Debug, Clone, Copy)]
pub struct Ways {
    /// Whether users have change tracking too.
    pub are_users_tracked: bool,
    /// Whether a token names the version of the first page of its read.
    pub is_first_page_marked: bool,
    /// Rows of a page.
    pub page_size: usize,
    /// Records that nobody touches, in each of two objects: so many that only changes of those are read.
    pub fillers: usize,
    /// Whether somebody writes while the first of the two homes reads, every second day.
    pub is_written_meanwhile: bool,
}

impl Ways {
    pub fn of(seed: u64) -> Self {
        Self {
            are_users_tracked: seed % 2 == 1,
            is_first_page_marked: seed % 4 > 1,
            page_size: if seed.is_multiple_of(3) || seed.is_multiple_of(4) { 4 } else { 5_000 },
            fillers: if seed.is_multiple_of(5) { 10_000 } else { 0 },
            is_written_meanwhile: seed.is_multiple_of(3),
        }
    }

    /// Whether a job ends in the same way whatever it saw in between: where rows change while it reads, no others are run.
    pub fn suits(self, job: &str) -> bool {
        !self.is_written_meanwhile || STEADY.contains(&job)
    }

    pub fn hold(self, sandbox: &Sandbox) {
        assert!(sandbox.track("systemuser", self.are_users_tracked));
        sandbox.mark_delta_tokens_by_first_page(self.is_first_page_marked);
        for (object, field) in
            [("company", "External_Account_ID_gainsight123__gc"), ("Opportunity__gc", "Opportunity_External_Id__gc")]
        {
            for number in 0..self.fillers {
                let record = json!({"Name": format!("{FILLER}{number}"), field: format!("{FILLER}{number}")});
                sandbox.put_record(object, record.as_object().cloned().expect("an object"));
            }
        }
    }
}

/// Somebody who does things one by one, whenever a page of the source was read that another follows.
#[derive(Clone, Default)]
pub struct Meanwhile {
    waiting: Arc<Mutex<VecDeque<Deed>>>,
    done: Arc<Mutex<Vec<Deed>>>,
}

impl Meanwhile {
    pub fn begin(&self, sandbox: &Sandbox) {
        let own = self.clone();
        sandbox.write_between_pages(move |_| {
            let Some(deed) = own.waiting.lock().expect("no panic before").pop_front() else { return Vec::new() };
            let change = deed.change();
            own.done.lock().expect("no panic before").push(deed);
            change.into_iter().collect::<Vec<Change>>()
        });
    }

    /// From now on these wait for pages.
    pub fn wait(&self, deeds: Vec<Deed>) {
        self.waiting.lock().expect("no panic before").extend(deeds);
    }

    /// What was done since it was asked last; the rest is not done any more.
    pub fn done(&self) -> Vec<Deed> {
        self.waiting.lock().expect("no panic before").clear();
        std::mem::take(&mut *self.done.lock().expect("no panic before"))
    }
}
