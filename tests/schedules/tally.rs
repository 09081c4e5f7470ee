//! What many cases came to.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::case::Case;
use super::verdict::Told;

/// How often somebody who waits is told how far it is.
const SAID_EVERY: usize = 25;

#[derive(Default)]
pub struct Tally {
    seeds: usize,
    resumptions: usize,
    resumed_seeds: usize,
    struck_seeds: usize,
    /// Strikes by what they did.
    strikes: BTreeMap<String, usize>,
    jobs: BTreeMap<&'static str, usize>,
    pub failures: Vec<String>,
}

impl Tally {
    pub fn add(&mut self, case: &Case, judged: Result<Told, String>) {
        let told = match judged {
            Ok(told) => told,
            Err(why) => {
                let how = format!("{:?}, by_resume {}\n{}", case.world, case.by_resume, case.faults.rules);
                return self.fail(case.seed, format!("{}: {why}\n{how}", case.world.job()));
            }
        };
        self.seeds += 1;
        *self.jobs.entry(case.world.job()).or_default() += 1;
        self.resumptions += told.resumptions;
        self.resumed_seeds += usize::from(told.resumptions > 0);
        self.struck_seeds += usize::from(told.struck.iter().any(|count| *count > 0));
        let rules = case.faults.rules.lines().filter(|line| !line.starts_with('#'));
        for (rule, count) in rules.zip(told.struck).filter(|(_, count)| *count > 0) {
            *self.strikes.entry(effect(rule)).or_default() += count;
        }
    }

    pub fn fail(&mut self, seed: u64, why: String) {
        self.seeds += 1;
        self.failures.push(format!("seed {seed} (FERRY_SEED={seed} runs it alone): {why}"));
    }

    pub fn struck(&self) -> usize {
        self.strikes.values().sum()
    }

    /// Tells whoever waits how far it is.
    #[allow(clippy::print_stdout)]
    pub fn say(&self) {
        if self.seeds.is_multiple_of(SAID_EVERY) {
            println!("{self}");
        }
    }
}

/// What a rule does, by its members.
fn effect(rule: &str) -> String {
    const WHERE_AND_WHEN: [&str; 11] = [
        "service",
        "method",
        "path",
        "every",
        "probability",
        "nth",
        "in_a_row",
        "times",
        "code",
        "retry_after",
        "retry_after_text",
    ];
    let rule: Value = serde_json::from_str(rule).expect("a rule is an object");
    let members = rule.as_object().into_iter().flatten().filter(|(name, _)| !WHERE_AND_WHEN.contains(&name.as_str()));
    let told = members.map(|(name, value)| match name.as_str() {
        "close" | "status" | "html" => format!("{name} {}", value.to_string().trim_matches('"')),
        _ => name.clone(),
    });
    told.collect::<Vec<_>>().join(" + ")
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} seeds, {} struck, {} gone on with, {} times in all; {} strikes; {} failures",
            self.seeds,
            self.struck_seeds,
            self.resumed_seeds,
            self.resumptions,
            self.struck(),
            self.failures.len()
        )?;
        writeln!(f, "strikes {:?}\njobs {:?}", self.strikes, self.jobs)?;
        self.failures.iter().try_for_each(|failure| writeln!(f, "{failure}"))
    }
}
