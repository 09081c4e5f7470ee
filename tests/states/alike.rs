//! The same said to both kinds of state has the same answers, and leaves the same rows: every operation there is, by hand.

use ferry::model::reject::RejectCode;
use ferry::store::approvals::Pause;
use ferry::store::connections::Established;
use ferry::store::dataset::Part;
use ferry::store::executions::Wanted;
use ferry::store::ledger::{Answer, Base, End, Failed, Intent, LOOKED, Ledger, Lost, Settled};
use ferry::store::links::{Link, Relink};
use ferry::store::notices::{ToTell, Tried};
use ferry::store::place::Place;
use ferry::store::refusals::Refused;
use ferry::store::runs::Stage;
use ferry::store::state::{State, Tenancy};
use ferry::store::updates::Update;
use ferry::store::users::Identity;

use super::server::Schema;
use crate::stage::beginning;

pub fn of() -> Tenancy {
    Tenancy { organization: "o".to_owned(), tenant: "t".to_owned() }
}

/// What came of one thing after the other.
#[derive(Default)]
pub struct Diary(pub Vec<String>);

impl Diary {
    fn note<T: std::fmt::Debug>(&mut self, what: &str, came: T) {
        self.0.push(format!("{what}: {came:?}"));
    }
}

/// A file of its own, and a schema of its own if there is a server.
pub fn both(mut with: impl FnMut(&Place, &str)) {
    let folder = tempfile::tempdir().unwrap();
    with(&Place::File(folder.path().join("state.db")), "a file");
    if let Some(schema) = Schema::make() {
        with(&schema.place(), "a server");
    }
}

pub fn end<'a>(run: &'a str, of: &'a Tenancy, failed: &'a [Failed]) -> End<'a> {
    End {
        run,
        of,
        job: "job",
        ended: "2026-01-01T00:00:09Z",
        status: "partial",
        report: r#"{"run":"x","status":"partial","message":null,"share":0.25}"#,
        message: Some("that is so"),
        can_resume: false,
        failed,
        are_all: true,
        chosen: None,
        base: None,
        notices: &[],
    }
}

pub fn refused(id: &str) -> Refused {
    Refused {
        source_id: id.to_owned(),
        fingerprint: "f".to_owned(),
        message: "no 'quoted' ?1 $1 Ü\u{1F600}".to_owned(),
        field: Some("Name".to_owned()),
        value: None,
    }
}

fn failed(id: &str, candidates: &[&str]) -> Failed {
    let candidates = candidates.iter().map(|one| (*one).to_owned()).collect();
    Failed { source_id: id.to_owned(), code: "C".to_owned(), retried: "time", message: "m".to_owned(), candidates }
}

fn update(action: &str) -> Update {
    let [at, by, kind, name] = ["2026-01-01T00:00:00Z", "anna", "job", "job"].map(str::to_owned);
    Update { at, by, kind, name, action: action.to_owned(), before: None, after: Some("x".to_owned()) }
}

fn readings(state: &State, run: &str, diary: &mut Diary) {
    let part = |n: u64| Part { file: format!("part-{n}.parquet"), rows: n, digest: format!("d{n}") };
    state.page(run, "source", Some(&part(2)), "behind 2").unwrap();
    state.page(run, "source", Some(&part(3)), "behind 3").unwrap();
    state.page(run, "source", None, "behind nothing").unwrap();
    state.note(run, LOOKED, "").unwrap();
    diary.note("reading", state.reading(run, "source"));
    state.read_whole(run, "source").unwrap();
    state.read_whole(run, "empty").unwrap();
    diary.note("read whole", (state.reading(run, "source"), state.reading(run, "empty"), state.reading(run, "none")));
    state.page(run, "target", Some(&part(1)), "").unwrap();
    state.read_again(run, "target").unwrap();
    diary.note("read again", state.reading(run, "target"));
    state.looks(run, 1_000).unwrap();
    diary.note("noted", (state.reading(run, LOOKED), state.noted_by_others("t", "none", LOOKED)));
}

