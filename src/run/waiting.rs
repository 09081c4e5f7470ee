//! What a run is that was stopped: failed, or waiting for something that somebody or time will bring.
//!
//! Where somebody looks on, a run that cannot go on has failed and says what to type. Where nobody does, it waits: for calls, for a
//! service that is away, for a sign-in, for somebody who allows what it would change. In: the error. Out: a status.

use super::error::Error;
use crate::model::outcome::Status;
use crate::{dynamics, gainsight};

/// The status of a run that this stopped.
#[must_use]
pub fn status_of(error: &Error, is_attended: bool) -> Status {
    match error {
        Error::Quota { .. } => Status::WaitingQuota,
        Error::ImportStuck { .. } | Error::HandedOver { .. } => Status::WaitingTarget,
        Error::Skipped { .. } => Status::Skipped,
        _ if is_attended => Status::Failed,
        Error::TooManyChanges { .. } => Status::WaitingApproval,
        _ if is_of_sign_in(error) => Status::WaitingAuth,
        _ if error.can_resume() => Status::WaitingRetry,
        _ => Status::Failed,
    }
}

/// Whether a run of that status is gone on with, although what stopped it has to be decided first.
pub(super) fn can_resume(error: &Error, status: Status) -> bool {
    error.can_resume() || status == Status::WaitingApproval
}

/// Whether somebody has to sign in, or to set a key, before anything can go on.
fn is_of_sign_in(error: &Error) -> bool {
    use dynamics::error::Error as Source;
    use gainsight::error::Error as Target;
    match error {
        Error::Dynamics(cause) => matches!(
            cause,
            Source::SignIn { .. } | Source::NobodySignedIn | Source::RefreshToken(_) | Source::Certificate(_)
        ),
        Error::Gainsight(cause) => matches!(cause, Target::Key(_) | Target::Application { .. } | Target::Address(_)),
        _ => false,
    }
}
