//! A schedule made ready for calculation: its zone, its days, its times.
//!
//! In: a schedule. Out: the next moment after another, over and over.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc, Weekday};
use chrono_tz::Tz;

use super::cron::Cron;
use super::wall::{ahead, end_of_day, first, next_change, shown, start_of_day};
use crate::model::moment;
use crate::model::schedule::{Every, Schedule};

const SECONDS_OF_AN_HOUR: u64 = 3_600;
const SECONDS_OF_A_DAY: u64 = 86_400;

/// From where paces are counted that do not divide a day, where the schedule does not say `FROM`: a Monday.
const COUNTED_FROM: NaiveDate = NaiveDate::from_ymd_opt(2024, 1, 1).expect("it is a date");

/// How many days on a day is looked for. The longest pace is a year of 366 days.
const DAYS_AT_MOST: u32 = 1_500;

/// How many changes of the clock a time is looked for across: some thirty years' worth.
const CHANGES_AT_MOST: u32 = 64;

#[derive(Debug, Clone)]
pub(super) struct Plan {
    zone: Tz,
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// Times on the wall, of some days.
    Times(On, Vec<NaiveTime>),
    /// A pace, counted anew from each midnight.
    OfDay(TimeDelta),
    /// A pace, counted from a moment.
    Since(DateTime<Utc>, TimeDelta),
    /// The lines of cron whose hours are restricted: times on the wall.
    Line(Cron),
    /// Those that run in each hour: whenever the clock shows it.
    EachHour(Cron),
}

#[derive(Debug, Clone)]
enum On {
    Day,
    Weekday,
    Week(Vec<Weekday>),
    Month(u32),
    /// Each so many days, counted from a day.
    Nth(i64, NaiveDate),
}

impl Plan {
    /// None for a zone or a line that do not exist, which the checker refuses.
    pub(super) fn of(schedule: &Schedule) -> Option<Self> {
        let zone = moment::zone(&schedule.zone)?;
        let mut at = if schedule.at.is_empty() { vec![NaiveTime::MIN] } else { schedule.at.clone() };
        at.sort();
        let counted_from = schedule.from.unwrap_or(COUNTED_FROM);
        let what = match &schedule.every {
            Every::Day => What::Times(On::Day, at),
            Every::Weekday => What::Times(On::Weekday, at),
            Every::Days(days) => What::Times(On::Week(days.clone()), at),
            Every::DayOfMonth(day) => What::Times(On::Month(*day), at),
            Every::Seconds(pace) => paced(*pace, counted_from, zone)?,
            Every::Cron(line) => {
                let line = Cron::read(line).ok()?;
                if line.is_every_hour() { What::EachHour(line) } else { What::Line(line) }
            }
        };
        Some(Self { zone, from: schedule.from, until: schedule.until, what })
    }

