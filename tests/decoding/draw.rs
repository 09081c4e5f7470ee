//! Pages by chance: right ones, slightly wrong ones, and what becomes of them on a bad way.

use crate::generated::dice::Dice;

/// What values of a column are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sort {
    Text,
    Id,
    Item,
    Items,
    Whole,
    Decimal,
    Truth,
    Day,
    Moment,
}

const PLAIN: [&str; 16] = [
    "a",
    "Ada",
    "B",
    " ",
    "ü",
    "ß€",
    "𝒳",
    "\\n",
    "\\u00fc",
    "\\u00FC",
    "\\ud835\\udcb3",
    "\\\"",
    "\\\\",
    "\\/",
    "\\u0000",
    "Met at the fair, wants a call back in spring",
];
const BROKEN_TEXTS: [&[u8]; 10] =
    [b"\\ud800", b"\\udc00", b"\\ud800\\u0041", b"\\x", b"\\u12g4", b"\x01", b"\n", b"\xff", b"\xc3", b"\xed\xa0\x80"];
const NUMBERS: [&str; 23] = [
    "0",
    "-0",
    "7",
    "-17",
    "1.5",
    "1.50",
    "-0.005",
    "0.015",
    "2.675",
    "0.1234567891234",
    "1e5",
    "1E-3",
    "-2.50e+2",
    "123456789012345678",
    "1234567890123456789",
    "9223372036854775807",
    "9223372036854775808",
    "0.00001",
    "1e-400",
    "0e999",
    "12345678901234567890.125",
    "9007199254740993.5",
    "99999999999999999999999999999999999999999",
];
const BROKEN_NUMBERS: [&str; 9] = ["01", "1.", "+1", ".5", "-", "1e", "1e+", "1e400", "0x1"];
const DAYS: [&str; 14] = [
    "2024-02-29",
    "2023-02-29",
    "1970-01-01",
    "1969-12-31",
    "1900-02-29",
    "2000-02-29",
    "0000-01-01",
    "9999-12-31",
    "2024-13-01",
    "2024-00-10",
    "2024-04-31",
    "2024-1-1",
    "2024-02-29T23:59:59Z",
    "+2024-01-01",
];
const MOMENTS: [&str; 19] = [
    "2024-02-29T13:14:15Z",
    "1969-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2024-02-29T13:14:15.123Z",
    "2024-02-29T13:14:15.1234567Z",
    "2024-02-29T13:14:15+01:00",
    "2024-02-29T13:14:15.000+0000",
    "2024-02-29T13:14:15",
    "2024-02-29 13:14:15",
    "2024-02-29T23:59:60Z",
    "2024-02-29T24:00:00Z",
    "2024-02-30T00:00:00Z",
    "2024-02-29t13:14:15z",
    "soon",
    "1709212455000",
    "-1",
    "-0",
    "2024-02-29",
];
const ITEMS: [&str; 5] = ["i1", "i2", "i3", "none", ""];

/// A page under way.
pub struct Pen<'d> {
    pub dice: &'d mut Dice,
    pub out: Vec<u8>,
    /// Of a thousand values so many are wrong.
    pub wrong: usize,
    /// Whether there are blanks where there may be some.
    pub blanks: bool,
}

