//! A time line of bars, one below the other, in the columns of a terminal.
//!
//! Hours in which nobody worked are no part of it: a line says how many there were.

use super::table::{Paint, number};

/// Columns of the bars.
const WIDE: usize = 36;
/// Columns of the names.
const NAMES: usize = 9;

/// Something that took time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    /// What it is called.
    pub(super) name: String,
    /// When it began, in seconds since 1970.
    pub(super) began: f64,
    /// How long it took, in seconds.
    pub(super) seconds: f64,
    /// What is to be said of it.
    pub(super) note: String,
    /// Whether it came to its end.
    pub(super) is_whole: bool,
}

/// The bars as lines, in the order in which they began.
pub(super) fn timeline(mut bars: Vec<Bar>, paint: Paint) -> String {
    bars.sort_by(|a, b| a.began.total_cmp(&b.began));
    let worked: f64 = bars.iter().map(|bar| bar.seconds).sum();
    // Where nobody worked for long, the axis stands still.
    let pause = (worked / 4.0).max(1.0);
    let (mut placed, mut end, mut at) = (Vec::new(), f64::NAN, 0.0_f64);
    for bar in bars {
        let gap = if end.is_nan() { 0.0 } else { (bar.began - end).max(-at) };
        let gone = (gap > pause).then_some(gap);
        at += if gone.is_some() { 0.0 } else { gap };
        let from = at;
        at += bar.seconds;
        end = bar.began + bar.seconds;
        placed.push((gone, from, bar));
    }
    let whole = placed.iter().map(|(_, from, bar)| from + bar.seconds).fold(0.0, f64::max).max(0.001);
    let mut text = String::new();
    for (gone, from, bar) in &placed {
        if let Some(gone) = gone {
            text.push_str(&paint.dim(&format!("  {:NAMES$} {} later", "", length(*gone))));
            text.push('\n');
        }
        text.push_str(&line(*from / whole, bar.seconds / whole, bar, paint));
    }
    text
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
fn line(from: f64, share: f64, bar: &Bar, paint: Paint) -> String {
    let columns = |part: f64| (part * WIDE as f64).round() as usize;
    let first = columns(from).min(WIDE - 1);
    let last = columns(from + share).clamp(first + 1, WIDE);
    let sign = if bar.is_whole { "█" } else { "▒" };
    let drawn = format!("{}{}{}", " ".repeat(first), sign.repeat(last - first), " ".repeat(WIDE - last));
    let line = format!("  {:NAMES$} {drawn} {:>9}  {}", bar.name, length(bar.seconds), bar.note);
    let line = line.trim_end();
    format!("{}\n", if bar.is_whole { line.to_owned() } else { paint.bold(line) })
}

/// A length of time, as people say it.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn length(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        _ if seconds < 0.0995 => format!("{:.0} ms", seconds.max(0.0) * 1_000.0),
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        0..120 => format!("{whole} s"),
        120..7_200 => format!("{} min {} s", whole / 60, whole % 60),
        7_200..172_800 => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{} days {} h", number(whole / 86_400), whole % 86_400 / 3_600),
    }
}
