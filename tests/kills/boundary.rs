//! The places of a run at which it can be killed: which there are, and what the run is about there.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

/// The n-th passing of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary {
    pub label: String,
    pub number: usize,
    pub phase: &'static str,
}

impl Display for Boundary {
    fn fmt(&self, to: &mut Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}:{}", self.label, self.number)
    }
}

/// The places in what a process tells of those that it passes.
pub fn boundaries(said: &str) -> Vec<Boundary> {
    let mut passed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut phase = "begin";
    let mut found = Vec::new();
    for label in said.lines().filter_map(|line| line.strip_prefix("passed ")) {
        let number = passed.entry(label).or_default();
        *number += 1;
        if matches!(label, "begin.before" | "take_up.before") {
            phase = "begin";
        }
        found.push(Boundary { label: label.to_owned(), number: *number, phase });
        phase = match label {
            "begin.after" => "extract",
            "take_up.after" => "go on",
            "extracted.after" => "plan",
            "loading.after" => "load",
            "end.after" => "end",
            _ => phase,
        };
    }
    found
}

/// One place of each kind, somewhere in the middle.
pub fn one_of_each(all: &[Boundary]) -> Vec<Boundary> {
    let mut kinds: BTreeMap<(&str, &str), Vec<&Boundary>> = BTreeMap::new();
    for one in all {
        kinds.entry((&one.label, one.phase)).or_default().push(one);
    }
    kinds.into_values().map(|of| of[of.len() / 2].clone()).collect()
}

/// How often there was a kill, by what the run was about and by place.
#[derive(Default)]
pub struct Count(BTreeMap<(&'static str, String), usize>);

impl Count {
    pub fn add(&mut self, phase: &'static str, label: &str) {
        *self.0.entry((phase, label.to_owned())).or_default() += 1;
    }

    pub fn all(&self) -> usize {
        self.0.values().sum()
    }
}

impl Display for Count {
    fn fmt(&self, to: &mut Formatter<'_>) -> std::fmt::Result {
        let mut phases: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
        for ((phase, label), kills) in &self.0 {
            let (all, labels) = phases.entry(phase).or_default();
            *all += kills;
            labels.push(format!("{label} {kills}"));
        }
        writeln!(to, "{} kills", self.all())?;
        for (phase, (all, labels)) in phases {
            writeln!(to, "  {phase} {all}: {}", labels.join(", "))?;
        }
        Ok(())
    }
}
