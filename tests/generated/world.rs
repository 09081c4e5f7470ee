//! Random rows: of the source, of the tables that paths lead to, of what lookups search, of the target.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::tables::{COMPANY, Field, Kind, Object, Shape};
use super::value::{ONE, T, V};

pub type Record = BTreeMap<String, V>;

/// The value of a column; null if the row says nothing of it.
pub fn cell(record: &Record, column: &str) -> V {
    record.get(column).cloned().unwrap_or(V::Null)
}

/// Everything that both services hold.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// In the order in which it is read.
    pub source: Vec<Record>,
    /// By table.
    pub related: BTreeMap<&'static str, Vec<Record>>,
    /// By object or table.
    pub searched: BTreeMap<&'static str, Vec<Record>>,
    /// The records of the job's target.
    pub target: Vec<Record>,
}

const NAMES: [&str; 9] = ["Ada", "ada", "ADA", " Ada ", "Bob", "bob", "", "Ärger", "ärger"];
const ODD: [&str; 18] = [
    "42",
    "-7",
    "007",
    "4.2",
    "12.50",
    "-0.005",
    "true",
    "FALSE",
    "2026-03-31",
    "2026-02-30",
    "2026-03-29T02:30:00",
    "2026-10-25T02:30:00",
    "2026-03-31 07:05",
    "yes",
    "2026-03-31T10:00:00Z",
    "soon",
    "",
    "Commit",
];
const EMAILS: [&str; 5] = ["ada@x.com", "ADA@X.com", "bob@x.com", "cy@x.com", ""];
const STEPS: [&str; 8] = ["k1", "K1", "k2", "k3", "k4", "k5", "", "it's; 100 %"];
const WHOLE: [i64; 9] = [0, 1, 7, 42, 80, 100, -3, 4_000_000_000, 12];
const EXACT: [i128; 10] = [
    0,
    ONE,
    ONE / 2,
    10 * ONE + ONE / 4,
    -3 * ONE,
    1_234_567_890,
    999 * ONE + 5 * ONE / 1000,
    -ONE / 8,
    1_000_000 * ONE,
    15 * ONE / 10,
];
const DAYS: [i64; 7] = [20_000, 20_541, 20_542, 20_543, 20_602, 0, 20_757];
/// Among them moments before and in the jumps of Berlin's and New York's clocks.
const MOMENTS: [i64; 10] = [
    1_774_744_200_000,
    1_774_747_800_000,
    1_792_884_600_000,
    1_792_888_200_000,
    1_772_951_400_000,
    1_772_955_000_000,
    1_793_511_000_000,
    1_793_514_600_000,
    0,
    1_774_915_199_000,
];
pub const ACCOUNTS: [&str; 5] = ["a1", "a2", "a3", "a4", "a5"];

/// A value for a column, by its name where that says more than its type.
fn drawn(column: &str, of: T, dice: &mut Dice) -> V {
    if dice.maybe(15) && column != "statecode" {
        return V::Null;
    }
    match (column, of) {
        ("new_closetext" | "accountnumber", _) => V::text(dice.pick(&ODD)),
        ("stepname" | "address1_city" | "BillingAddress" | "department" | "Title", _) => V::text(dice.pick(&STEPS)),
        ("internalemailaddress" | "Email" | "emailaddress1" | "description", _) => V::text(dice.pick(&EMAILS)),
        ("Dynamics_Account_ID__gc", _) => V::text(dice.pick(&["a1", "A1", "{a1}", "a2", "{A3}", "a3", "a4"])),
        ("parentaccountid" | "parentcustomerid", _) => V::text(dice.pick(&ACCOUNTS)),
        ("statecode" | "opportunityratingcode", _) => V::Whole(dice.pick(&[1, 1, 1, 1, 1, 1, 0, 0, 2, 9])),
        (_, T::Text) if dice.maybe(5) => V::Text("long ".repeat(30)),
        (_, T::Text | T::Id | T::Gsid) => V::text(dice.pick(&NAMES)),
        (_, T::Whole | T::Choice) => V::Whole(dice.pick(&WHOLE)),
        (_, T::Exact) => V::Exact(dice.pick(&EXACT)),
        (_, T::Flag) => V::Flag(dice.maybe(50)),
        (_, T::Day) => V::Day(dice.pick(&DAYS)),
        (_, T::Moment) => V::Moment(dice.pick(&MOMENTS)),
    }
}

