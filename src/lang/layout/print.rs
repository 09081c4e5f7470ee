//! Tokens and their layout as lines: blanks between tokens, comments at their places, columns that line up.

use std::collections::BTreeMap;

use super::breaks::{Break, Cell, Layout};
use super::tokens::{Kind, Token};

/// Values wider than this do not move a column that tolerates them.
const UNUSUAL_WIDTH: usize = 42;
/// How far a line is indented that goes on because a comment ended the one before.
const CONTINUATION: usize = 4;

/// One line on its way.
#[derive(Default)]
struct Line {
    indent: usize,
    /// Pieces of code; all but the first begin at a cell.
    pieces: Vec<(Option<Cell>, String)>,
    /// A comment at its end, and the column that it had.
    comment: Option<(String, usize)>,
}

/// The tokens of one statement as text, without an end of line at its end. The last token is its `;`.
pub(super) fn print(tokens: &[Token], layout: &Layout, file: &str) -> String {
    let mut printer = Printer { layout, file, lines: Vec::new(), base: 0, columns: BTreeMap::new(), must_break: false };
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map(|n| tokens[n]);
        if token.is_comment() {
            printer.comment(*token, before, tokens.get(at + 1).copied());
        } else {
            printer.token(*token, before);
        }
    }
    aligned(printer.lines)
}

struct Printer<'a> {
    layout: &'a Layout,
    file: &'a str,
    lines: Vec<Line>,
    /// The indentation of the line that was begun by the layout.
    base: usize,
    /// Where tokens stand that others go below.
    columns: BTreeMap<usize, usize>,
    /// Whether a comment has ended the line.
    must_break: bool,
}

impl Printer<'_> {
    fn token(&mut self, token: Token, before: Option<Token>) {
        let planned = self.layout.breaks.get(&token.start).map(|b| self.indent(*b));
        if let Some(indent) = planned {
            self.base = indent;
        }
        let text = self.spelled(token);
        if planned.is_some() || self.must_break || self.lines.is_empty() {
            let indent = planned.unwrap_or(if token.kind == Kind::End { self.base } else { self.base + CONTINUATION });
            self.lines.push(Line { indent, ..Line::default() });
            self.must_break = false;
            self.columns.insert(token.start, indent);
            self.append(None, &text);
            return;
        }
        let is_close = before.is_some_and(|b| self.is_close(b, token));
        let cell = self.layout.cells.get(&token.start).copied();
        if cell.is_none() && !is_close {
            self.append(None, " ");
        }
        let column = self.lines.last().map_or(0, Line::width);
        self.columns.insert(token.start, column);
        self.append(cell, &text);
    }

    fn comment(&mut self, token: Token, before: Option<Token>, after: Option<Token>) {
        let text = token.text(self.file).trim_end().replace("\r\n", "\n");
        let gap = |from: usize, to: usize| self.file[from..to].contains('\n');
        let is_own_line = before.is_none_or(|b| gap(b.end, token.start)) || self.must_break;
        if is_own_line {
            let next = after.and_then(|a| self.layout.breaks.get(&a.start)).map(|b| self.indent(*b));
            let indent = next.unwrap_or(self.base + CONTINUATION);
            self.lines.push(Line { indent, pieces: vec![(None, text)], comment: None });
            self.must_break = true;
            return;
        }
        let ends_line = token.kind == Kind::LineComment || after.is_none_or(|a| gap(token.end, a.start));
        if !ends_line {
            self.append(None, " ");
            self.append(None, &text);
            return;
        }
        if let Some(line) = self.lines.last_mut() {
            line.comment = Some((text, column_of(token.start, self.file)));
        }
        self.must_break = true;
    }

    fn indent(&self, planned: Break) -> usize {
        match planned {
            Break::Indent(blanks) => blanks,
            Break::Below(token) => self.columns.get(&token).copied().unwrap_or(self.base),
        }
    }

    fn append(&mut self, cell: Option<Cell>, text: &str) {
        let Some(line) = self.lines.last_mut() else { return };
        match (cell, line.pieces.last_mut()) {
            (None, Some((_, piece))) => piece.push_str(text),
            _ => line.pieces.push((cell, text.to_owned())),
        }
    }

    /// Whether no blank stands between two tokens.
    fn is_close(&self, before: Token, token: Token) -> bool {
        let (left, right) = (before.text(self.file), token.text(self.file));
        let is_sign = self.layout.signs.contains(&before.start) && right != "-";
        matches!(left, "(" | ".")
            || matches!(right, ")" | "," | "." | ";")
            || is_sign
            || self.layout.close.contains(&token.start)
    }

    fn spelled(&self, token: Token) -> String {
        let text = token.text(self.file);
        if !self.layout.capitals.contains(&token.start) {
            text.to_owned()
        } else if text == "!=" {
            "<>".to_owned()
        } else {
            text.to_ascii_uppercase()
        }
    }
}

impl Line {
    /// Its width so far, cells not yet moved.
    fn width(&self) -> usize {
        let add = |so_far: usize, (at, (_, text)): (usize, &(Option<Cell>, String))| {
            if text.contains('\n') { width(text) } else { so_far + usize::from(at > 0) + width(text) }
        };
        self.pieces.iter().enumerate().fold(self.indent, add)
    }
}

/// The width of a text, of its last line if it has several.
fn width(text: &str) -> usize {
    text.rsplit('\n').next().unwrap_or_default().chars().count()
}

/// The column at which a byte stands in its line.
fn column_of(at: usize, file: &str) -> usize {
    let line = file[..at].rfind('\n').map_or(0, |n| n + 1);
    width(file[line..at].trim_start_matches('\u{feff}'))
}

/// The lines as text, with the cells of each group below each other.
fn aligned(lines: Vec<Line>) -> String {
    let mut done: Vec<String> = lines.iter().map(|line| " ".repeat(line.indent)).collect();
    let most = lines.iter().map(|line| line.pieces.len()).max().unwrap_or(0);
    for depth in 0..most {
        let mut columns: BTreeMap<usize, usize> = BTreeMap::new();
        for (line, text) in lines.iter().zip(&done) {
            let Some((Some(cell), _)) = line.pieces.get(depth) else { continue };
            let counted = width(text) - cell.discount.min(width(text));
            if !(cell.tolerant && counted > UNUSUAL_WIDTH) {
                let column = columns.entry(cell.group).or_default();
                *column = (*column).max(counted);
            }
        }
        for (line, text) in lines.iter().zip(&mut done) {
            let Some((cell, piece)) = line.pieces.get(depth) else { continue };
            if let Some(cell) = cell {
                let column = columns.get(&cell.group).copied().unwrap_or_default();
                let blanks = column.saturating_sub(width(text)) + 1;
                text.push_str(&" ".repeat(blanks));
            }
            text.push_str(piece);
        }
    }
    for (line, text) in lines.into_iter().zip(&mut done) {
        if let Some((comment, column)) = line.comment {
            let blanks = column.saturating_sub(width(text)).max(1);
            text.push_str(&" ".repeat(blanks));
            text.push_str(&comment);
        }
    }
    done.join("\n")
}
