//! Text patterns as SQL Server reads them, because `contains` and its kin pass `%`, `_` and `[]` on to it.
//!
//! In: a pattern and a text, both folded. Out: whether they match.

/// One element of a pattern.
enum Piece {
    One(char),
    Any,
    Many,
    Set(bool, Vec<(char, char)>),
}

/// A pattern, read once and matched many times.
pub(in crate::sandbox) struct Pattern(Vec<Piece>);

impl Pattern {
    pub(in crate::sandbox) fn new(text: &str) -> Self {
        let letters: Vec<char> = text.chars().collect();
        let (mut pieces, mut place) = (Vec::new(), 0);
        while let Some(&letter) = letters.get(place) {
            place += 1;
            pieces.push(match letter {
                '%' => Piece::Many,
                '_' => Piece::Any,
                '[' => match letters[place..].iter().skip(1).position(|letter| *letter == ']') {
                    Some(length) => {
                        let inside = &letters[place..=place + length];
                        place += length + 2;
                        set(inside)
                    }
                    None => Piece::One('['),
                },
                other => Piece::One(other),
            });
        }
        Pattern(pieces)
    }

    pub(in crate::sandbox) fn matches(&self, text: &str) -> bool {
        let letters: Vec<char> = text.chars().collect();
        // Greedy with one point of return, which is enough for patterns of this kind.
        let (mut piece, mut letter, mut back) = (0, 0, None);
        loop {
            match self.0.get(piece) {
                Some(Piece::Many) => {
                    back = Some((piece + 1, letter));
                    piece += 1;
                    continue;
                }
                Some(single) if letters.get(letter).is_some_and(|found| fits(single, *found)) => {
                    (piece, letter) = (piece + 1, letter + 1);
                    continue;
                }
                None if letter == letters.len() => return true,
                _ => {}
            }
            match back {
                Some((after, start)) if start < letters.len() => {
                    (piece, letter, back) = (after, start + 1, Some((after, start + 1)));
                }
                _ => return false,
            }
        }
    }
}

fn set(inside: &[char]) -> Piece {
    let excluded = inside.first() == Some(&'^');
    let mut rest = if excluded { &inside[1..] } else { inside };
    let mut ranges = Vec::new();
    while let Some((&first, tail)) = rest.split_first() {
        match tail {
            ['-', last, after @ ..] => {
                ranges.push((first, *last));
                rest = after;
            }
            _ => {
                ranges.push((first, first));
                rest = tail;
            }
        }
    }
    Piece::Set(!excluded, ranges)
}

fn fits(piece: &Piece, letter: char) -> bool {
    match piece {
        Piece::One(one) => *one == letter,
        Piece::Any | Piece::Many => true,
        Piece::Set(wanted, ranges) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&letter)) == *wanted,
    }
}
