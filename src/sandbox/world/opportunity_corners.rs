//! The special opportunities of the generated world, by name.
//!
//! But for what their names say they are open, worth 25,000.50 US dollars, due on 2026-06-30, at 60 percent, of the
//! account that Gainsight has unchanged, and owned by a user. In: the seed. Out: ids.

use super::super::randomness::{Chance, Stream};

/// The ids of all special opportunities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpportunityCorners {
    /// One with nothing special about it.
    pub plain: String,
    /// One that is won, with its actual value and close date.
    pub won: String,
    /// One that is lost.
    pub lost: String,
    /// One without an estimated value.
    pub without_value: String,
    /// One worth 999.99.
    pub below_thousand: String,
    /// One without an estimated close date.
    pub without_close_date: String,
    /// One without an account; its potential customer is a contact.
    pub without_account: String,
    /// One of an account that never arrives in Gainsight (`account_void_name`).
    pub account_not_there: String,
    /// One of the account that matches two companies in Gainsight (`account_twice_there`).
    pub account_twice_there: String,
    /// One owned by a team.
    pub owned_by_team: String,
    /// One owned by a user (`user_late_manager`) whose `internalemailaddress` Gainsight has in another case.
    pub owner_email_case: String,
    /// One whose name starts and ends with blanks.
    pub blanks: String,
    /// One without a currency.
    pub without_currency: String,
    /// One in yen, which have no decimals.
    pub yen: String,
    /// One at 39 percent.
    pub probability_39: String,
    /// One at 40 percent.
    pub probability_40: String,
    /// One at 79 percent.
    pub probability_79: String,
    /// One at 80 percent.
    pub probability_80: String,
    /// One whose close text is no date: `soon`.
    pub close_text_unreadable: String,
    /// One whose close text is a date: `2026-03-31`.
    pub close_text_readable: String,
}

/// Draws the ids from a sequence of their own, so that those of other tables stay as they are.
pub(super) fn drawn(seed: u64) -> OpportunityCorners {
    let mut chance = Chance::new(seed, Stream::OpportunityCorners);
    OpportunityCorners {
        plain: chance.guid(),
        won: chance.guid(),
        lost: chance.guid(),
        without_value: chance.guid(),
        below_thousand: chance.guid(),
        without_close_date: chance.guid(),
        without_account: chance.guid(),
        account_not_there: chance.guid(),
        account_twice_there: chance.guid(),
        owned_by_team: chance.guid(),
        owner_email_case: chance.guid(),
        blanks: chance.guid(),
        without_currency: chance.guid(),
        yen: chance.guid(),
        probability_39: chance.guid(),
        probability_40: chance.guid(),
        probability_79: chance.guid(),
        probability_80: chance.guid(),
        close_text_unreadable: chance.guid(),
        close_text_readable: chance.guid(),
    }
}
