//! Drawn lives of a ledger, told to both kinds of state: what comes of each step, and what is left, is the same.

use ferry::store::dataset::Part;
use ferry::store::ledger::{Answer, Begin, End, Failed, Intent, Ledger, Settled};
use ferry::store::links::{Link, Relink};
use ferry::store::place::Place;
use ferry::store::state::State;
use ferry::store::users::Identity;

use super::alike::{both, end, of, refused};
use crate::generated::dice::Dice;
use crate::stage::beginning;

const SEEDS: u64 = 6;
const STEPS: usize = 120;
const JOBS: [&str; 3] = ["job", "Other job", "übrig"];

struct Life {
    state: State,
    place: Place,
    dice: Dice,
    runs: Vec<(String, &'static str)>,
    calls: Vec<(String, i64, Vec<i64>)>,
    diary: Vec<String>,
}

impl Life {
    fn of(place: &Place, seed: u64) -> Self {
        let state = State::open(place).unwrap();
        let (runs, calls, diary) = Default::default();
        Self { state, place: place.clone(), dice: Dice::of(seed), runs, calls, diary }
    }

    fn step(&mut self) {
        let which = self.dice.below(13);
        let said = match which {
            0 | 1 => self.begin(),
            2 => self.read(),
            3..=5 => self.intend(),
            6..=8 => self.settle(),
            9 => self.end(),
            10 => self.relink(),
            11 => self.look(),
            _ => self.leave(),
        };
        self.diary.push(format!("{which}: {said}"));
    }

    fn run(&mut self) -> Option<(String, &'static str)> {
        if self.runs.is_empty() { None } else { Some(self.dice.pick(&self.runs)) }
    }

    fn begin(&mut self) -> String {
        let (of, job) = (of(), self.dice.pick(&JOBS));
        let now_ms = i64::try_from(self.dice.below(9_000)).unwrap();
        let began = self.state.begin(&Begin { now_ms, can_resume: self.dice.maybe(80), ..beginning(job, &of) });
        if let Ok(run) = &began {
            self.runs.push((run.clone(), job));
        }
        format!("{began:?}")
    }

    fn read(&mut self) -> String {
        let Some((run, _)) = self.run() else { return String::new() };
        let rows = self.dice.below(50) as u64;
        let part = Part { file: format!("part-{rows}"), rows, digest: rows.to_string() };
        let kept = self.state.page(&run, "source", self.dice.maybe(70).then_some(&part), &rows.to_string());
        if self.dice.maybe(20) {
            self.state.read_again(&run, "source").unwrap();
        }
        format!("{kept:?} {:?}", self.state.reading(&run, "source"))
    }

    fn intend(&mut self) -> String {
        let Some((run, _)) = self.run() else { return String::new() };
        let step = if self.dice.maybe(20) { 2 } else { 1 };
        let rows: Vec<i64> = (0..1 + self.dice.below(6)).map(|_| self.dice.below(40) as i64).collect();
        let what = self.dice.pick(&["insert company", "update company"]).to_owned();
        let at_ms = 1_000 + self.dice.below(9_000) as i64;
        let call = Intent { step, what, rows: rows.iter().map(|row| (*row, format!("s{row}"))).collect(), at_ms };
        let numbers = self.state.intend(&run, &[call.clone(), call]).unwrap();
        self.calls.extend(numbers.iter().map(|number| (run.clone(), *number, rows.clone())));
        format!("{:?}", self.state.last_open(&run).map(|open| open.is_some()))
    }

