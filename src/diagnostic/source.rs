//! The texts that diagnostics point into.

use crate::model::place::Place;

/// The files of a project, in the order in which they were read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

/// One text with the name that the user knows it by.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path relative to the project.
    pub name: String,
    /// What it says.
    pub text: String,
    /// The byte at which each line begins.
    lines: Vec<usize>,
}

/// A stretch of one file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Which file, as `Sources` counts.
    pub file: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Sources {
    /// Takes a file in and says which number it has.
    pub fn add(&mut self, name: String, text: String) -> usize {
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        self.files.push(SourceFile { name, text, lines });
        self.files.len() - 1
    }

    /// The files with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &SourceFile)> {
        self.files.iter().enumerate()
    }

    /// One file.
    #[must_use]
    pub fn file(&self, file: usize) -> &SourceFile {
        &self.files[file]
    }

    /// The line (from 1) and column (from 1, in characters) where a span begins.
    #[must_use]
    pub fn position(&self, span: Span) -> (usize, usize) {
        let file = &self.files[span.file];
        let line = file.lines.partition_point(|start| *start <= span.start);
        let start = file.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        (line, file.text[start..span.start].chars().count() + 1)
    }

    /// A span as the error file names it: file, line, and the clause's words on one line of at most 80 characters.
    #[must_use]
    pub fn place(&self, span: Span) -> Place {
        let words: Vec<&str> = self.files[span.file].text[span.start..span.end].split_whitespace().collect();
        let whole = words.join(" ");
        let clause = if whole.chars().count() > 80 { whole.chars().take(79).chain(['…']).collect() } else { whole };
        Place { file: self.files[span.file].name.clone(), line: self.position(span).0, clause }
    }
}
