//! The machine: who runs this, who may look into the home, what room there is.

use super::{Finding, fail, ok, warn};
use crate::app::workspace::Setting;
use crate::store::condition::{Condition, condition};
use crate::store::state::sqlite_version;

/// With less room than this no run can be trusted to come to its end.
const FREE_BYTES_AT_LEAST: u64 = 256 << 20;
/// With less than this somebody should look.
const FREE_BYTES_ENOUGH: u64 = 1 << 30;

pub(super) fn findings(setting: &Setting) -> Vec<Finding> {
    let found = condition(&setting.home, setting.key_file.as_deref());
    vec![version(), user(&found), home(setting, &found), disk(&found)]
}

fn version() -> Finding {
    ok("ferry", &format!("version {}, with SQLite {}", env!("CARGO_PKG_VERSION"), sqlite_version()))
}

fn user(found: &Condition) -> Finding {
    if found.is_root {
        return warn(
            "user",
            "this is root, who may do everything",
            "run ferry as a user of its own, who owns the home",
        );
    }
    ok("user", "not root")
}

fn home(setting: &Setting, found: &Condition) -> Finding {
    let path = setting.home.display();
    if !found.is_there {
        return warn("home", &format!("{path} is not there yet"), "it is made by the first run");
    }
    let Some((open, mode)) = found.open_to_others.first() else {
        return ok("home", &format!("{path} is its owner's alone"));
    };
    let wanted = if open.is_dir() { "700" } else { "600" };
    let words = format!("others may look into {} (mode {mode:03o})", open.display());
    let advice = format!("chmod {wanted} {}", open.display());
    // A key that others can read is a key that others have.
    if setting.key_file.as_ref() == Some(open) { fail("home", &words, &advice) } else { warn("home", &words, &advice) }
}

fn disk(found: &Condition) -> Finding {
    let (runs, folders) = found.runs;
    let kept = format!("the home has {}, {} of them rows of {folders} runs", size(found.bytes), size(runs));
    let Some(free) = found.free_bytes else { return ok("disk", &kept) };
    let words = format!("{} are free; {kept}", size(free));
    let advice =
        "free some space, or `ferry clean --older-than 1d`, or keep rows for less time: CREATE SETTINGS (staging = 1d)";
    if free < FREE_BYTES_AT_LEAST {
        return fail("disk", &words, advice);
    }
    // Every job keeps a whole copy of what it read, and makes the next beside it.
    if free < FREE_BYTES_ENOUGH.max(runs) { warn("disk", &words, advice) } else { ok("disk", &words) }
}

/// Bytes, as people say it.
fn size(bytes: u64) -> String {
    match bytes {
        0..10_000_000 => format!("{} kB", bytes / 1_000),
        10_000_000..10_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}
