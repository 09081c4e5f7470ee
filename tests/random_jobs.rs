//! Random jobs and expressions.

use super::{NUMBERS, Script};

impl Script {
    pub(super) fn job(&mut self) {
        self.word("JOB");
        self.name();
        for _ in 0..self.below(4) {
            self.head_clause(false);
        }
        let verb = self.one_of(&["AS UPSERT INTO", "AS INSERT INTO", "AS UPDATE"]).to_owned();
        self.word(&verb);
        self.list(2, Self::object);
        if self.maybe(80) {
            self.word("KEY");
            self.put("(");
            self.list(3, |s| {
                s.target_field();
                if s.maybe(30) {
                    s.word("IGNORE CASE");
                }
            });
            self.put(")");
        }
        if self.maybe(40) {
            self.word("WHEN DUPLICATE KEY THEN");
            match self.below(3) {
                0 => self.word("REJECT"),
                1 => self.word("ERROR"),
                _ => {
                    self.word("KEEP LATEST BY");
                    self.sum(2);
                }
            }
        }
        self.word("SELECT");
        self.list(3, |s| {
            s.expression(3);
            s.word("AS");
            s.target_field();
        });
        self.from();
        for _ in 0..self.below(3) {
            self.lookup();
        }
        if self.maybe(60) {
            self.word("WHERE");
            self.expression(3);
        }
        for _ in 0..self.below(2) {
            self.word("REQUIRE");
            self.expression(2);
            self.word("ELSE REJECT");
            self.text();
        }
        for _ in 0..self.below(4) {
            self.late_clause();
        }
    }

    fn from(&mut self) {
        self.word("FROM");
        if self.maybe(50) {
            self.word("CHANGES OF");
        }
        self.object();
        self.word("AS");
        self.plain();
        if self.maybe(20) {
            self.word("BY");
            self.name();
        }
        if self.maybe(20) {
            self.word("LAG");
            self.length();
        }
        if self.maybe(20) {
            self.word("FULL EVERY");
            self.length();
        }
    }

    fn lookup(&mut self) {
        self.word("LOOKUP");
        self.object();
        self.word("AS");
        self.plain();
        self.word("ON");
        for n in 0..=self.below(4) {
            if n > 0 {
                self.word("AND");
            }
            self.plain();
            self.put(".");
            self.name();
            self.put("=");
            self.sum(2);
            if self.maybe(30) {
                self.word("IGNORE CASE");
            }
        }
        if self.maybe(20) {
            self.word("AFTER LOAD");
        }
        if self.maybe(90) {
            self.word("WHEN MULTIPLE MATCHED THEN");
            match self.below(3) {
                0 => self.word("ERROR"),
                1 => self.word("USE ANY"),
                _ => {
                    self.word("USE FIRST BY");
                    self.list(3, |s| {
                        s.plain();
                        s.put(".");
                        s.name();
                        if s.maybe(50) {
                            let way = s.one_of(&["ASC", "DESC"]).to_owned();
                            s.word(&way);
                        }
                    });
                }
            }
        }
        if self.maybe(90) {
            self.word("WHEN NOT MATCHED THEN");
            if self.maybe(40) {
                self.word("REJECT");
            } else {
                self.word("USE");
                self.literal();
            }
        }
    }

    fn late_clause(&mut self) {
        match self.below(6) {
            0 => self.word("ON ERROR STOP"),
            1 => {
                self.word("ON ERROR CONTINUE UP TO");
                self.put("5");
                let what = self.one_of(&["ROWS", "PERCENT"]).to_owned();
                self.word(&what);
            }
            2 | 3 => {
                let when = self.one_of(&["ON SOURCE DELETE", "ON SOURCE LEAVE"]).to_owned();
                self.word(&when);
                match self.below(3) {
                    0 => self.word("IGNORE"),
                    1 => self.word("DELETE"),
                    _ => {
                        self.word("SET");
                        self.list(2, |s| {
                            s.target_field();
                            s.put("=");
                            s.sum(1);
                        });
                    }
                }
            }
            4 => {
                let what = self.one_of(&["CHOICE ERROR", "CHOICE TEXT", "ITEM NULL", "ITEM ERROR"]).to_owned();
                self.word("ON UNKNOWN");
                self.word(&what);
            }
            _ => {
                self.word("LOAD FIRST BY");
                self.sum(2);
                if self.maybe(50) {
                    self.word("DESC");
                }
            }
        }
    }