fn calls(state: &State, run: &str, diary: &mut Diary) {
    let rows = |ids: &[i64]| ids.iter().map(|id| (*id, format!("s{id}"))).collect();
    let call = |ids: &[i64], step| Intent { step, what: "insert company".to_owned(), rows: rows(ids), at_ms: 5_000 };
    let numbers = state.intend(run, &[call(&[1, 2, 3], 1), call(&[4], 1), call(&[5, 6], 1), call(&[1], 2)]).unwrap();
    assert_eq!(numbers.len(), 4);
    diary.note("open", (state.outcome(run, 1, 1), state.outcome(run, 9, 1), state.tally(run)));
    let row = |id: i64| Settled { row: id, step: 1, source_id: format!("s{id}"), ..Settled::default() };
    let link = |id: i64| {
        let [source_id, object, key] = [format!("s{id}"), "company".to_owned(), "k".to_owned()];
        Relink::To(Link { source_id, object, gsid: Some(format!("G{id}")), key })
    };
    let identity = Identity {
        source_id: "s1".to_owned(),
        active: Some(true),
        user_gsid: "U1".to_owned(),
        at: "2026-01-01".to_owned(),
    };
    let settled = [
        Settled { gsid: Some("G1".to_owned()), links: vec![link(1)], identity: Some(identity), ..row(1) },
        Settled { refused: Some(refused("s2")), ..row(2) },
        Settled { lost: Some(Lost { code: RejectCode::TargetGone, message: "gone".to_owned() }), ..row(3) },
    ];
    state.settle(run, &of(), "job", &[(numbers[0], Answer::Acknowledged)], &settled).unwrap();
    state.settle(run, &of(), "job", &[(numbers[1], Answer::Unknown { heard_at_ms: 7_000 })], &[]).unwrap();
    state.settle(run, &of(), "job", &[(numbers[2], Answer::Withdrawn)], &[]).unwrap();
    for id in 1..=6 {
        diary.note("outcome", state.outcome(run, id, 1));
    }
    diary.note(
        "tally",
        (state.tally(run), state.has_open_calls(run), state.last_made("t", &["insert company".to_owned()])),
    );
    diary.note("wrote", (state.written_since(&of(), "job", run), state.written_since(&of(), "job", "none")));
    diary.note("refusals", state.refusals(&of(), "job"));
    diary.note("identities", state.identities(&of()));
    diary.note("links", (state.links(&of(), "job", None), state.links(&of(), "job", Some(("s1", "company")))));
    state.relink(&of(), "job", &[link(7), Relink::Left("s1".to_owned()), Relink::Cut("s7".to_owned())]).unwrap();
    diary.note("relinked", state.links(&of(), "job", None));
}

fn ends(state: &State, run: &str, diary: &mut Diary) {
    let stage = Stage { name: "load".to_owned(), started: "2026-01-01".to_owned(), seconds: 0.125, rows: 6 };
    state.stage(run, &stage).unwrap();
    diary.note("standing", state.standing(run));
    let base = Base { run: run.to_owned(), digest: "d".to_owned(), full_at_ms: 1, cursors: "{}".to_owned() };
    let told = ["mail a", "mail b"].map(|address| ToTell {
        run: run.to_owned(),
        address: address.to_owned(),
        event: "job partial".to_owned(),
        content: "{}".to_owned(),
        due_ms: 10,
        at: "2026-01-01".to_owned(),
    });
    let all = [failed("b", &[]), failed("A", &["U1", "U2"]), failed("a", &[])];
    state.end(&End { base: Some(&base), notices: &told, ..end(run, &of(), &all) }).unwrap();
    diary.note("run", state.run(run));
    diary.note("due", (state.due(&of(), "job"), state.ambiguous(), state.base(&of(), "job"), state.base_jobs()));
    state.end(&end(run, &of(), &all[..1])).unwrap();
    diary.note("due again", (state.due(&of(), "job"), state.ambiguous()));
    let chosen = ["b".to_owned()];
    state.end(&End { chosen: Some(&chosen), ..end(run, &of(), &[]) }).unwrap();
    diary.note("due of chosen ones", state.due(&of(), "job"));
    let first = state.due_notices(10, 5).unwrap();
    diary.note("notices", (first.len(), state.take_notice(&first[0], 99), state.take_notice(&first[0], 99)));
    state.tried_notice(first[0].id, Tried::GivenUp("no"), "2026-01-02").unwrap();
    diary.note("told", (state.told_of(run), state.notices_by_state(), state.next_notice_ms(), state.began(run)));
    diary.note(
        "last",
        (state.last_status("job"), state.last_completed(), state.last_run("job").map(|one| one.is_some())),
    );
}

fn beside(state: &State, run: &str, diary: &mut Diary) {
    state.approve(run, &update("approved")).unwrap();
    state.approve(run, &update("approved")).unwrap();
    diary.note("approved", (state.is_approved(run), state.approved_by(run)));
    let pause = |is_cancel| Pause { name: "job".to_owned(), at: "1".to_owned(), by: "anna".to_owned(), is_cancel };
    for is_cancel in [false, true, false] {
        state.pause(&pause(is_cancel), &update("paused")).unwrap();
    }
    diary.note("pauses", (state.pauses(), state.unpause("job", Some(&update("resumed"))), state.unpause("job", None)));
    let one = |name: &str| Established {
        name: name.to_owned(),
        url: "https://x".to_owned(),
        identity: "t".to_owned(),
        since: "1".to_owned(),
        revoked: None,
    };
    state.establish(&one("gainsight")).unwrap();
    state.revoke("gainsight", "2").unwrap();
    diary.note("connections", state.connections());
    state.establish(&one("gainsight")).unwrap();
    diary.note("connection", state.connection("GAINSIGHT"));
    diary.note("updates", (state.updates(99), state.altered_update()));
    state.upkeep("clean", 5).unwrap();
    state.upkeep("clean", 6).unwrap();
    diary.note("upkept", (state.upkept("clean"), state.upkept("none")));
    diary.note("aged", (state.aged_runs(), state.forget_run(run), state.forget_before("2000", 1)));
    state.forget("gainsight").unwrap();
    diary.note("forgotten", (state.identities(&of()), state.due(&of(), "job"), state.base(&of(), "job")));
}

