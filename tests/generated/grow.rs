//! Random expressions of a wanted type that a script may have at a given place.

use super::dice::Dice;
use super::expression::{E, Stretch};
use super::job::Lookup;
use super::tables::{Column, Shape};
use super::value::{ONE, T, V};

/// Where an expression grows.
pub struct Ground<'a> {
    pub shape: &'static Shape,
    /// The lookups whose fields it may use.
    pub lookups: &'a [Lookup],
    pub dice: &'a mut Dice,
}

const PATTERNS: [&str; 7] = ["A%", "%a%", "_da", "%", "", "ADA", "% %"];
const SIGNS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];

impl Ground<'_> {
    fn columns(&self, of: T) -> Vec<&'static Column> {
        self.shape.columns.iter().filter(|c| c.of == of).collect()
    }

    fn column(&mut self, of: T) -> E {
        let columns = self.columns(of);
        if columns.is_empty() {
            return E::Const(self.constant(of));
        }
        E::Column(self.dice.pick(&columns))
    }

    /// A constant that is not null.
    fn constant(&mut self, of: T) -> V {
        let dice = &mut self.dice;
        match of {
            T::Text | T::Gsid => V::text(dice.pick(&["Ada", "ada", "", "k1", "it's", "Commit", "2026-03-31"])),
            T::Id => V::text(dice.pick(&["a1", "a2"])),
            T::Whole | T::Choice => V::Whole(dice.pick(&[0, 1, 2, 7, 42, -3])),
            T::Exact => V::Exact(dice.pick(&[ONE / 2, 2 * ONE, -ONE / 4, 1_000 * ONE + 1, 0])),
            T::Flag => V::Flag(dice.maybe(50)),
            T::Day => V::Day(dice.pick(&[20_541, 20_543, 0])),
            T::Moment => V::Moment(dice.pick(&[1_774_744_200_000, 1_774_915_199_000, 0])),
        }
    }

    /// A field of a lookup's record, if one has the type.
    fn looked(&mut self, of: T) -> Option<E> {
        let mut all = Vec::new();
        for (number, lookup) in self.lookups.iter().enumerate().filter(|(_, l)| !l.after_load) {
            // What stands in for no match is a text.
            let is_free = matches!(lookup.none, super::job::Nothing::Reject | super::job::Nothing::Use(V::Null));
            let fields = lookup.object.fields[1..].iter().filter(|f| f.of == of && (is_free || of == T::Text));
            all.extend(fields.map(|f| E::Looked(number, f)));
        }
        (!all.is_empty()).then(|| self.dice.pick(&all))
    }

    /// An expression of the type.
    pub fn grow(&mut self, of: T, depth: usize) -> E {
        if self.dice.maybe(12)
            && let Some(looked) = self.looked(of)
        {
            return looked;
        }
        if depth == 0 || self.dice.maybe(30) {
            return if self.dice.maybe(75) { self.column(of) } else { E::Const(self.constant(of)) };
        }
        if self.dice.maybe(8) && !matches!(of, T::Flag | T::Choice | T::Id | T::Gsid) {
            return self.case(of, depth - 1);
        }
        if self.dice.maybe(8) && !matches!(of, T::Flag | T::Choice | T::Id | T::Gsid) {
            let arguments = (0..2).map(|_| self.grow(of, depth - 1)).collect();
            return E::Call(if self.dice.maybe(70) { "COALESCE" } else { "NULLIF" }, arguments);
        }
        match of {
            T::Text => self.text(depth - 1),
            T::Whole => self.whole(depth - 1),
            T::Exact => self.exact(depth - 1),
            T::Flag => self.condition(depth - 1),
            T::Day => self.day(depth - 1),
            T::Moment => self.moment(depth - 1),
            T::Id | T::Choice | T::Gsid => self.column(of),
        }
    }

    fn boxed(&mut self, of: T, depth: usize) -> Box<E> {
        Box::new(self.grow(of, depth))
    }

    fn case(&mut self, of: T, depth: usize) -> E {
        let arms = (0..=self.dice.below(2)).map(|_| (self.condition(depth), self.grow(of, depth))).collect();
        let otherwise = self.dice.maybe(60).then(|| self.boxed(of, depth));
        E::Case(arms, otherwise)
    }

    fn cast(&mut self, from: T, to: T, depth: usize) -> E {
        let inner = self.boxed(from, depth);
        E::Cast(inner, from, to, self.dice.maybe(75))
    }

    fn choice(&mut self) -> &'static Column {
        let choices = self.columns(T::Choice);
        self.dice.pick(&choices)
    }

    fn text(&mut self, depth: usize) -> E {
        match self.dice.below(10) {
            0 | 1 => E::Label(self.choice()),
            2 => {
                let name = self.dice.pick(&["LOWER", "UPPER", "TRIM", "REVERSE"]);
                E::Call(name, vec![self.grow(T::Text, depth)])
            }
            3 => E::Call("LEFT", vec![self.grow(T::Text, depth), E::Const(V::Whole(2))]),
            4 => E::Call("SUBSTR", vec![self.grow(T::Text, depth), E::Const(V::Whole(2))]),
            5 => {
                let constants = [E::Const(V::text("a")), E::Const(V::text("b"))];
                let [old, new] = constants;
                E::Call("REPLACE", vec![self.grow(T::Text, depth), old, new])
            }
            6 => E::Joined((0..=1 + self.dice.below(2)).map(|_| self.grow(T::Text, depth)).collect()),
            7 => {
                let from = self.dice.pick(&[T::Whole, T::Exact, T::Flag, T::Day, T::Moment, T::Id]);
                self.cast(from, T::Text, depth)
            }
            8 => E::Call("CONCAT", vec![self.grow(T::Text, depth), self.grow(T::Text, depth)]),
            // Not bare: whatever is compared with a bare one has to name a table.
            _ => E::Call("UPPER", vec![E::TypeOf(self.owner())]),
        }
    }

    fn owner(&self) -> &'static Column {
        self.shape.columns.iter().find(|c| c.written == "ownerid").expect("every shape has an owner")
    }

    fn whole(&mut self, depth: usize) -> E {
        match self.dice.below(7) {
            0 => E::Call("LENGTH", vec![self.grow(T::Text, depth)]),
            1 | 2 => {
                let sign = self.dice.pick(&['+', '-', '*', '%']);
                let depth = depth.min(1);
                E::Sum(self.boxed(T::Whole, depth), sign, self.boxed(T::Whole, depth), T::Whole)
            }
            3 | 4 => {
                let from = self.dice.pick(&[T::Text, T::Text, T::Exact, T::Flag]);
                self.cast(from, T::Whole, depth)
            }
            5 => E::Days(self.boxed(T::Day, depth), self.boxed(T::Day, depth)),
            _ => {
                let part = V::text(self.dice.pick(&["year", "month", "day"]));
                let of = if self.dice.maybe(50) { T::Day } else { T::Moment };
                E::Call("DATE_PART", vec![E::Const(part), self.grow(of, depth)])
            }
        }
    }

    fn exact(&mut self, depth: usize) -> E {
        match self.dice.below(4) {
            0 | 1 => {
                let sign = self.dice.pick(&['+', '-', '*', '/', '%']);
                // A quotient of whole numbers is a decimal; only leaves, so that the oracle's numbers stay small enough.
                let of = if sign == '/' && self.dice.maybe(60) { T::Whole } else { T::Exact };
                E::Sum(Box::new(self.column(of)), sign, Box::new(self.column(T::Exact)), T::Exact)
            }
            2 => {
                let from = self.dice.pick(&[T::Text, T::Whole]);
                self.cast(from, T::Exact, depth)
            }
            _ => E::Call("ROUND", vec![self.grow(T::Exact, depth), E::Const(V::Whole(1))]),
        }
    }

    fn stretch(&mut self, with_hours: bool) -> Stretch {
        let months = self.dice.pick(&[0, 0, 1, -1, 13]);
        let days = self.dice.pick(&[1, -1, 7, 30, -400]);
        let hours = if with_hours { self.dice.pick(&[0, 0, 1, -36]) } else { 0 };
        Stretch { months, days, hours }
    }

    fn day(&mut self, depth: usize) -> E {
        match self.dice.below(6) {
            0 => E::Today,
            1 => E::Call("DATE_TRUNC", vec![E::Const(V::text("month")), self.grow(T::Day, depth)]),
            2 => E::Shift(self.boxed(T::Day, depth), self.stretch(false)),
            3 | 4 => self.cast(T::Text, T::Day, depth),
            _ => self.cast(T::Moment, T::Day, depth),
        }
    }

    fn moment(&mut self, depth: usize) -> E {
        match self.dice.below(5) {
            0 => E::Now,
            1 | 2 => E::Shift(self.boxed(T::Moment, depth), self.stretch(true)),
            3 => self.cast(T::Text, T::Moment, depth),
            _ => self.cast(T::Day, T::Moment, depth),
        }
    }

    /// A condition.
    pub fn condition(&mut self, depth: usize) -> E {
        let deep = depth.saturating_sub(1);
        match self.dice.below(if depth == 0 { 7 } else { 13 }) {
            0 | 1 => {
                let of = self.dice.pick(&[T::Text, T::Whole, T::Exact, T::Day, T::Moment]);
                let other = if of == T::Day && self.dice.maybe(30) { T::Moment } else { of };
                let sign = self.dice.pick(&SIGNS);
                let left = Box::new(self.column(of));
                E::Compare(left, sign, self.boxed(other, deep))
            }
            2 => {
                let column = self.choice();
                let labels = column.labels.iter().map(|(_, label)| *label).filter(|_| self.dice.maybe(60)).collect();
                let labels: Vec<&str> = labels;
                E::Labelled(column, if labels.is_empty() { vec![column.labels[0].1] } else { labels })
            }
            3 => {
                let of = self.dice.pick(&[T::Text, T::Whole, T::Day, T::Id, T::Flag]);
                E::IsNull(self.boxed(of, deep), self.dice.maybe(50))
            }
            4 => {
                let of = self.dice.pick(&[T::Text, T::Whole, T::Exact]);
                let values = (0..3).map(|_| self.constant(of)).collect();
                E::In(self.boxed(of, deep), values, self.dice.maybe(40))
            }
            5 => {
                let of = self.dice.pick(&[T::Text, T::Whole, T::Exact, T::Day, T::Moment]);
                let (low, high) = (self.constant(of), self.constant(of));
                E::Between(self.boxed(of, deep), low, high, self.dice.maybe(30))
            }
            6 => {
                let (pattern, ignore) = (self.dice.pick(&PATTERNS), self.dice.maybe(40));
                E::Like(self.boxed(T::Text, deep), pattern, ignore, self.dice.maybe(30))
            }
            7 => E::Not(Box::new(self.condition(deep))),
            8 => E::All((0..2 + self.dice.below(2)).map(|_| self.condition(deep)).collect()),
            9 => E::Any((0..2 + self.dice.below(2)).map(|_| self.condition(deep)).collect()),
            10 => {
                let table = E::Const(V::text(self.dice.pick(&["systemuser", "team"])));
                E::Compare(Box::new(E::TypeOf(self.owner())), "=", Box::new(table))
            }
            11 => {
                let name = if self.dice.maybe(50) { "CONTAINS" } else { "STARTS_WITH" };
                E::Call(name, vec![self.grow(T::Text, deep), E::Const(V::text("a"))])
            }
            _ => self.cast(T::Text, T::Flag, deep),
        }
    }
}