    /// The first time after a moment.
    pub(super) fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.what {
            What::Times(on, at) => self.of_days(after, |day| {
                let times = on.has(day).then_some(at.iter()).into_iter().flatten();
                times.filter_map(|time| first(day.and_time(*time), self.zone)).find(|at| *at > after)
            }),
            What::OfDay(pace) => self.of_days(after, |day| {
                let next = counted(start_of_day(day, self.zone)?, *pace, after, true)?;
                (next < end_of_day(day, self.zone)?).then_some(next)
            }),
            What::Since(origin, pace) => {
                let next = counted(*origin, *pace, after, self.from.is_some())?;
                let end = self.until.map(|day| end_of_day(day, self.zone));
                end.is_none_or(|end| end.is_some_and(|end| next < end)).then_some(next)
            }
            What::Line(line) => self.of_line(line, after),
            What::EachHour(line) => self.of_hours(line, after),
        }
    }

    /// The first day on which there is something.
    fn of_days(
        &self,
        after: DateTime<Utc>,
        of_day: impl Fn(NaiveDate) -> Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let today = shown(after, self.zone).date();
        let mut day = self.from.map_or(today, |from| from.max(today));
        for _ in 0..DAYS_AT_MOST {
            if self.until.is_some_and(|until| day > until) {
                return None;
            }
            if let Some(at) = of_day(day) {
                return Some(at);
            }
            day = day.succ_opt()?;
        }
        None
    }

    /// Whatever is later than `after` is also later on the wall: of times that the clock shows twice, it is the first that counts.
    fn of_line(&self, line: &Cron, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (mut wall, mut is_at_it) = self.begin(shown(after, self.zone));
        loop {
            wall = line.next(wall, is_at_it).filter(|wall| self.until.is_none_or(|until| wall.date() <= until))?;
            is_at_it = false;
            if let Some(at) = first(wall, self.zone).filter(|at| *at > after) {
                return Some(at);
            }
        }
    }

    /// From one change of the clock to the next, as between two of them it goes as fast as time.
    fn of_hours(&self, line: &Cron, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let begin = self.from.and_then(|day| start_of_day(day, self.zone)).filter(|begin| *begin > after);
        let (mut since, mut is_at_it) = begin.map_or((after, false), |begin| (begin, true));
        for _ in 0..CHANGES_AT_MOST {
            let wall = line.next(whole(shown(since, self.zone)), is_at_it)?;
            let at = wall.and_utc().checked_sub_signed(ahead(since, self.zone))?;
            match next_change(since, at, self.zone) {
                Some(change) => (since, is_at_it) = (change, true),
                None => return self.until.is_none_or(|until| wall.date() <= until).then_some(at),
            }
        }
        None
    }

    /// Where on the wall to look from, and whether the time itself counts: it does where the schedule begins later.
    fn begin(&self, now: NaiveDateTime) -> (NaiveDateTime, bool) {
        let from = self.from.map(|day| day.and_time(NaiveTime::MIN)).filter(|from| *from > now);
        from.map_or((whole(now), false), |from| (from, true))
    }
}

impl On {
    fn has(&self, day: NaiveDate) -> bool {
        match self {
            Self::Day => true,
            Self::Weekday => !matches!(day.weekday(), Weekday::Sat | Weekday::Sun),
            Self::Week(days) => days.contains(&day.weekday()),
            Self::Month(number) => day.day() == (*number).min(u32::from(day.num_days_in_month())),
            Self::Nth(days, from) => day.signed_duration_since(*from).num_days().rem_euclid(*days) == 0,
        }
    }
}

fn paced(seconds: u64, counted_from: NaiveDate, zone: Tz) -> Option<What> {
    let pace = TimeDelta::seconds(i64::try_from(seconds).ok().filter(|seconds| *seconds > 0)?);
    if seconds.is_multiple_of(SECONDS_OF_A_DAY) {
        return Some(What::Times(On::Nth(pace.num_days(), counted_from), vec![NaiveTime::MIN]));
    }
    if !SECONDS_OF_A_DAY.is_multiple_of(seconds) {
        return Some(What::Since(start_of_day(counted_from, zone)?, pace));
    }
    if seconds <= SECONDS_OF_AN_HOUR {
        return Some(What::OfDay(pace));
    }
    let of_day = (0..SECONDS_OF_A_DAY / seconds).map(|number| u32::try_from(number * seconds).ok());
    let at = of_day.map(|second| NaiveTime::from_num_seconds_from_midnight_opt(second?, 0));
    Some(What::Times(On::Day, at.collect::<Option<_>>()?))
}

/// The first multiple of a pace after a moment; not before the origin, if there `is_begin`.
fn counted(origin: DateTime<Utc>, pace: TimeDelta, after: DateTime<Utc>, is_begin: bool) -> Option<DateTime<Utc>> {
    let (passed, pace) = (after.signed_duration_since(origin).num_milliseconds(), pace.num_milliseconds());
    // Milliseconds are cut off towards zero: before the origin that may be one too many, so `after` is compared itself.
    let number = if passed < 0 && is_begin { 0 } else { passed.div_euclid(pace) };
    let next = |number: i64| origin.checked_add_signed(TimeDelta::try_milliseconds(number.checked_mul(pace)?)?);
    next(number).filter(|next| *next > after).or_else(|| next(number.checked_add(1)?))
}

fn whole(wall: NaiveDateTime) -> NaiveDateTime {
    wall.with_nanosecond(0).unwrap_or(wall)
}
