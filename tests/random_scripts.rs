//! Scripts that follow the grammar and mean nothing: every clause and every form, from a seed.
//!
//! A script is made as a list of tokens and then written down with random blanks, comments and cases of keywords, so that
//! whoever reads it again has to find the same tokens.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// One random script of a few statements.
pub fn script(seed: u64) -> String {
    let mut made = Script { dice: ChaCha8Rng::seed_from_u64(seed), tokens: Vec::new() };
    for _ in 0..=made.below(2) {
        made.statement();
    }
    made.written()
}

struct Script {
    dice: ChaCha8Rng,
    tokens: Vec<String>,
}

const WORDS: [&str; 12] =
    ["account", "Name", "select_", "label", "a1", "_x", "keep", "latest", "day", "rows", "Company", "text"];
const QUOTED: [&str; 7] =
    ["\"Field\"", "\"two words\"", "\"a \"\"b\"\"\"", "\"-- none\"", "\"/*x*/\"", "\"ä;ö\"", "\"select\""];
const TEXTS: [&str; 8] = ["'x'", "''", "'it''s'", "'-- none'", "'a;b'", "'two\nlines'", "'/*'", "'ü\"'"];
const NUMBERS: [&str; 6] = ["0", "42", "4.25", "007", "99999999999999999999", "1.0"];
const COMMENTS: [&str; 5] = ["-- said\n", "--\n", "/* in between */", "/* two\n   lines */", "-- it's; \"odd\"\n"];

impl Script {
    fn below(&mut self, most: u64) -> u64 {
        self.dice.next_u64() % most
    }

    fn maybe(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }

    fn put(&mut self, words: &str) {
        self.tokens.extend(words.split(' ').filter(|w| !w.is_empty()).map(str::to_owned));
    }

    /// A keyword or several, in a random case.
    fn word(&mut self, words: &str) {
        for word in words.split(' ') {
            let text = match self.below(4) {
                0 => word.to_lowercase(),
                1 => {
                    word.chars().enumerate().map(|(n, c)| if n % 2 == 0 { c.to_ascii_lowercase() } else { c }).collect()
                }
                _ => word.to_owned(),
            };
            self.tokens.push(text);
        }
    }

    fn text(&mut self) {
        let text = self.one_of(&TEXTS).to_owned();
        self.tokens.push(text);
    }

    fn plain(&mut self) {
        let word = self.one_of(&WORDS).to_owned();
        self.tokens.push(word);
    }

    fn name(&mut self) {
        let name = if self.maybe(50) { self.one_of(&WORDS) } else { self.one_of(&QUOTED) };
        self.tokens.push(name.to_owned());
    }

    /// Some of a kind with commas between them.
    fn list(&mut self, most: u64, mut one: impl FnMut(&mut Self)) {
        for n in 0..=self.below(most) {
            if n > 0 {
                self.put(",");
            }
            one(self);
        }
    }

    fn object(&mut self) {
        self.name();
        self.put(".");
        self.name();
    }

    fn target_field(&mut self) {
        self.name();
        if self.maybe(40) {
            self.put(".");
            self.name();
        }
    }

    fn length(&mut self) {
        if self.maybe(50) {
            let short = self.one_of(&["5m", "4h", "7d", "30s"]).to_owned();
            self.tokens.push(short);
        } else {
            self.put("7");
            let unit = self.one_of(&["DAYS", "HOURS", "minute", "weeks", "SECOND"]).to_owned();
            self.word(&unit);
        }
    }

    fn statement(&mut self) {
        self.word("CREATE");
        match self.below(8) {
            0 => self.connection(),
            1 => self.settings(),
            2 => self.chain(),
            3 => self.test(),
            _ => self.job(),
        }
        self.put(";");
    }

    fn connection(&mut self) {
        self.word("CONNECTION");
        self.name();
        if self.maybe(40) {
            self.word("LABEL");
            self.text();
        }
        self.word("TO");
        let service = self.one_of(&["DYNAMICS", "GAINSIGHT", "SMTP"]).to_owned();
        self.word(&service);
        for _ in 0..self.below(5) {
            match self.below(6) {
                0 => {
                    self.word("URL");
                    self.text();
                }
                1 => {
                    self.word("AUTH");
                    self.plain();
                    self.put("(");
                    self.list(5, |s| {
                        s.plain();
                        s.put("=");
                        s.secret();
                    });
                    self.put(")");
                }
                2 => {
                    self.word("LIMITS");
                    self.put("(");
                    self.list(4, |s| {
                        s.plain();
                        s.put("= 50");
                    });
                    self.put(")");
                }
                3 => {
                    self.word("COMPANY RESOLVED BY");
                    self.put("(");
                    self.plain();
                    self.put("=");
                    self.object();
                    self.put(".");
                    self.name();
                    self.put(")");
                }
                4 => {
                    self.word("PERSON RESOLVED BY");
                    self.put("(");
                    self.list(2, Self::target_field);
                    self.put(")");
                }
                _ => {
                    self.word("FROM");
                    self.text();
                }
            }
        }
    }