impl Pen<'_> {
    pub fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn is_wrong(&mut self) -> bool {
        self.dice.below(1_000) < self.wrong
    }

    pub fn blank(&mut self) {
        while self.blanks && self.dice.maybe(30) {
            let blank = self.dice.pick(&[" ", "\n", "\t", "\r\n", "  "]);
            self.put(blank);
        }
    }

    /// A character that separates, with blanks around it.
    pub fn mark(&mut self, mark: &str) {
        self.blank();
        self.put(mark);
        self.blank();
    }

    /// A name, in one of its spellings, and the colon.
    pub fn name(&mut self, name: &str) {
        self.put("\"");
        if self.dice.maybe(3) {
            let mut letters = name.chars();
            let first = letters.next().map_or(0, u32::from);
            self.put(&format!("\\u{first:04x}{}", letters.as_str()));
        } else {
            self.put(name);
        }
        self.put("\"");
        self.mark(":");
    }

    fn text(&mut self) {
        self.put("\"");
        for _ in 0..self.dice.below(5) {
            let piece = self.dice.pick(&PLAIN);
            self.put(piece);
            if self.is_wrong() {
                let broken = self.dice.pick(&BROKEN_TEXTS);
                self.out.extend_from_slice(broken);
            }
        }
        self.put("\"");
    }

    fn quoted(&mut self, text: &str) {
        self.put(&format!("\"{text}\""));
    }

    fn number(&mut self) -> &'static str {
        if self.is_wrong() { self.dice.pick(&BROKEN_NUMBERS) } else { self.dice.pick(&NUMBERS) }
    }

    /// Anything at all.
    pub fn any(&mut self, deep: usize) {
        match self.dice.below(if deep == 0 { 5 } else { 7 }) {
            0 => self.put("null"),
            1 => self.put("true"),
            2 => {
                let number = self.number();
                self.put(number);
            }
            3 => self.text(),
            4 => {
                let word = if self.is_wrong() { "nul" } else { "false" };
                self.put(word);
            }
            5 => self.list(deep),
            _ => {
                self.put("{");
                self.blank();
                for at in 0..self.dice.below(4) {
                    if at > 0 {
                        self.mark(",");
                    }
                    self.name("else");
                    self.any(deep - 1);
                }
                self.blank();
                self.put("}");
            }
        }
    }

    fn list(&mut self, deep: usize) {
        self.put("[");
        self.blank();
        for at in 0..self.dice.below(4) {
            if at > 0 {
                self.mark(",");
            }
            self.any(deep - 1);
        }
        self.blank();
        let closing = if self.is_wrong() { "}" } else { "]" };
        self.put(closing);
    }

    /// A value of a sort, or now and then another one.
    pub fn value(&mut self, sort: Sort) {
        if self.dice.maybe(15) {
            return self.put("null");
        }
        if self.is_wrong() {
            return self.any(2);
        }
        match sort {
            Sort::Text => self.text(),
            Sort::Id => {
                let id = self.dice.pick(&["00AA00bb-0000-4000-8000-00000000000F", "1P01ABC", "", "ÜB-A"]);
                self.quoted(id);
            }
            Sort::Item => {
                let item = self.dice.pick(&ITEMS);
                self.quoted(item);
            }
            Sort::Items if self.dice.maybe(30) => self.put("[\"i1\", \"i2\",7]"),
            Sort::Items => {
                let items: Vec<&str> = (0..self.dice.below(4)).map(|_| self.dice.pick(&ITEMS)).collect();
                self.quoted(&items.join(";"));
            }
            Sort::Truth => {
                let word = self.dice.pick(&["true", "false"]);
                self.put(word);
            }
            Sort::Whole if self.dice.maybe(80) => self.number_of(&["0", "7", "-17", "123456", "9223372036854775807"]),
            Sort::Decimal if self.dice.maybe(80) => {
                self.number_of(&["0", "1.5", "-0.005", "2.675", "1e5", "0.1234567891234"])
            }
            Sort::Whole | Sort::Decimal => {
                let number = self.number();
                if self.dice.maybe(30) { self.quoted(number) } else { self.put(number) }
            }
            Sort::Day => self.written(&DAYS),
            Sort::Moment => self.written(&MOMENTS),
        }
    }

    fn number_of(&mut self, list: &[&'static str]) {
        let number = self.dice.pick(list);
        if self.dice.maybe(10) { self.quoted(number) } else { self.put(number) }
    }

    /// The first of them mostly, as most of the others are wrong for one service or the other.
    fn written(&mut self, list: &[&'static str]) {
        let text = if self.dice.maybe(90) { list[0] } else { self.dice.pick(list) };
        if text.parse::<i64>().is_ok() && self.dice.maybe(80) { self.put(text) } else { self.quoted(text) }
    }
}

/// Bytes as they arrive from a bad way: some changed, some missing, some twice.
pub fn harmed(dice: &mut Dice, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(2) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = dice.below(bytes.len());
        match dice.below(6) {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => bytes[at] = dice.pick(b"\"\\{}[],:0-eE.ntf \n\x00\x1f\x7f\x80\xff"),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, dice.pick(b"\"\\{}[],:0-eE.ntf \n\x00\x1f\x7f\x80\xff")),
            4 => bytes.truncate(at),
            _ => {
                let end = (at + dice.below(30)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let place = dice.below(bytes.len());
                bytes.splice(place..place, piece);
            }
        }
    }
    bytes
}