    fn settle(&mut self) -> String {
        if self.calls.is_empty() {
            return String::new();
        }
        let at = self.dice.below(self.calls.len());
        let (run, number, rows) = self.calls.remove(at);
        let answers =
            [Answer::Acknowledged, Answer::Refused, Answer::Withdrawn, Answer::Unknown { heard_at_ms: 4_000 }];
        let answer = self.dice.pick(&answers);
        let mut settled = Vec::new();
        for row in rows {
            let mut one = Settled { row, step: 1, source_id: format!("s{row}"), ..Settled::default() };
            match self.dice.below(4) {
                0 => one.refused = Some(refused(&one.source_id)),
                1 => one.gsid = Some(format!("G{row}")),
                2 => {
                    let [source_id, user_gsid, at] = [one.source_id.clone(), format!("U{row}"), "2026".to_owned()];
                    one.identity =
                        Some(Identity { source_id, active: self.dice.maybe(50).then_some(true), user_gsid, at });
                }
                _ => continue,
            }
            settled.push(one);
        }
        let kept = self.state.settle(&run, &of(), "job", &[(number, answer)], &settled);
        format!("{kept:?} {:?} {:?}", self.state.tally(&run), self.state.has_open_calls(&run))
    }

    fn end(&mut self) -> String {
        let (of, Some((run, job))) = (of(), self.run()) else { return String::new() };
        let failed: Vec<Failed> = (0..self.dice.below(4))
            .map(|_| {
                let source_id = format!("s{}", self.dice.below(9));
                let candidates = if self.dice.maybe(30) { vec!["U1".to_owned(), "U2".to_owned()] } else { Vec::new() };
                Failed { source_id, code: "C".to_owned(), retried: "time", message: "m".to_owned(), candidates }
            })
            .collect();
        let chosen = ["s1".to_owned(), "s2".to_owned()];
        let chosen = self.dice.maybe(30).then_some(&chosen[..]);
        let (are_all, can_resume) = (self.dice.maybe(80), self.dice.maybe(30));
        let ended = self.state.end(&End { job, chosen, are_all, can_resume, ..end(&run, &of, &failed) });
        format!("{ended:?} {:?} {:?}", self.state.due(&of, job), self.state.ambiguous())
    }

    fn relink(&mut self) -> String {
        let all: Vec<Relink> = (0..1 + self.dice.below(5))
            .map(|_| {
                let source_id = format!("s{}", self.dice.below(20));
                match self.dice.below(4) {
                    0 => Relink::Left(source_id),
                    1 => Relink::Cut(source_id),
                    _ => {
                        let object = self.dice.pick(&["company", "person", "Person"]).to_owned();
                        let gsid = self.dice.maybe(70).then(|| "G".to_owned());
                        Relink::To(Link { source_id, object, gsid, key: "k".to_owned() })
                    }
                }
            })
            .collect();
        format!("{:?}", self.state.relink(&of(), "job", &all))
    }

    fn look(&mut self) -> String {
        let (of, after) = (of(), format!("s{}", self.dice.below(20)));
        let (links, behind) =
            (self.state.links(&of, "job", None), self.state.links(&of, "job", Some((&after, "person"))));
        let runs: Vec<_> = self.state.unfinished_runs().unwrap().into_iter().map(|run| (run.id, run.status)).collect();
        let known = (self.state.refusals(&of, "job"), self.state.identities(&of), self.state.newest_runs());
        format!("{links:?} {behind:?} {runs:?} {known:?} {:?}", self.state.aged_runs())
    }

    /// The process ends, and another takes the state.
    fn leave(&mut self) -> String {
        let place = self.place.clone();
        // Nobody has it in between.
        let nowhere = tempfile::tempdir().unwrap();
        drop(std::mem::replace(&mut self.state, State::open(&nowhere.path().join("state.db")).unwrap()));
        self.state = State::open(&place).unwrap();
        let Some((run, _)) = self.run() else { return String::new() };
        match self.dice.below(3) {
            0 => format!("{:?}", self.state.take_up(&run)),
            1 => format!("{:?}", self.state.clean_run(&run)),
            _ => format!("{:?}", self.state.abandon(&run, "2026-01-05", "so")),
        }
    }
}

#[test]
fn drawn_lives_are_alike() {
    for seed in 0..SEEDS {
        let mut diaries = Vec::new();
        both(|place, _| {
            let mut life = Life::of(place, seed);
            (0..STEPS).for_each(|_| life.step());
            diaries.push(life.diary);
        });
        for other in &diaries[1..] {
            for (step, (one, other)) in diaries[0].iter().zip(other).enumerate() {
                assert_eq!(one, other, "seed {seed}, step {step}");
            }
        }
    }
}
