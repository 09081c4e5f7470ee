//! What two texts differ in, line by line.

/// Pairs of lines that are compared at the most; texts that differ in more are shown whole.
const PAIRS_AT_MOST: usize = 250_000;

/// The lines that only the first text has, and those that only the second one has, each in order.
pub(super) fn differing<'t>(old: &'t str, new: &'t str) -> (Vec<&'t str>, Vec<&'t str>) {
    let (mut old, mut new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    old.drain(..same);
    new.drain(..same);
    while !old.is_empty() && old.last() == new.last() {
        old.pop();
        new.pop();
    }
    if old.len().saturating_mul(new.len()) > PAIRS_AT_MOST {
        return (old, new);
    }
    // The length of the longest text that both have from a line of each on.
    let width = new.len() + 1;
    let mut common = vec![0_usize; (old.len() + 1) * width];
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            common[a * width + b] = if old[a] == new[b] {
                common[(a + 1) * width + b + 1] + 1
            } else {
                common[(a + 1) * width + b].max(common[a * width + b + 1])
            };
        }
    }
    let (mut gone, mut come, mut a, mut b) = (Vec::new(), Vec::new(), 0, 0);
    while a < old.len() && b < new.len() {
        if old[a] == new[b] {
            (a, b) = (a + 1, b + 1);
        } else if common[(a + 1) * width + b] >= common[a * width + b + 1] {
            gone.push(old[a]);
            a += 1;
        } else {
            come.push(new[b]);
            b += 1;
        }
    }
    gone.extend(&old[a..]);
    come.extend(&new[b..]);
    (gone, come)
}
