//! The clauses before `AS` of a job or a chain, and lengths of time: pairs → AST.

use pest::iterators::Pair;

use super::ast::{CatchUp, Every, HeadClause, Length, Name, Notify, Schedule};
use super::parse::Origin;
use super::syntax::Rule;

/// A clause of a job's or a chain's head.
pub(super) fn head_clause(origin: Origin, pair: Pair<'_, Rule>) -> HeadClause {
    let span = origin.span(&pair);
    let mut names = origin.names(pair.clone().into_inner());
    match pair.as_rule() {
        Rule::comment => HeadClause::Comment(names.pop().expect("a comment has a text")),
        Rule::time_zone => HeadClause::TimeZone(names.pop().expect("a time zone has a name")),
        Rule::after => HeadClause::After(names),
        Rule::notify => {
            let events = pair.into_inner().filter(|p| p.as_rule() == Rule::event);
            let events =
                events.map(|p| Name { text: p.as_str().trim_end().to_ascii_uppercase(), span: origin.span(&p) });
            HeadClause::Notify(Notify { to: names, events: events.collect(), span })
        }
        Rule::on_failure => {
            HeadClause::OnFailure { stop: pair.into_inner().any(|p| p.as_rule() == Rule::kw_stop), span }
        }
        _ => HeadClause::Schedule(schedule(origin, pair)),
    }
}

fn schedule(origin: Origin, pair: Pair<'_, Rule>) -> Schedule {
    let span = origin.span(&pair);
    let mut made =
        Schedule { every: Every::Day, at: Vec::new(), zone: None, from: None, until: None, catch_up: None, span };
    for part in pair.into_inner() {
        let text = |part: Pair<'_, Rule>| origin.names(part.into_inner()).pop();
        match part.as_rule() {
            Rule::cron => made.every = text(part).map_or(Every::Day, Every::Cron),
            Rule::every => every(origin, part, &mut made),
            Rule::in_zone => made.zone = text(part),
            Rule::from_date => made.from = text(part),
            Rule::until_date => made.until = text(part),
            Rule::catch_up => {
                made.catch_up = part.into_inner().last().map(|p| match p.as_rule() {
                    Rule::kw_all => CatchUp::All,
                    Rule::kw_none => CatchUp::None,
                    _ => CatchUp::One,
                });
            }
            _ => {}
        }
    }
    made
}

fn every(origin: Origin, pair: Pair<'_, Rule>, made: &mut Schedule) {
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::length => made.every = Every::Length(length(origin, part)),
            Rule::at => made.at = origin.names(part.into_inner()),
            Rule::calendar => {
                let first = part.clone().into_inner().next().map(|p| p.as_rule());
                let mut names = origin.names(part.into_inner());
                made.every = match first {
                    Some(Rule::kw_day) => Every::Day,
                    Some(Rule::kw_weekday) => Every::Weekday,
                    Some(Rule::kw_month) => Every::Month(names.pop().expect("a month has a day")),
                    _ => Every::Days(names),
                };
            }
            _ => {}
        }
    }
}

/// `5m`, `7 DAYS`. A number that is not whole has no seconds, and neither has one that is negative.
pub(super) fn length(origin: Origin, pair: Pair<'_, Rule>) -> Length {
    let span = origin.span(&pair);
    // Number and unit are put together from their own pairs: a comment may stand between them.
    let written: String = pair.into_inner().map(|p| p.as_str().to_ascii_lowercase()).collect();
    let (digits, unit) = written.split_at(written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len()));
    let unit = match unit.chars().next() {
        Some('s') => Some(1),
        Some('m') => Some(60),
        Some('h') => Some(3_600),
        Some('d') => Some(86_400),
        Some('w') => Some(604_800),
        _ => None,
    };
    let seconds = digits.parse::<u64>().ok().zip(unit).and_then(|(n, unit)| n.checked_mul(unit));
    Length { seconds, span }
}
