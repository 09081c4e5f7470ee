//! What a person can say about a user that no key settles: the words of the error file, with the command to type.
//!
//! In: a row of the changes that stands in the error file. Out: the end of its message, and the users that it could be.

use super::changes::Changes;
use crate::engine::reason::{Cause, Reason};
use crate::model::dataset::changes;
use crate::model::job::Route;

/// Candidates that a message names.
const NAMED_AT_MOST: usize = 10;

/// The users that the key of an ambiguous row finds, by GSID.
pub(super) fn candidates(reason: &Reason, rows: &Changes<'_>, at: usize) -> Vec<String> {
    let is_about_users =
        matches!(reason.cause, Cause::Ambiguous(target) if rows.job().targets[target].route == Route::User);
    if is_about_users { named(rows, at) } else { Vec::new() }
}

/// What to type; nothing for rows that are about something else.
pub(super) fn advice(reason: &Reason, rows: &Changes<'_>, at: usize) -> Option<String> {
    let id = rows.id(at);
    match reason.cause {
        Cause::Ambiguous(_) => {
            let candidates = candidates(reason, rows, at);
            let (first, others) = candidates.split_first()?;
            let mut words = format!(": `ferry avatar associate {id} {first}`, or with ");
            words.push_str(&others[..others.len().min(NAMED_AT_MOST - 1)].join(", "));
            if candidates.len() > NAMED_AT_MOST {
                words.push_str(&format!(" or one of {} more", candidates.len() - NAMED_AT_MOST));
            }
            Some(words)
        }
        Cause::AvatarConflict => {
            let (user, owner) = (named(rows, at).into_iter().next()?, rows.text(changes::OWNER, at)?);
            Some(format!(
                ". It is {user}, who is {owner}: `ferry avatar associate {id} {user} --move` hands the user over to this one"
            ))
        }
        Cause::AvatarParted => {
            let user = named(rows, at).into_iter().next()?;
            Some(format!(
                ": `ferry avatar associate {id} {user}`, or another user; `ferry avatar dissociate {id} --rematch` lets the key decide"
            ))
        }
        _ => None,
    }
}

fn named(rows: &Changes<'_>, at: usize) -> Vec<String> {
    rows.text(changes::CANDIDATES, at).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}
