//! Where a drawn fault may strike: the requests of a run, by what they mean to it.
//!
//! These are the requests that a client of both services makes to carry rows over; what happens at one is drawn from
//! `catalogue`. In: chance. Out: a label.

use serde_json::{Map, Value, json};

use super::super::randomness::Chance;

/// What a request means to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Records are written: the call that must not happen twice.
    Write,
    /// A page of the source.
    Page,
    /// Records of the target, also those that settle what became of a write.
    Query,
    Metadata,
    Token,
}

/// One kind of request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label {
    pub(super) step: Step,
    service: &'static str,
    method: &'static str,
    path: &'static str,
    /// How many of these requests a small run makes: the numbers that are worth striking at.
    pub(super) usual: usize,
    /// The table of a page, and a text column of it.
    pub(super) rows: Option<(&'static str, &'static str)>,
}

/// Shares of a hundred. Lost and late writes are what a run's protocol is for, so they are most of all.
const STEPS: [(usize, Step); 5] =
    [(56, Step::Write), (24, Step::Page), (12, Step::Query), (3, Step::Metadata), (5, Step::Token)];

const LABELS: [Label; 20] = [
    write("POST", "/v1/data/objects/company", 3),
    write("PUT", "/v1/data/objects/company", 3),
    write("POST", "/v1/users/services", 2),
    write("PUT", "/v1/users/services", 2),
    write("PUT", "/v1/peoplemgmt/v1.0/people", 30),
    write("POST", "/v1/data/objects/Opportunity__gc", 3),
    write("PUT", "/v1/data/objects/Opportunity__gc", 3),
    page("/api/data/v9.2/systemusers", ("systemuser", "jobtitle")),
    page("/api/data/v9.2/accounts", ("account", "websiteurl")),
    page("/api/data/v9.2/contacts", ("contact", "jobtitle")),
    page("/api/data/v9.2/opportunities", ("opportunity", "description")),
    query("/v1/data/objects/query/company"),
    query("/v1/data/objects/query/gsuser"),
    query("/v1/data/objects/query/person"),
    query("/v1/data/objects/query/company_person"),
    query("/v1/data/objects/query/Opportunity__gc"),
    label(Step::Metadata, ("dynamics", "GET", "/api/data/v9.2/EntityDefinitions"), 4),
    label(Step::Metadata, ("gainsight", "GET", "/v1/meta/services/objects/list"), 1),
    label(Step::Metadata, ("gainsight", "POST", "/v1/meta/services/objects/describe"), 2),
    label(Step::Token, ("entra", "POST", "/"), 2),
];

const fn label(step: Step, request: (&'static str, &'static str, &'static str), usual: usize) -> Label {
    Label { step, service: request.0, method: request.1, path: request.2, usual, rows: None }
}

const fn write(method: &'static str, path: &'static str, usual: usize) -> Label {
    label(Step::Write, ("gainsight", method, path), usual)
}

const fn page(path: &'static str, rows: (&'static str, &'static str)) -> Label {
    Label { rows: Some(rows), ..label(Step::Page, ("dynamics", "GET", path), 3) }
}

const fn query(path: &'static str) -> Label {
    label(Step::Query, ("gainsight", "POST", path), 4)
}

/// Draws a label.
pub(super) fn draw(chance: &mut Chance) -> Label {
    let step = weighted(chance, &STEPS);
    let all: Vec<&Label> = LABELS.iter().filter(|label| label.step == step).collect();
    *all[chance.below(all.len())]
}

/// One of several by their weights, of which one is not 0.
pub(super) fn weighted<T: Copy>(chance: &mut Chance, of: &[(usize, T)]) -> T {
    let mut left = chance.below(of.iter().map(|(weight, _)| weight).sum());
    for (weight, one) in of {
        if left < *weight {
            return *one;
        }
        left -= weight;
    }
    of[0].1
}

impl Label {
    /// The members of a rule that say which requests it is about.
    pub(super) fn members(&self) -> Map<String, Value> {
        let members = [("service", self.service), ("method", self.method), ("path", self.path)];
        members.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
    }

    pub(super) fn is_dynamics(&self) -> bool {
        self.service == "dynamics"
    }
}