/// Rows of everything; the target is filled by `holding`.
pub fn world(shape: &Shape, dice: &mut Dice) -> World {
    let mut world = World::default();
    let count = dice.below(13);
    for number in 0..count {
        let mut row = source_row(shape, number, dice);
        // The same row read twice: the later version counts. Accounts are also what paths lead to, so they come once.
        if number > 0 && shape.table != "account" && dice.maybe(6) {
            let id = shape.columns[0].field;
            row.insert(id.to_owned(), cell(&world.source[dice.below(number)], id));
        }
        world.source.push(row);
    }
    world.related = related(shape, &world.source, dice);
    for object in shape.searched {
        let count = dice.below(9);
        let records = (0..count).map(|number| searched(object, number, dice)).collect();
        world.searched.insert(object.name, records);
    }
    world
}

fn source_row(shape: &Shape, number: usize, dice: &mut Dice) -> Record {
    let mut row = Record::new();
    for column in shape.columns.iter().filter(|c| c.hops.is_empty()) {
        row.insert(column.field.to_owned(), drawn(column.field, column.of, dice));
    }
    let id = if shape.table == "account" { format!("a{}", number + 1) } else { format!("o{:02}", number + 1) };
    row.insert(shape.columns[0].field.to_owned(), V::Text(id));
    owned(&mut row, dice);
    row
}

/// A user or a team, and which of them.
fn owned(row: &mut Record, dice: &mut Dice) {
    let (id, table) = dice.pick(&[("u1", "systemuser"), ("u2", "systemuser"), ("u9", "systemuser"), ("t1", "team")]);
    row.insert("ownerid".to_owned(), V::text(id));
    row.insert("ownerid@type".to_owned(), V::text(table));
}

fn related(shape: &Shape, source: &[Record], dice: &mut Dice) -> BTreeMap<&'static str, Vec<Record>> {
    let rows = |table: &str, ids: &[&str], columns: &[(&str, T)], dice: &mut Dice| -> Vec<Record> {
        let row = |id: &&str| {
            let mut row: Record = columns.iter().map(|(c, of)| ((*c).to_owned(), drawn(c, *of, dice))).collect();
            row.insert(format!("{table}id"), V::text(id));
            if table == "account" {
                owned(&mut row, dice);
            }
            row
        };
        ids.iter().map(row).collect()
    };
    let account =
        [("name", T::Text), ("numberofemployees", T::Whole), ("statecode", T::Choice), ("parentaccountid", T::Id)];
    let user = [("lastname", T::Text), ("internalemailaddress", T::Text)];
    let accounts =
        if shape.table == "account" { source.to_vec() } else { rows("account", &ACCOUNTS[..4], &account, dice) };
    BTreeMap::from([
        ("account", accounts),
        ("systemuser", rows("systemuser", &["u1", "u2"], &user, dice)),
        ("team", rows("team", &["t1"], &[("name", T::Text)], dice)),
    ])
}

fn searched(object: &Object, number: usize, dice: &mut Dice) -> Record {
    let mut record: Record =
        object.fields[1..].iter().map(|f| (f.name.to_owned(), drawn(f.name, f.of, dice))).collect();
    // Not in the order of the rows, so that the smallest id is not simply the first.
    let id = format!("1P-{}{number}", dice.below(10));
    record.insert(object.fields[0].name.to_owned(), V::Text(id));
    if object.name == COMPANY.name {
        record
            .entry("Employees".to_owned())
            .and_modify(|v| *v = if let V::Exact(n) = v { V::Exact(super::convert::rounded(*n, 0)) } else { V::Null });
    }
    record
}

/// A value that a field of the target may hold, in stored form.
pub fn stored(field: &Field, dice: &mut Dice) -> V {
    let of = match field.kind {
        Kind::Picklist => return V::text(dice.pick(field.items)),
        Kind::Gsid => return V::text("1P-00"),
        Kind::Number(digits) => return V::Exact(super::convert::rounded(dice.pick(&EXACT), digits)),
        Kind::Text | Kind::Email | Kind::Url => T::Text,
        Kind::Flag => T::Flag,
        Kind::Day => T::Day,
        Kind::Moment => T::Moment,
    };
    match drawn(field.name, of, dice) {
        V::Text(text) if text.is_empty() => V::Null,
        other => other,
    }
}
