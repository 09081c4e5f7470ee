//! One rule: which requests it is about, when it strikes, and what it does then.
//!
//! It touches no reply. In: requests, and the sandbox's seed. Out: strikes; the same seed and the same requests in the same
//! order give the same ones.

use std::time::Duration;

use serde_json::Value;

use super::super::calls::Service;
use super::super::http::Ask;
use super::super::randomness::Chance;
use super::Fault;

/// Steps that a probability is told apart in.
const STEPS: usize = 1_000_000;

/// When a rule is due, by the number of the request among those that it is about, from 1.
#[derive(Debug, Clone)]
pub(super) enum When {
    Always,
    /// With this probability, in millionths.
    Chance(usize),
    Every(usize),
    Nth(Vec<usize>),
}

/// On which side of the request's being carried out the connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Close {
    Before,
    After,
}

/// What happens to a request or its reply.
#[derive(Debug, Clone)]
pub(in crate::sandbox) enum Effect {
    /// The service refuses, in its own words.
    Fail(Fault),
    /// A gateway before the service refuses, with a page.
    Page(Fault),
    /// The answer is this text.
    Text(Fault, String),
    /// The connection is closed without an answer.
    Close(Close),
    /// The connection is closed after so many bytes of the body.
    Cut(usize),
    /// The body ends in the middle, and says that this is its length.
    Truncate,
    /// The link to the next page leads to the page that was asked for.
    RepeatLink,
    /// The connection is closed without an answer, and the request is carried out so long after it came.
    Late(Duration),
    /// The answer says that its body is of this type.
    ContentType(String),
    /// Blanks make the body this many bytes long.
    Oversize(usize),
    /// The link that the request follows has expired.
    ExpireLink,
    /// The page begins with the row that ended the page before.
    RepeatRow,
    /// Rows of the source change once the answer is made.
    Touch(Touch),
    /// A row of the table that was asked for is deleted once the answer is made.
    DropRow,
    /// One choice in the page is a number that no metadata knows.
    UnknownChoice,
    /// The records at these places of the call, from 0, are bad.
    RefuseRecords(Vec<usize>),
}

/// A change of rows of the source.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Touch {
    pub(in crate::sandbox) table: String,
    /// The column, by its Web API name.
    pub(in crate::sandbox) column: String,
    pub(in crate::sandbox) value: Value,
    /// How many rows.
    pub(in crate::sandbox) rows: usize,
}

/// What a request is struck with; nothing by default.
#[derive(Debug, Clone, Default)]
pub(in crate::sandbox) struct Strike {
    /// What passes before anything else.
    pub(in crate::sandbox) latency: Duration,
    /// How long queries do not see what the request writes.
    pub(in crate::sandbox) stale: Duration,
    pub(in crate::sandbox) effect: Option<Effect>,
    /// A number drawn for this strike: it chooses the rows that change.
    pub(in crate::sandbox) draw: usize,
}

impl Strike {
    pub(super) fn of(effect: Effect) -> Self {
        Strike { effect: Some(effect), ..Strike::default() }
    }
}

/// A rule with what it has counted.
#[derive(Debug)]
pub(in crate::sandbox) struct Rule {
    pub(super) service: Service,
    pub(super) method: Option<String>,
    pub(super) path: String,
    pub(super) when: When,
    /// Requests in a row that are struck once the rule is due.
    pub(super) in_a_row: usize,
    /// Strikes that are left.
    pub(super) left: usize,
    /// Requests that it has struck.
    pub(super) struck: usize,
    pub(super) does: Strike,
    pub(super) seen: usize,
    /// The number of the last request of the row that is under way.
    pub(super) row_ends: usize,
}

impl Rule {
    pub(super) fn is_about(&self, service: Service, ask: &Ask) -> bool {
        let is_method = self.method.as_ref().is_none_or(|method| *method == ask.method);
        let is_here = self.service == service && is_method && ask.path.starts_with(&self.path);
        is_here && (!self.needs_link() || ask.parameter("$skiptoken").is_some())
    }

    /// Whether the rule is about requests only that follow the link of a page before.
    fn needs_link(&self) -> bool {
        matches!(self.does.effect, Some(Effect::ExpireLink | Effect::RepeatRow))
    }

    /// Counts a request and says whether the rule is due at it.
    pub(super) fn count(&mut self, seed: u64, place: usize) -> bool {
        self.seen += 1;
        let is_due = match &self.when {
            When::Always => true,
            When::Chance(share) => Chance::of_text(seed, &format!("fault {place} {}", self.seen)).below(STEPS) < *share,
            When::Every(every) => self.seen.is_multiple_of(*every),
            When::Nth(list) => list.contains(&self.seen),
        };
        if is_due {
            self.row_ends = self.row_ends.max(self.seen.saturating_add(self.in_a_row - 1));
        }
        self.seen <= self.row_ends
    }

    /// Takes one of the strikes that are left.
    pub(super) fn spend(&mut self) -> bool {
        let has_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        self.struck += usize::from(has_left);
        has_left
    }

    pub(super) fn strike(&self, seed: u64, place: usize) -> Strike {
        let draw = Chance::of_text(seed, &format!("strike {place} {}", self.seen)).below(usize::MAX);
        Strike { draw, ..self.does.clone() }
    }

    /// The change of the source that the rule brings about, if it does.
    pub(in crate::sandbox) fn touch(&self) -> Option<&Touch> {
        match &self.does.effect {
            Some(Effect::Touch(touch)) => Some(touch),
            _ => None,
        }
    }
}

/// A probability as millionths; nothing if it is none.
pub(super) fn millionths(probability: f64) -> Option<usize> {
    (0.0..=1.0).contains(&probability).then(|| (probability * STEPS as f64).round() as usize)
}