fn listed(state: &State, diary: &mut Diary) {
    for (job, chain) in [(None, None), (Some("JOB"), None), (Some("ö"), None), (Some("Ö"), None), (Some("jo"), None)]
    {
        let mut found = Vec::new();
        let wanted = Wanted { job, chain, since: None, until: None };
        state
            .executions(&wanted, |run| {
                found.push(run.id);
                found.len() < 3
            })
            .unwrap();
        diary.note("executions", (job, found));
    }
    diary.note("newest", state.newest_runs().map(|runs| runs.into_iter().map(|run| run.job).collect::<Vec<_>>()));
    diary
        .note("unfinished", state.unfinished_runs().map(|runs| runs.into_iter().map(|run| run.id).collect::<Vec<_>>()));
    diary.note(
        "runs",
        state.runs(2).map(|runs| runs.into_iter().map(|run| (run.id, run.status, run.message)).collect::<Vec<_>>()),
    );
}

/// Everything that a state can do, once; gives what came of it.
fn lived(place: &Place) -> Diary {
    let (mut diary, of) = (Diary::default(), of());
    assert!(!place.is_there().unwrap());
    let state = State::open(place).unwrap();
    diary.note("nothing", (state.runs(9).map(|runs| runs.len()), state.version()));
    let first = state.begin(&beginning("job", &of)).unwrap();
    diary.note("begun", (&first, state.unfinished(&of, "job").map(|one| one.map(|one| one.phase))));
    readings(&state, &first, &mut diary);
    state.extracted(&first).unwrap();
    state.planned(&first, "{\"read\":6}", "digest").unwrap();
    diary.note("planned", state.begun(&first).map(|one| one.map(|one| (one.phase, one.planned, one.plan_digest))));
    calls(&state, &first, &mut diary);
    ends(&state, &first, &mut diary);
    beside(&state, &first, &mut diary);
    let second = state.begin(&beginning("Ö und so", &of)).unwrap();
    state.take_up(&second).unwrap();
    state.abandon(&second, "2026-01-03", "nobody wants it").unwrap();
    let third = state.begin(&beginning("job", &of)).unwrap();
    state.end(&End { status: "waiting_retry", can_resume: true, ..end(&third, &of, &[]) }).unwrap();
    state.fail_waiting(&third, Some("in vain")).unwrap();
    diary.note("given up", state.run(&third));
    diary.note("others wrote", state.others_wrote("t", &third, &["insert company"]));
    diary.note("closed", (state.close_others("t", &third, i64::MAX), state.has_open_calls(&first)));
    diary.note("rewound", (state.rewind("job"), state.clean_run(&first), state.standing(&first)));
    state.interrupt_run(&third).unwrap();
    listed(&state, &mut diary);
    drop(state);
    let looked = State::look(place).unwrap().expect("it is there");
    diary.note("looked at", (looked.runs(9), looked.version()));
    diary
}

#[test]
fn whatever_is_said_to_either_is_answered_alike() {
    let mut diaries = Vec::new();
    both(|place, _| diaries.push(lived(place).0));
    assert!(diaries[0].len() > 40, "{}", diaries[0].len());
    if let [file, server] = &diaries[..] {
        for (one, other) in file.iter().zip(server) {
            assert_eq!(one, other);
        }
        assert_eq!(file.len(), server.len());
    }
}

/// What a file answers is held by the tests of each subject; here is what neither may get wrong together.
#[test]
fn what_was_said_is_there() {
    both(|place, kind| {
        let (of, state) = (of(), State::open(place).unwrap());
        let run = state.begin(&beginning("job", &of)).unwrap();
        let rows = (0..120).map(|row| (row, format!("s{row}"))).collect();
        let call = Intent { step: 1, what: "insert".to_owned(), rows, at_ms: 1 };
        let numbers = state.intend(&run, &[call]).unwrap();
        let settled: Vec<Settled> = (0..120)
            .map(|row| Settled {
                row,
                step: 1,
                source_id: format!("s{row}"),
                gsid: Some(format!("G{row}")),
                ..Settled::default()
            })
            .collect();
        state.settle(&run, &of, "job", &[(numbers[0], Answer::Acknowledged)], &settled).unwrap();
        let tally = state.tally(&run).unwrap();
        assert_eq!((tally.written, tally.failed, tally.open), (120, 0, 0), "{kind}");
        let last = state.outcome(&run, 119, 1).unwrap();
        assert_eq!(format!("{last:?}"), "Some(Written(Some(\"G119\")))", "{kind}");
        assert!(!state.has_open_calls(&run).unwrap(), "{kind}");
    });
}
