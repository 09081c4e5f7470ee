//! Columns of text that line up, for people.

use std::io::IsTerminal;

/// Columns of a terminal that text is broken for.
pub(super) const COLUMNS: usize = 80;

/// How text is set off where a person looks at a terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(bool);

impl Paint {
    pub(super) fn new(is_on: bool) -> Self {
        Self(is_on)
    }

    /// For stdout: on where a person looks at it.
    pub(super) fn of_stdout() -> Self {
        Self::new(std::io::stdout().is_terminal())
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// The head of a table.
    pub(super) fn dim_first_line(self, text: &str) -> String {
        match text.split_once('\n') {
            Some((first, rest)) => format!("{}\n{rest}", self.dim(first)),
            None => self.dim(text),
        }
    }

    /// Lines, each by itself.
    pub(super) fn dim_lines(self, text: &str) -> String {
        text.lines().map(|line| format!("{}\n", self.dim(line))).collect()
    }

    /// The same in bold.
    pub(super) fn bold_lines(self, text: &str) -> String {
        text.lines().map(|line| format!("{}\n", self.bold(line))).collect()
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Words as lines that fit a terminal; a word that does not fit has a line of its own.
pub(super) fn wrapped(words: &str, first: &str, rest: &str) -> String {
    let mut text = String::new();
    let (mut line, mut is_empty) = (first.to_owned(), true);
    for word in words.split_whitespace() {
        if !is_empty && width(&line) + 1 + width(word) > COLUMNS {
            text.push_str(&line);
            text.push('\n');
            (line, is_empty) = (rest.to_owned(), true);
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    text.push_str(&line);
    text.push('\n');
    text
}

/// Rows of cells as lines. The first column is aligned to the left, the others to the right.
pub(super) fn lines(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|h| width(h)).collect();
    for row in rows {
        for (at, cell) in row.iter().enumerate().take(widths.len()) {
            widths[at] = widths[at].max(width(cell));
        }
    }
    let mut text = line(&header.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>(), &widths);
    for row in rows {
        text.push_str(&line(row, &widths));
    }
    text
}

/// Rows of cells as lines, all columns aligned to the left.
pub(super) fn left(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|h| width(h)).collect();
    for row in rows {
        for (at, cell) in row.iter().enumerate().take(widths.len()) {
            widths[at] = widths[at].max(width(cell));
        }
    }
    let mut text = String::new();
    let header: Vec<String> = header.iter().map(|h| (*h).to_owned()).collect();
    for cells in std::iter::once(&header).chain(rows) {
        let padded =
            cells.iter().zip(&widths).map(|(cell, wide)| format!("  {cell}{}", " ".repeat(wide - width(cell))));
        text.push_str(padded.collect::<String>().trim_end());
        text.push('\n');
    }
    text
}

/// A number with its thousands apart.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut text = String::new();
    for (at, (cell, wide)) in cells.iter().zip(widths).enumerate() {
        let blanks = " ".repeat(wide.saturating_sub(width(cell)));
        if at == 0 {
            text.push_str("  ");
            text.push_str(cell);
            text.push_str(&blanks);
        } else {
            text.push_str("  ");
            text.push_str(&blanks);
            text.push_str(cell);
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn width(text: &str) -> usize {
    text.chars().count()
}
