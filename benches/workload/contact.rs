//! One contact: what Dynamics says of it, and what befalls it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::{COMPANIES, Mix, ROWS_PER_PAGE, USERS, Workload};

const SEED: u64 = 8;
const FIRST: [&str; 16] = [
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Elena",
    "Farid",
    "Grace",
    "Hiroshi",
    "Inés",
    "João",
    "Karin",
    "Linus",
    "Maëlle",
    "Nadia",
    "Oluwaseun",
    "Priya",
];
const LAST: [&str; 16] = [
    "Lovelace",
    "Ångström",
    "Dubois",
    "Ivanov",
    "García",
    "Haddad",
    "Hopper",
    "Tanaka",
    "Núñez",
    "Silva",
    "Müller",
    "Torvalds",
    "Lefèvre",
    "Petrova",
    "Adeyemi",
    "Raman",
];
const TITLES: [&str; 8] = [
    "Head of Customer Success",
    "VP, Operations",
    "Data Analyst",
    "Director \"EMEA\"",
    "Chief Executive Officer",
    "Procurement Manager",
    "Engineer R&D",
    "Administrator",
];
const CITIES: [(&str, &str); 8] = [
    ("Amsterdam", "Netherlands"),
    ("Zürich", "Switzerland"),
    ("San Francisco", "United States"),
    ("São Paulo", "Brazil"),
    ("Hyderabad", "India"),
    ("London", "United Kingdom"),
    ("Sydney", "Australia"),
    ("Kraków", "Poland"),
];
const NOTES: [&str; 4] = [
    "Met at the fair; asked for a call.\\r\\nPrefers mail.",
    "Discussed with procurement. Sent the \\\"order form\\\".",
    "Champion of the rollout.\\nWants the roadmap in spring.",
    "Imported from a list, not qualified yet, no answer.",
];

/// What becomes of a contact's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The target holds it as it should be.
    Same,
    /// It holds something else.
    Changed,
    /// It does not hold it.
    New,
}

/// A contact.
pub struct Contact {
    /// Its number, from 0.
    pub number: u64,
    pub first: String,
    pub last: String,
    pub email: Option<String>,
    pub title: Option<String>,
    pub phone: Option<String>,
    pub street: String,
    pub city: &'static str,
    pub country: &'static str,
    /// As it stands in JSON.
    pub note: &'static str,
    /// The number of its account; those beyond [`accounts_held`] are not in Gainsight.
    pub account: u64,
    /// The number of its owner; those beyond [`owners_held`] are not in Gainsight.
    pub owner: u64,
    pub is_active: bool,
    /// Seconds since 1970.
    pub modified: i64,
    pub fate: Fate,
}

/// How many different accounts Gainsight's companies are of.
pub fn accounts_held(mix: &Mix) -> u64 {
    COMPANIES - COMPANIES * mix.doubled / 1_000
}

/// How many different owners Gainsight's users are of.
pub fn owners_held(mix: &Mix) -> u64 {
    USERS - USERS * mix.doubled / 1_000
}

/// The id of a row of Dynamics: the same for the same table and number, and no two alike.
pub fn guid(table: u64, number: u64) -> String {
    // Both are one to one, so numbers that differ stay apart.
    let high = mixed(number.wrapping_mul(4).wrapping_add(table));
    let low = mixed(high);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

pub const ACCOUNT: u64 = 1;
pub const USER: u64 = 2;
pub const CONTACT: u64 = 3;

/// The contacts of a page.
pub fn contacts(workload: &Workload, page: u64) -> impl Iterator<Item = Contact> {
    let mut chance = ChaCha8Rng::seed_from_u64(SEED);
    chance.set_stream(page);
    let mix = workload.mix;
    debug_assert!(workload.rows_of(page).count() as u64 <= ROWS_PER_PAGE);
    workload.rows_of(page).map(move |number| drawn(number, &mix, &mut chance))
}

fn drawn(number: u64, mix: &Mix, chance: &mut ChaCha8Rng) -> Contact {
    let mut below = |most: u64| chance.next_u64() % most;
    let (first, last) = (FIRST[below(16) as usize], LAST[below(16) as usize]);
    let (blank, name) = (below(10), format!("{}.{}{number}", ascii(first), ascii(last)));
    let email = match below(40) {
        0 => None,
        1..4 => Some(format!(" {name}@Contoso.Example ")),
        4..10 => Some(format!("{}@FABRIKAM.EXAMPLE", name.to_uppercase())),
        other => Some(format!("{name}@customer{}.example.com", other * 37 + number % 1_000)),
    };
    let title = (below(10) > 0).then(|| format!("{}{}", TITLES[below(8) as usize], if blank == 1 { " " } else { "" }));
    let phone = (below(20) > 0).then(|| format!("+{} {:03} {:07}", 1 + below(98), below(1_000), below(10_000_000)));
    let (city, country) = CITIES[below(8) as usize];
    let street = format!("{} Harbour Street, Floor {}", 1 + below(999), 1 + below(40));
    let (note, is_active) = (NOTES[below(4) as usize], below(1_000) >= mix.inactive);
    let account = held_or_not(below(1_000) < mix.without_company, below(1 << 40), accounts_held(mix));
    let owner = held_or_not(below(1_000) < mix.without_owner, below(1 << 40), owners_held(mix));
    let (modified, fate) = (1_700_000_000 + below(60_000_000) as i64, below(1_000));
    let fate = match fate {
        drawn if drawn < mix.new => Fate::New,
        drawn if drawn < mix.new + mix.changed => Fate::Changed,
        _ => Fate::Same,
    };
    let first = if blank == 0 { format!(" {first}") } else { first.to_owned() };
    let last = if blank == 2 { format!("{last}  ") } else { last.to_owned() };
    Contact {
        number,
        first,
        last,
        email,
        title,
        phone,
        street,
        city,
        country,
        note,
        account,
        owner,
        is_active,
        modified,
        fate,
    }
}

/// A number below `held`, or of those that are not held one beyond it.
fn held_or_not(is_missing: bool, drawn: u64, held: u64) -> u64 {
    if is_missing { held + drawn % held } else { drawn % held }
}

fn ascii(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphabetic).collect()
}

/// Spreads numbers over all 64 bits, one to one (the finaliser of `SplitMix64`).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Contact {
    pub fn id(&self) -> String {
        guid(CONTACT, self.number)
    }

    pub fn account_id(&self) -> String {
        guid(ACCOUNT, self.account)
    }

    pub fn owner_id(&self) -> String {
        guid(USER, self.owner)
    }
}
