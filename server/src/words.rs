//! Spellings and patterns that the reference takes over from Go's standard library.

/// Go's `strconv.ParseBool`.
#[must_use]
pub fn go_bool(text: &[u8]) -> Option<bool> {
    match text {
        b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True" => Some(true),
        b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False" => Some(false),
        _ => None,
    }
}

/// The known name that a misspelt one is nearest to; `None` only where nothing is known.
#[must_use]
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    // Bigrams find words that were exchanged, too: `include.bundles` is near to `bundles.include`.
    let likeness = |name: &str| {
        strsim::sorensen_dice(word, name).max(strsim::normalized_damerau_levenshtein(word, name))
    };
    known
        .iter()
        .copied()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

/// A pattern of Go's `filepath.Match`: `*` and `?` do not cross `/`, `[a-z]` and `[^a-z]` do, `\` takes the next
/// character as it is. A pattern with an error in it stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Char(char),
    Any,
    Star,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl NamePattern {
    /// Reads a pattern.
    #[must_use]
    pub fn new(text: &str) -> NamePattern {
        NamePattern(pieces(text).unwrap_or_else(|| text.chars().map(Piece::Char).collect()))
    }

    /// Whether the pattern matches the whole name. O(length of the pattern × length of the name).
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut piece, mut at) = (0, 0);
        // The last star, and where the text that it covers ends.
        let mut star: Option<(usize, usize)> = None;
        loop {
            let fits = match (self.0.get(piece), name.get(at)) {
                (None, None) => return true,
                (Some(Piece::Star), _) => {
                    star = Some((piece, at));
                    piece += 1;
                    continue;
                }
                (Some(pattern), Some(c)) => pattern.fits(*c),
                (None, Some(_)) | (Some(_), None) => false,
            };
            if fits {
                (piece, at) = (piece + 1, at + 1);
                continue;
            }
            // The star takes one more character. An earlier star could not do better: it would have to pass the same
            // slash.
            let Some((star_piece, covered)) = star else {
                return false;
            };
            if name.get(covered).is_none_or(|c| *c == '/') {
                return false;
            }
            star = Some((star_piece, covered + 1));
            (piece, at) = (star_piece + 1, covered + 1);
        }
    }
}

impl Piece {
    fn fits(&self, c: char) -> bool {
        match self {
            Piece::Char(wanted) => *wanted == c,
            Piece::Any => c != '/',
            Piece::Star => false,
            Piece::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut chars = text.chars().peekable();
    let mut out = Vec::new();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' => Piece::Star,
            '?' => Piece::Any,
            '\\' => Piece::Char(chars.next()?),
            '[' => {
                let negated = chars.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
                    let low = class_char(&mut chars)?;
                    let high = if chars.next_if_eq(&'-').is_some() {
                        class_char(&mut chars)?
                    } else {
                        low
                    };
                    ranges.push((low, high));
                }
                Piece::Class { negated, ranges }
            }
            other => Piece::Char(other),
        });
    }
    Some(out)
}

fn class_char(chars: &mut impl Iterator<Item = char>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let compiled = NamePattern::new(pattern);
        for name in yes {
            assert!(compiled.matches(name), "{pattern} matches {name}");
        }
        for name in no {
            assert!(!compiled.matches(name), "{pattern} does not match {name}");
        }
    }

    #[test]
    fn the_nearest_of_known_names() {
        let known = [
            "log.level",
            "bundles.includeall",
            "audit.env",
            "audit.k8s.podinfo",
        ];
        for (word, want) in [
            ("bundles.includeal", "bundles.includeall"),
            ("include.allbundles", "bundles.includeall"),
            ("loglevel", "log.level"),
            ("audit.environment", "audit.env"),
            ("podinfo", "audit.k8s.podinfo"),
        ] {
            assert_eq!(nearest(word, &known), Some(want), "{word}");
        }
        assert_eq!(nearest("a", &[]), None);
    }

    #[test]
    fn patterns() {
        check("read", &["read"], &["READ", "reads", "", "rea"]);
        check("read*", &["read", "reader"], &["read/berth", "a read"]);
        check("read/*", &["read/berth", "read/"], &["read", "read/a/b"]);
        check("**", &["", "anything"], &["a/b"]);
        check("*a*b", &["ab", "xaxb", "aab"], &["a/ab", "ba"]);
        check("*/*", &["a/b", "/"], &["a", "a/b/c"]);
        check(
            "write-?",
            &["write-1", "write-é"],
            &["write-", "write-12", "write-/"],
        );
        check("write-[^1]", &["write-2"], &["write-1", "write-"]);
        check("[a-cx]", &["a", "c", "x"], &["d", "-", ""]);
        check("[^a]", &["/"], &["a"]);
        check("[\\]]", &["]"], &["\\"]);
        check("\\*", &["*"], &["a", "\\*"]);
        check("write-[x", &["write-[x"], &["write-x"]);
        for broken in ["[", "[]", "[]a]", "[-]", "[a-]", "a\\"] {
            check(broken, &[broken], &["a", "-", "]"]);
        }
        check("write-{1,2}", &["write-{1,2}"], &["write-1"]);
    }
}
