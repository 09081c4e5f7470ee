//! Links in the state: kept with the acknowledgement, moved, marked and cut, each in its own job and tenant.

use arrow::array::{Array, AsArray};
use ferry::store::ledger::{Answer, Intent, Ledger, Settled};
use ferry::store::links::{Link, Relink};
use ferry::store::state::{State, Tenancy};
use tempfile::TempDir;

use crate::stage::beginning;

fn tenancy(tenant: &str) -> Tenancy {
    Tenancy { organization: "o".to_owned(), tenant: tenant.to_owned() }
}

fn to(id: &str, object: &str, gsid: Option<&str>, key: &str) -> Relink {
    let gsid = gsid.map(str::to_owned);
    Relink::To(Link { source_id: id.to_owned(), object: object.to_owned(), gsid, key: key.to_owned() })
}

/// All links of a job, one text each.
fn all(state: &State, of: &Tenancy, job: &str) -> Vec<String> {
    let batch = state.links(of, job, None).unwrap();
    let text = |column: &str, at: usize| {
        let column = batch.column_by_name(column).unwrap().as_string::<i32>();
        if column.is_null(at) { "-".to_owned() } else { column.value(at).to_owned() }
    };
    let left = batch.column_by_name("has_left").unwrap().as_boolean();
    let one = |at: usize| {
        let texts: Vec<String> = ["source_id", "object", "gsid", "key"].iter().map(|c| text(c, at)).collect();
        format!("{}{}", texts.join(" "), if left.value(at) { " left" } else { "" })
    };
    (0..batch.num_rows()).map(one).collect()
}

fn opened() -> (TempDir, State) {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(&folder.path().join("state.db")).unwrap();
    (folder, state)
}

#[test]
fn links_are_kept_marked_and_cut() {
    let (_folder, state) = opened();
    let of = tenancy("t");
    let both =
        [to("b", "person", Some("P1"), "k1"), to("b", "company_person", None, "k2"), to("a", "person", None, "k3")];
    state.relink(&of, "job", &both).unwrap();
    assert_eq!(all(&state, &of, "job"), ["a person - k3", "b company_person - k2", "b person P1 k1"]);
    state.relink(&of, "job", &[Relink::Left("b".to_owned())]).unwrap();
    assert_eq!(all(&state, &of, "job"), ["a person - k3", "b company_person - k2 left", "b person P1 k1 left"]);
    // Whoever comes back is linked anew.
    state.relink(&of, "job", &[to("b", "person", Some("P2"), "k4"), Relink::Cut("a".to_owned())]).unwrap();
    assert_eq!(all(&state, &of, "job"), ["b company_person - k2 left", "b person P2 k4"]);
}

#[test]
fn links_are_read_from_a_place_on() {
    let (_folder, state) = opened();
    let of = tenancy("t");
    state.relink(&of, "job", &[to("a", "x", None, "1"), to("a", "y", None, "2"), to("b", "x", None, "3")]).unwrap();
    let behind = |id: &str, object: &str| state.links(&of, "job", Some((id, object))).unwrap().num_rows();
    assert_eq!((behind("a", "w"), behind("a", "x"), behind("a", "y"), behind("b", "x")), (3, 2, 1, 0));
}

#[test]
fn links_of_other_jobs_and_tenants_stay() {
    let (_folder, state) = opened();
    let (one, other) = (tenancy("one"), tenancy("other"));
    for (of, job) in [(&one, "job"), (&one, "another"), (&other, "job")] {
        state.relink(of, job, &[to("a", "x", Some("G"), "k")]).unwrap();
    }
    state.relink(&one, "job", &[Relink::Cut("a".to_owned())]).unwrap();
    state.relink(&one, "another", &[Relink::Left("a".to_owned())]).unwrap();
    assert!(all(&state, &one, "job").is_empty());
    assert_eq!(all(&state, &one, "another"), ["a x G k left"]);
    assert_eq!(all(&state, &other, "job"), ["a x G k"]);
}

#[test]
fn a_link_comes_with_its_acknowledgement() {
    let (_folder, state) = opened();
    let of = tenancy("t");
    let begin = beginning("job", &of);
    let run = state.begin(&begin).unwrap();
    let call = Intent { step: 1, what: "insert x".to_owned(), rows: vec![(1, "a".to_owned())], at_ms: 1 };
    let numbers = state.intend(&run, &[call]).unwrap();
    assert!(all(&state, &of, "job").is_empty(), "nothing is known of a call that is under way");
    let links = vec![to("a", "x", Some("G"), "k")];
    let row = Settled { row: 1, step: 1, source_id: "a".to_owned(), links, ..Settled::default() };
    state.settle(&run, &of, "job", &[(numbers[0], Answer::Acknowledged)], &[row]).unwrap();
    assert_eq!(all(&state, &of, "job"), ["a x G k"]);
}
