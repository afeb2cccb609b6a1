//! Words that are probably meant to be other words.

/// Whether two different words are a slip apart: one letter more, less, other or swapped; two in long words. Short words
/// are near too much. O(length squared), of words of at most 64 bytes.
pub(super) fn is_near(word: &str, other: &str) -> bool {
    let shorter = word.len().min(other.len());
    let longer = word.len().max(other.len());
    let slips_max = match shorter {
        0..=3 => return false,
        4..=8 => 1,
        _ => 2,
    };
    word != other && longer <= 64 && longer - shorter <= slips_max && distance(word, other) <= slips_max
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other.
fn distance(word: &str, other: &str) -> usize {
    let (word, other) = (word.as_bytes(), other.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    let mut last_letter = None;
    for (row, letter) in word.iter().enumerate() {
        let mut line = vec![row + 1];
        let mut last_other = None;
        for (col, other_letter) in other.iter().enumerate() {
            let at = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&above, col) + usize::from(letter != other_letter);
            let mut best = replaced.min(at(&above, col + 1) + 1).min(at(&line, col) + 1);
            if last_letter == Some(other_letter) && last_other == Some(letter) {
                best = best.min(at(&before, col.wrapping_sub(1)) + 1);
            }
            line.push(best);
            last_other = Some(other_letter);
        }
        before = std::mem::replace(&mut above, line);
        last_letter = Some(letter);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn a_slip_is_near_another_word_is_not() {
        for (word, other) in [
            ("principle", "principal"),
            ("regoin", "region"),
            ("clearence", "clearance"),
            ("classificaton", "classification"),
        ] {
            assert!(is_near(word, other), "{word} {other}");
        }
        for (word, other) in [
            ("tier", "time"),
            ("env", "enw"),
            ("region", "region"),
            ("owner", "tower"),
            ("groups", "roles"),
        ] {
            assert!(!is_near(word, other), "{word} {other}");
        }
    }
}
