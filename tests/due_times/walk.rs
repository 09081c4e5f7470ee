//! Schedules the naive way: minute by minute, with the clock of a zone in one hand and the rule in the other.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A day as the clock shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970-01-01.
    pub number: i64,
    pub month: i8,
    pub day: i8,
    /// The last day of its month.
    pub last: i8,
    /// Monday is 1, Sunday is 7.
    pub weekday: i8,
}

impl Day {
    fn of(number: i64) -> Self {
        let date = Date::constant(1970, 1, 1).checked_add(jiff::Span::new().days(number)).unwrap();
        Self {
            number,
            month: date.month(),
            day: date.day(),
            last: date.days_in_month(),
            weekday: date.weekday().to_monday_one_offset(),
        }
    }
}

/// How the times on the clock become moments.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// The first time that the clock shows it; where it skips it, when it goes on.
    Fixed,
    /// Whenever the clock shows it.
    Shown,
    /// Each so many minutes after a day has begun.
    OfDay(i64),
    /// Each so many minutes after the beginning of the day with this number.
    Since(i64, i64),
}

/// A rule, on some days, at some minutes of the day.
pub struct Form {
    pub rule: Rule,
    pub on: fn(&Day) -> bool,
    pub at: fn(i64, i64) -> bool,
}

impl Form {
    fn since(&self, wall: &Wall) -> Option<i64> {
        if let Rule::Since(_, day) = self.rule { wall.begin_of(day) } else { None }
    }
}

/// The clock of a zone: from which minute on it is how many minutes ahead of UTC.
pub struct Wall(Vec<(i64, i64)>);

impl Wall {
    pub fn of(zone: &str, from: i64, until: i64) -> Self {
        let zone = TimeZone::get(zone).unwrap();
        let start = Timestamp::from_second(from * 60).unwrap();
        let mut steps = vec![(from, i64::from(zone.to_offset(start).seconds()) / 60)];
        for change in zone.following(start).take_while(|change| change.timestamp().as_second() < until * 60) {
            assert_eq!(change.offset().seconds() % 60, 0, "the walk goes by minutes");
            steps.push((change.timestamp().as_second() / 60, i64::from(change.offset().seconds()) / 60));
        }
        Self(steps)
    }

    /// The first minute of a day.
    fn begin_of(&self, day: i64) -> Option<i64> {
        let around = (day * 1440 - 2_880, day * 1440 + 2_880);
        self.minutes(around.0, around.1).find(|(_, shown)| *shown >= day * 1440).map(|(now, _)| now)
    }

    /// Each minute with what the clock shows.
    fn minutes(&self, from: i64, until: i64) -> impl Iterator<Item = (i64, i64)> {
        let ends = self.0.iter().skip(1).map(|(from, _)| *from).chain([i64::MAX]);
        self.0
            .iter()
            .zip(ends)
            .flat_map(move |((begin, ahead), end)| ((*begin).max(from)..end.min(until)).map(move |at| (at, at + ahead)))
    }
}

/// The minutes, since 1970, at which each of the forms is due.
pub fn walk(wall: &Wall, from: i64, until: i64, forms: &[Form]) -> Vec<Vec<i64>> {
    // Which forms name a minute of the day.
    let named = |minute: i64, index: &usize| (forms[*index].at)(minute / 60, minute % 60);
    let at: Vec<Vec<usize>> =
        (0..1440).map(|minute| (0..forms.len()).filter(|index| named(minute, index)).collect()).collect();
    let paced: Vec<usize> =
        (0..forms.len()).filter(|index| matches!(forms[*index].rule, Rule::OfDay(_) | Rule::Since(..))).collect();
    let of = |shown: i64| &at[usize::try_from(shown.rem_euclid(1440)).unwrap()];
    let mut due = vec![Vec::new(); forms.len()];
    let mut latest: Option<i64> = None;
    let mut since_midnight = 0;
    let since: Vec<Option<i64>> = forms.iter().map(|form| form.since(wall)).collect();
    let (mut day, mut on) = (Day::of(0), vec![false; forms.len()]);
    for (now, shown) in wall.minutes(from, until) {
        let number = shown.div_euclid(1440);
        if number != day.number {
            day = Day::of(number);
            on = forms.iter().map(|form| (form.on)(&day)).collect();
        }
        let newest = latest.unwrap_or(shown - 1);
        let is_new = shown > newest;
        for index in of(shown) {
            if on[*index]
                && (matches!(forms[*index].rule, Rule::Shown) || is_new && matches!(forms[*index].rule, Rule::Fixed))
            {
                due[*index].push(now);
            }
        }
        for skipped in newest + 1..shown {
            let day = Day::of(skipped.div_euclid(1440));
            for index in of(skipped) {
                if matches!(forms[*index].rule, Rule::Fixed) && (forms[*index].on)(&day) {
                    due[*index].push(now);
                }
            }
        }
        let begins = is_new && (latest.is_none() || number > newest.div_euclid(1440));
        since_midnight = if begins { 0 } else { since_midnight + 1 };
        for index in &paced {
            let is_due = match forms[*index].rule {
                Rule::Since(pace, _) => since[*index].is_some_and(|since| now >= since && (now - since) % pace == 0),
                Rule::OfDay(pace) => since_midnight % pace == 0,
                Rule::Fixed | Rule::Shown => false,
            };
            if on[*index] && is_due {
                due[*index].push(now);
            }
        }
        latest = Some(newest.max(shown));
    }
    due.iter_mut().for_each(Vec::dedup);
    due
}
