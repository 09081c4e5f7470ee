//! Error files as a crash, a process that was taken over or a stranger leaves them: what is seen is whole, and of who has the run.

use ferry::store::error_file::{ErrorFile, Line, SourceColumns};

use super::{batch, names, set};

#[test]
fn an_error_file_is_seen_when_it_is_whole() {
    let root = tempfile::tempdir().unwrap();
    let lines = |count: i64| {
        let mut file = ErrorFile::new(root.path(), "20260101-0001", "J");
        let source = batch(0..1);
        for row in 0..count {
            file.add(&Line { row, ..Line::default() }, &SourceColumns::of(&source).unwrap(), 0).unwrap();
        }
        file
    };
    // One that is given up leaves nothing, and a process that is killed half a file under another name.
    drop(lines(3));
    assert!(names(root.path()).is_empty());
    for left in [".errors.0123456789abcdef.new", ".errors.csv.new", ".errors.of.somebody.new"] {
        std::fs::write(root.path().join(left), "half").unwrap();
    }
    lines(0).sweep();
    assert_eq!(
        names(root.path()),
        set(&[".errors.csv.new", ".errors.of.somebody.new"]),
        "what else lies there is not ours"
    );
    for left in names(root.path()) {
        std::fs::remove_file(root.path().join(left)).unwrap();
    }
    let path = lines(2).finish().unwrap().unwrap();
    assert_eq!(names(root.path()), set(&["errors.csv"]));
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
    let half = lines(9);
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3, "the one before stays until then");
    half.finish().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 10);
    assert_eq!(lines(0).finish().unwrap(), None);
    assert!(names(root.path()).is_empty(), "what an earlier attempt left says nothing of this one");
}

#[test]
fn who_was_taken_over_draws_up_an_error_file_and_spoils_none() {
    let root = tempfile::tempdir().unwrap();
    let begun = |run: &str| {
        let mut file = ErrorFile::new(root.path(), run, "J");
        file.add(&Line::default(), &SourceColumns::of(&batch(0..1)).unwrap(), 0).unwrap();
        file
    };
    let successors = begun("of the one who goes on");
    let theirs = begun("of the one who was taken over");
    drop(theirs);
    let theirs = begun("of the one who was taken over");
    let path = successors.finish().unwrap().unwrap();
    drop(theirs);
    assert!(std::fs::read_to_string(&path).unwrap().contains("of the one who goes on"));
    assert_eq!(names(root.path()), set(&["errors.csv"]));
}

#[cfg(unix)]
#[test]
fn a_planted_link_leads_no_line_away() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let root = tempfile::tempdir().unwrap();
    let precious = root.path().join("precious");
    std::fs::write(&precious, "precious").unwrap();
    symlink(&precious, root.path().join("errors.csv")).unwrap();
    let mut file = ErrorFile::new(root.path(), "20260101-0001", "J");
    file.add(&Line::default(), &SourceColumns::of(&batch(0..1)).unwrap(), 0).unwrap();
    let path = file.finish().unwrap().unwrap();
    assert!(!path.is_symlink() && path.metadata().unwrap().permissions().mode() & 0o777 == 0o600);
    std::fs::remove_file(path).unwrap();
    assert_eq!(names(root.path()), set(&["precious"]));
    symlink(&precious, root.path().join("errors.csv")).unwrap();
    assert_eq!(ErrorFile::new(root.path(), "20260101-0001", "J").finish().unwrap(), None);
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
}
