//! The special rows of the generated world, by name.
//!
//! Their ids depend on the seed alone, not on the number of rows. In: the seed. Out: ids.

use super::super::randomness::{Chance, Stream};
use super::opportunity_corners;
pub use super::opportunity_corners::OpportunityCorners;

/// The ids of all special rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corners {
    /// A user whose manager (`user_late_manager`) sorts later by key, so arrives later in the same run.
    pub user_manager_later: String,
    /// That manager.
    pub user_late_manager: String,
    /// A user whose manager is disabled (`user_disabled`) and so never arrives.
    pub user_manager_disabled: String,
    /// A disabled user.
    pub user_disabled: String,
    /// A user whose manager has no personal e-mail (`user_without_email`).
    pub user_manager_without_email: String,
    /// A user without a personal e-mail.
    pub user_without_email: String,
    /// A user without a `domainname`.
    pub user_without_username: String,
    /// A user with a `domainname` of 300 characters.
    pub user_long_username: String,
    /// A user with the same `domainname` as the next.
    pub user_same_username_first: String,
    /// A user with the same `domainname` as the one before.
    pub user_same_username_second: String,
    /// A user that Gainsight has under the same user name, with other names and another e-mail.
    pub user_already_there: String,
    /// A user that Gainsight has twice under the same user name.
    pub user_twice_there: String,
    /// A user whose personal e-mail Gainsight refuses by a rule of the tenant.
    pub user_refused: String,
    /// An account without a name.
    pub account_null_name: String,
    /// An account whose name has quotes, commas and a newline.
    pub account_quotes: String,
    /// An account with emoji in its name.
    pub account_emoji: String,
    /// An account with an Arabic and Hebrew name.
    pub account_right_to_left: String,
    /// An account whose name starts with `=`.
    pub account_formula: String,
    /// An account whose name starts and ends with blanks.
    pub account_blanks: String,
    /// An account without an industry.
    pub account_null_industry: String,
    /// An account that Gainsight has already, the same in every mapped field.
    pub account_unchanged: String,
    /// An account that Gainsight has already under another name.
    pub account_renamed: String,
    /// An account that matches two companies in Gainsight.
    pub account_twice_there: String,
    /// An account that Gainsight refuses, naming the field: negative employees.
    pub account_negative_employees: String,
    /// An account that Gainsight refuses without naming it: its name starts with `Void `.
    pub account_void_name: String,
    /// A contact without an e-mail.
    pub contact_without_email: String,
    /// A contact whose company does not exist.
    pub contact_unknown_company: String,
    /// A contact of the company that matches twice in Gainsight.
    pub contact_company_twice: String,
    /// A contact whose parent is a contact.
    pub contact_parent_contact: String,
    /// A contact without a parent.
    pub contact_without_parent: String,
    /// A contact with the same e-mail and company as the next.
    pub contact_same_company_first: String,
    /// A contact with the same e-mail and company as the one before; changed later.
    pub contact_same_company_second: String,
    /// A contact with the same e-mail as the next, at another company, with another first name.
    pub contact_two_companies_first: String,
    /// The other one; changed later.
    pub contact_two_companies_second: String,
    /// A contact whose e-mail differs from the next one's only by case, at another company.
    pub contact_case_first: String,
    /// The other one; changed later.
    pub contact_case_second: String,
    /// A contact with quotes and a comma in its names.
    pub contact_quotes: String,
    /// A contact with a newline in its name.
    pub contact_newline: String,
    /// A contact with emoji in its name.
    pub contact_emoji: String,
    /// A contact with an Arabic and Hebrew name.
    pub contact_right_to_left: String,
    /// A contact whose name starts with `=`.
    pub contact_formula: String,
    /// A contact whose names start and end with blanks.
    pub contact_blanks: String,
    /// A contact whose e-mail Gainsight refuses by a rule of the tenant.
    pub contact_refused: String,
    /// A contact with a last name of fifty letters of several bytes each.
    pub contact_multibyte: String,
    /// The special opportunities.
    pub opportunity: OpportunityCorners,
}

/// The ids of the special rows of a seed.
pub fn corners(seed: u64) -> Corners {
    drawn(&mut Chance::new(seed, Stream::World), opportunity_corners::drawn(seed))
}

/// Draws the ids; the world draws them first from the same sequence.
pub(super) fn drawn(chance: &mut Chance, opportunity: OpportunityCorners) -> Corners {
    let (one, other) = (chance.guid(), chance.guid());
    // The last group of a GUID weighs most in the service's order.
    let (earlier, later) = if one[24..] < other[24..] { (one, other) } else { (other, one) };
    Corners {
        user_manager_later: earlier,
        user_late_manager: later,
        user_manager_disabled: chance.guid(),
        user_disabled: chance.guid(),
        user_manager_without_email: chance.guid(),
        user_without_email: chance.guid(),
        user_without_username: chance.guid(),
        user_long_username: chance.guid(),
        user_same_username_first: chance.guid(),
        user_same_username_second: chance.guid(),
        user_already_there: chance.guid(),
        user_twice_there: chance.guid(),
        user_refused: chance.guid(),
        account_null_name: chance.guid(),
        account_quotes: chance.guid(),
        account_emoji: chance.guid(),
        account_right_to_left: chance.guid(),
        account_formula: chance.guid(),
        account_blanks: chance.guid(),
        account_null_industry: chance.guid(),
        account_unchanged: chance.guid(),
        account_renamed: chance.guid(),
        account_twice_there: chance.guid(),
        account_negative_employees: chance.guid(),
        account_void_name: chance.guid(),
        contact_without_email: chance.guid(),
        contact_unknown_company: chance.guid(),
        contact_company_twice: chance.guid(),
        contact_parent_contact: chance.guid(),
        contact_without_parent: chance.guid(),
        contact_same_company_first: chance.guid(),
        contact_same_company_second: chance.guid(),
        contact_two_companies_first: chance.guid(),
        contact_two_companies_second: chance.guid(),
        contact_case_first: chance.guid(),
        contact_case_second: chance.guid(),
        contact_quotes: chance.guid(),
        contact_newline: chance.guid(),
        contact_emoji: chance.guid(),
        contact_right_to_left: chance.guid(),
        contact_formula: chance.guid(),
        contact_blanks: chance.guid(),
        contact_refused: chance.guid(),
        contact_multibyte: chance.guid(),
        opportunity,
    }
}
