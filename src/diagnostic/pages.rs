//! A page about each code, for `ferry explain F204`: what it means, why it is a mistake, how to mend it.
//!
//! The pages lie in `pages.txt`: a line `F204 · title`, then the text until the next such line. A test holds them complete.

/// The page about one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The code.
    pub code: &'static str,
    /// What it says in a few words.
    pub title: &'static str,
    /// The page itself.
    pub text: &'static str,
}

const PAGES: &str = include_str!("pages.txt");

/// The page about a code, in either case of its letter; none if there is no such code.
#[must_use]
pub fn page(code: &str) -> Option<Page> {
    let wanted = code.trim().to_ascii_uppercase();
    all().into_iter().find(|page| page.code == wanted)
}

/// All pages, in the order of their codes.
#[must_use]
pub fn all() -> Vec<Page> {
    let mut starts: Vec<usize> = PAGES.match_indices("\nF").map(|(at, _)| at + 1).filter(|at| is_head(*at)).collect();
    if is_head(0) {
        starts.insert(0, 0);
    }
    let ends = starts.iter().skip(1).copied().chain([PAGES.len()]);
    let page = |(start, end): (&usize, usize)| {
        let (head, text) = PAGES[*start..end].split_once('\n')?;
        let (code, title) = head.split_once(" · ")?;
        Some(Page { code, title, text: text.trim() })
    };
    starts.iter().zip(ends).filter_map(page).collect()
}

/// Whether a page begins here: `F204 · …`.
fn is_head(at: usize) -> bool {
    let line = PAGES[at..].lines().next().unwrap_or_default();
    let code = line.split(' ').next().unwrap_or_default();
    code.len() == 4 && code.starts_with('F') && code[1..].bytes().all(|b| b.is_ascii_digit()) && line.contains(" · ")
}
