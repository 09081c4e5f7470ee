//! Which times a schedule means, and which of them are due. Pure: nothing here asks a clock, a state or a service.
//!
//! In: schedules as they are declared, moments, what was decided before. Out: moments, and what becomes of each.
//!
//! **Times are those of the wall clock in the schedule's zone.** A time that the clock skips runs at the first moment after the gap, and
//! two that fall into one gap run once. A time that the clock shows twice runs the first time only. What recurs within the hour follows
//! real time: `EVERY 15m` is counted on from midnight, and a cron line whose hours are `*` runs whenever the clock shows such a time,
//! also twice. So nothing that runs each quarter of an hour pauses for an hour or runs double when clocks are changed.

pub mod cron;
pub mod due;
pub mod entries;
mod plan;
pub mod times;
mod wall;
