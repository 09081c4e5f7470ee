//! Scenarios of loading: calls whose answers are lost, processes that are killed around a call, and rows that are refused.

use super::promises::{Verdict, aftermath, all, verdict};
use super::trial::Trial;
use super::world;
use crate::stage::{COMPANIES, PEOPLE, USERS};

fn rule(what: &str) -> String {
    format!(r#"{{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [1], {what}}}"#)
}

/// An ordinary run, in which one row is refused with its batch.
pub fn bad_row(bugs: &str) -> Verdict {
    whole(&Trial::new(bugs, ""))
}

/// A call is carried out, and its answer lost.
pub fn lost_answer(bugs: &str) -> Verdict {
    whole(&Trial::new(bugs, &rule(r#""close": "after""#)))
}

/// A call is lost on its way there.
pub fn lost_request(bugs: &str) -> Verdict {
    whole(&Trial::new(bugs, &rule(r#""close": "before""#)))
}

fn whole(trial: &Trial) -> Verdict {
    let ended = trial.run(COMPANIES);
    verdict(all(trial, COMPANIES, &ended))
}

/// A call is carried out long after its connection was closed.
pub fn late_call(bugs: &str) -> Verdict {
    let trial = Trial::settling(bugs, &rule(r#""late_ms": 600"#), 1_500);
    let ended = trial.run(COMPANIES);
    carried_out(&trial)?;
    verdict(all(&trial, COMPANIES, &ended))
}

/// The same, and the run is given up meanwhile: the next one waits before it reads.
pub fn given_up(bugs: &str) -> Verdict {
    let trial = Trial::settling(bugs, &rule(r#""late_ms": 2500, "latency_ms": 60000"#), 3_600);
    let mut child = trial.begin(&["run", COMPANIES], &[]);
    let begun = trial.until("the first call", |calls| calls.iter().any(|call| call.write));
    child.kill().unwrap();
    child.wait().unwrap();
    begun?;
    let ended = trial.ferry(&["run", COMPANIES, "--anew"]);
    carried_out(&trial)?;
    verdict(aftermath(&trial, COMPANIES, &ended))
}

/// Waits until the first call was carried out.
fn carried_out(trial: &Trial) -> Verdict {
    trial.until("the late call is carried out", |calls| {
        calls.iter().find(|call| call.write).is_some_and(|c| c.records > 0)
    })
}

/// A process is killed when its first batch is written down as acknowledged.
pub fn killed_between_batches(bugs: &str) -> Verdict {
    let trial = Trial::new(bugs, "");
    trial.killed_at("settle.after:1", COMPANIES)?;
    let (pages, queries) = (trial.pages(), trial.queries());
    let ended = trial.run(COMPANIES);
    let mut broken = Vec::new();
    let asked = trial.pages() + trial.queries() - pages - queries;
    if asked > 0 {
        broken.push(format!("{asked} reads of what was read before"));
    }
    broken.extend(all(&trial, COMPANIES, &ended));
    verdict(broken)
}

/// A process is killed when its first call was answered, and nobody wrote the answer down.
pub fn killed_before_the_answer_is_kept(bugs: &str) -> Verdict {
    let trial = Trial::new(bugs, "");
    trial.killed_at("answered:1", COMPANIES)?;
    let ended = trial.run(COMPANIES);
    let mut broken = Vec::new();
    let sent = trial.written();
    if sent != world::ACCOUNTS - 1 {
        broken.push(format!("{sent} records were sent, not {}", world::ACCOUNTS - 1));
    }
    broken.extend(all(&trial, COMPANIES, &ended));
    verdict(broken)
}

/// A process is killed when the new users are there, and their managers not yet.
pub fn killed_between_phases(bugs: &str) -> Verdict {
    let trial = Trial::new(bugs, "");
    trial.killed_at("settle.after:1", USERS)?;
    let ended = trial.run(USERS);
    verdict(all(&trial, USERS, &ended))
}

/// Two rows are one person, the newest of which has the say; a third has no company.
pub fn people(bugs: &str) -> Verdict {
    let trial = Trial::new(bugs, "");
    trial.run(COMPANIES);
    let ended = trial.run(PEOPLE);
    verdict(all(&trial, PEOPLE, &ended))
}

/// A user is called otherwise in the source, and is the same user.
pub fn renamed_user(bugs: &str) -> Verdict {
    let trial = Trial::new(bugs, "");
    trial.run(USERS);
    assert!(trial.sandbox().put_row("systemuser", world::user(1, "renamed@example.com")));
    let counts = trial.run(USERS).report["counts"].clone();
    let (inserted, updated) = (&counts["inserted"], &counts["updated"]);
    let is_the_same = *inserted == 0 && *updated == 1;
    if is_the_same {
        Ok(())
    } else {
        Err(format!("who was renamed is another user: {inserted} inserted, {updated} updated"))
    }
}