    fn secret(&mut self) {
        if self.maybe(70) {
            self.word("SECRET");
        }
        self.text();
    }

    fn settings(&mut self) {
        self.word("SETTINGS");
        self.put("(");
        self.list(6, |s| {
            s.plain();
            s.put("=");
            if s.maybe(50) { s.length() } else { s.secret() }
        });
        self.put(")");
    }

    fn head_clause(&mut self, of_chain: bool) {
        match self.below(5) {
            0 => {
                self.word("COMMENT");
                self.text();
            }
            1 => self.schedule(),
            2 => {
                self.word("NOTIFY");
                self.list(2, Self::text);
                self.word("ON");
                self.list(3, |s| {
                    let event = s.one_of(&["SUCCESS", "PARTIAL", "FAILURE"]).to_owned();
                    s.word(&event);
                });
            }
            3 if of_chain => {
                let action = self.one_of(&["ON FAILURE STOP", "ON FAILURE CONTINUE"]).to_owned();
                self.word(&action);
            }
            3 => {
                self.word("AFTER");
                self.list(2, Self::name);
            }
            _ if of_chain => self.word("ON FAILURE STOP"),
            _ => {
                self.word("TIME ZONE");
                self.text();
            }
        }
    }

    fn schedule(&mut self) {
        self.word("SCHEDULE");
        match self.below(6) {
            0 => {
                self.word("CRON");
                self.text();
            }
            1 => {
                self.word("EVERY");
                self.length();
            }
            2 => {
                self.word("EVERY MONTH ON DAY");
                self.put("1");
            }
            3 => {
                self.word("EVERY");
                self.list(3, |s| {
                    let day = s.one_of(&["MONDAY", "friday", "Sunday"]).to_owned();
                    s.tokens.push(day);
                });
                self.word("AT");
                self.list(2, Self::text);
            }
            n => self.word(if n == 4 { "EVERY DAY" } else { "EVERY WEEKDAY" }),
        }
        for (clause, chance) in [("IN", 40), ("FROM", 20), ("UNTIL", 20)] {
            if self.maybe(chance) {
                self.word(clause);
                self.text();
            }
        }
        if self.maybe(20) {
            let action = self.one_of(&["CATCH UP ONE", "CATCH UP ALL", "CATCH UP NONE"]).to_owned();
            self.word(&action);
        }
    }

    fn chain(&mut self) {
        self.word("CHAIN");
        self.name();
        for _ in 0..self.below(3) {
            self.head_clause(true);
        }
        self.word("AS RUN");
        self.list(2, Self::name);
        for _ in 0..self.below(3) {
            self.word("THEN RUN");
            self.list(2, Self::name);
        }
    }

    fn test(&mut self) {
        self.word("TEST");
        self.name();
        self.word("FOR");
        self.name();
        self.word("AS");
        for _ in 0..self.below(3) {
            self.word("GIVEN");
            if self.maybe(20) {
                self.word("NOW");
                self.text();
            } else {
                self.object();
                self.rows();
            }
        }
        for _ in 0..=self.below(2) {
            self.word("EXPECT");
            match self.below(4) {
                0 => self.word("REJECTS"),
                1 => self.word("ERRORS"),
                2 => self.word("UNCHANGED"),
                _ => self.object(),
            }
            if self.maybe(20) { self.word("NONE") } else { self.rows() }
        }
    }

    fn rows(&mut self) {
        self.put("(");
        self.list(4, Self::name);
        self.put(")");
        self.word("VALUES");
        self.list(4, |s| {
            s.put("(");
            s.list(4, Self::literal);
            s.put(")");
        });
    }

    fn literal(&mut self) {
        match self.below(7) {
            0 => self.word("TRUE"),
            1 => self.word("NULL"),
            2 => {
                let word = self.one_of(&["DATE", "TIMESTAMP", "INTERVAL", "DATETIME"]).to_owned();
                self.word(&word);
                self.text();
            }
            3 => {
                let number = self.one_of(&NUMBERS).to_owned();
                self.tokens.push(format!("-{number}"));
            }
            4 => {
                let number = self.one_of(&NUMBERS).to_owned();
                self.tokens.push(number);
            }
            _ => self.text(),
        }
    }
}

#[path = "random_jobs.rs"]
mod jobs;

impl Script {
    /// The tokens with something between them: always a blank, so that no two words become one.
    fn written(mut self) -> String {
        let mut text = String::new();
        for token in std::mem::take(&mut self.tokens) {
            text.push_str(&token);
            match self.below(24) {
                0 => text.push('\n'),
                1 => text.push_str("\n\n   "),
                2 => text.push_str("\r\n"),
                3 | 4 => {
                    text.push_str(if self.maybe(50) { "\n  " } else { "   " });
                    text.push_str(self.one_of(&COMMENTS));
                    text.push_str(if self.maybe(30) { "\n" } else { " " });
                }
                // Signs need no blanks around them, unless they would become another one.
                5..=9 if matches!(token.as_str(), "(" | "," | ".") => {}
                _ => text.push(' '),
            }
        }
        text
    }
}