    /// A condition or a value.
    fn expression(&mut self, depth: u64) {
        if depth == 0 || self.maybe(40) {
            return self.sum(depth);
        }
        match self.below(8) {
            0 | 1 => {
                for n in 0..=self.below(3) {
                    if n > 0 {
                        let way = self.one_of(&["AND", "OR"]).to_owned();
                        self.word(&way);
                    }
                    self.expression(depth - 1);
                }
            }
            2 => {
                self.word("NOT");
                self.expression(depth - 1);
            }
            3 => {
                self.sum(depth - 1);
                let test = self.one_of(&["IS NULL", "IS NOT NULL"]).to_owned();
                self.word(&test);
            }
            4 => {
                self.sum(depth - 1);
                if self.maybe(50) {
                    self.word("NOT");
                }
                self.word("IN");
                self.put("(");
                self.list(4, Self::literal);
                self.put(")");
            }
            5 => {
                self.sum(depth - 1);
                self.word("BETWEEN");
                self.sum(depth - 1);
                self.word("AND");
                self.sum(depth - 1);
            }
            6 => {
                self.sum(depth - 1);
                let like = self.one_of(&["LIKE", "NOT LIKE", "ILIKE"]).to_owned();
                self.word(&like);
                self.text();
            }
            _ => {
                self.sum(depth - 1);
                let sign = self.one_of(&["=", "<>", "!=", "<", "<=", ">", ">=", "=="]).to_owned();
                self.put(&sign);
                self.sum(depth - 1);
            }
        }
    }

    fn sum(&mut self, depth: u64) {
        for n in 0..=self.below(if depth > 1 { 3 } else { 1 }) {
            if n > 0 {
                let sign = self.one_of(&["||", "+", "-", "*", "/", "%"]).to_owned();
                self.put(&sign);
            }
            if self.maybe(10) {
                self.put("-");
            }
            self.primary(depth.saturating_sub(1));
        }
    }

    fn primary(&mut self, depth: u64) {
        match self.below(if depth == 0 { 4 } else { 8 }) {
            0 => {
                let number = self.one_of(&NUMBERS).to_owned();
                self.tokens.push(number);
            }
            1 => self.literal(),
            2 | 3 => self.path(),
            4 => {
                self.put("(");
                self.expression(depth);
                self.put(")");
            }
            5 => {
                let function = self.one_of(&["TRIM", "coalesce", "Label", "COUNT", "keep"]).to_owned();
                self.put(&function);
                self.put("(");
                if self.maybe(10) {
                    self.put("*")
                } else {
                    self.list(3, |s| s.expression(depth - 1))
                }
                self.put(")");
            }
            6 => {
                let function = self.one_of(&["CAST", "try_cast", "Treat"]).to_owned();
                self.put(&function);
                self.put("(");
                self.expression(depth - 1);
                self.word("AS");
                let of = self.one_of(&["DATE", "text", "systemuser"]).to_owned();
                self.put(&of);
                self.put(")");
                if self.maybe(40) {
                    self.put(".");
                    self.name();
                }
            }
            _ => self.case(depth - 1),
        }
    }

    fn case(&mut self, depth: u64) {
        self.word("CASE");
        if self.maybe(30) {
            self.sum(depth);
        }
        for _ in 0..=self.below(3) {
            self.word("WHEN");
            self.expression(depth);
            self.word("THEN");
            self.expression(depth);
        }
        if self.maybe(60) {
            self.word("ELSE");
            self.expression(depth);
        }
        self.word("END");
    }

    fn path(&mut self) {
        self.plain();
        for _ in 0..self.below(3) {
            self.put(".");
            self.name();
        }
    }
}
