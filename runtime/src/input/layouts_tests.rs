//! Documents that are laid out as earlier ones were, nearly so, and not at all: what is remembered may change nothing.

use super::tests::{Random, SLOTS, Way, read_by, trie_of};
use super::{Layouts, SlotTrie, Trailing};
use crate::repeated::repeated;

/// Readers that remember, beside one that does not.
pub(super) struct Reader {
    trie: SlotTrie,
    cells: Box<[u16]>,
    pub(super) layouts: Layouts,
    /// For documents that are read as a whole.
    pub(super) whole: Layouts,
}

impl Reader {
    pub(super) fn new(slots: &[&[&str]]) -> Reader {
        let (trie, cells) = trie_of(slots);
        let (layouts, whole) = (Layouts::new(&trie), Layouts::new(&trie));
        Reader {
            trie,
            cells,
            layouts,
            whole,
        }
    }

    /// What the slots are, or the error; all readers must say the same.
    #[track_caller]
    pub(super) fn check(&mut self, text: &[u8]) -> String {
        let slots = (&self.trie, &*self.cells);
        let mut said = String::new();
        for trailing in [Trailing::Ignore, Trailing::Refuse] {
            let exact = read_by(text, slots, Way::Exact, trailing, None);
            let found = read_by(text, slots, Way::Walk, trailing, Some(&mut self.layouts));
            assert_eq!(exact, found, "{trailing:?}, {}", String::from_utf8_lossy(text));
            let whole = read_by(text, slots, Way::Whole, trailing, Some(&mut self.whole));
            assert_eq!(exact, whole, "{trailing:?}, {}", String::from_utf8_lossy(text));
            said = found.unwrap_or_else(|error| error.to_string());
        }
        said
    }

    /// How many pieces a document consists of, and how many of them are not known.
    fn passed(&mut self, text: &str) -> (usize, usize) {
        let before = self.layouts.counted();
        self.check(text.as_bytes());
        let after = self.layouts.counted();
        // Read twice.
        ((after.0 - before.0) / 2, (after.1 - before.1) / 2)
    }

    /// Reads a document as it is, cut off at each byte, without it, and with each of some bytes in its place or before it.
    pub(super) fn check_each_byte(&mut self, seed: &str, bytes: &[u8]) {
        let places = repeated(seed.len()).max(4);
        for at in (0..seed.len()).step_by(seed.len().div_ceil(places)) {
            self.check(seed.as_bytes());
            self.check(&seed.as_bytes()[..at]);
            let mut shorter = seed.as_bytes().to_vec();
            shorter.remove(at);
            self.check(&shorter);
            for &byte in bytes {
                // Twice each: a damage must not be taken for familiar either.
                for _ in 0..2 {
                    let mut changed = seed.as_bytes().to_vec();
                    changed[at] = byte;
                    self.check(&changed);
                    let mut longer = seed.as_bytes().to_vec();
                    longer.insert(at, byte);
                    self.check(&longer);
                }
            }
        }
    }
}

/// Documents of few keys, so that pieces come again in other places, with damages that hit pieces, values and the ends of
/// both.
#[test]
fn random_documents_are_read_as_without_memory() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut reader = Reader::new(SLOTS);
    for _ in 0..repeated(6_000) {
        let mut text = Vec::new();
        random.document(&mut text, 3);
        for damage in 0..4 {
            if damage > 0 {
                random.damage(&mut text);
            }
            reader.check(&text);
        }
    }
    let (known, unknown) = reader.layouts.counted();
    assert!(known > 0 && unknown > 0, "{known} {unknown}");
}

/// Whatever piece is tried, at whatever place: only the right one is taken.
#[test]
fn wrong_guesses_change_nothing() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut reader = Reader::new(SLOTS);
    for _ in 0..repeated(6_000) {
        let mut text = Vec::new();
        random.document(&mut text, 3);
        for damage in 0..3 {
            if damage == 2 {
                random.damage(&mut text);
            }
            reader.check(&text);
            reader.layouts.guess_anew(|below| random.below(below));
        }
    }
    let (known, unknown) = reader.layouts.counted();
    assert!(known > 0 && unknown > 0, "{known} {unknown}");
}

/// A piece has at most 63 bytes, and at most four objects begin in it; what is longer is read each time.
#[test]
fn pieces_at_their_bounds_and_above() {
    let is_kept = |text: &str| {
        let mut reader = Reader::new(&[&["a", "a", "a", "a", "a", "a"], &["b"]]);
        reader.check(text.as_bytes());
        reader.passed(text).1 == 0
    };
    for (blanks, want) in [(53, true), (54, false), (200, false)] {
        let text = format!(r#"{{"b":1,{}"unread":2}}"#, " ".repeat(blanks));
        assert_eq!(is_kept(&text), want, "{blanks}");
    }
    for (depth, want) in [(4, true), (5, false)] {
        let (opened, closed) = (r#""a":{"#.repeat(depth), "}".repeat(depth));
        let text = format!(r#"{{"b":1,{opened}"a":7{closed}}}"#);
        assert_eq!(is_kept(&text), want, "{depth}");
    }
}

#[test]
fn a_familiar_document_is_right_or_wrong_at_each_byte() {
    let seed = r#"{ "a": {"a": "x", "b" : [1, {"q": 2}], "u": {"v": {}}},
  "b":{"a":{"c":-1.5}, "longer key of a member": null}, "unread": "some text", "c": {"k": true},
  "longer key of a member": "é"
}"#;
    let mut reader = Reader::new(SLOTS);
    reader.check_each_byte(seed, b"{}[]:,\"\\ 0-e1a\x00\xff\ntn");
    assert_eq!(reader.passed(seed).1, 0);
}

/// The same layout with other values, of all types and lengths: nothing of the one request is seen by the next.
#[test]
fn values_are_never_remembered() {
    let values = [
        "1",
        "-7",
        "1.50",
        "\"\"",
        "\"x\"",
        "\"a text of seventeen\"",
        "\"\\u00e9\"",
        "true",
        "null",
        "[]",
        "[1,2]",
        "{}",
        "{\"a\":1}",
        "{\"b\":{\"c\":2}}",
        "{\"z\":0}",
    ];
    let mut reader = Reader::new(SLOTS);
    for first in values {
        for second in values {
            for third in values {
                let text =
                    format!("{{\"a\":{{\"a\":{first}}},\"c\":{second},\"b\":{{\"a\":{{\"c\":{third}}}}}}}");
                reader.check(text.as_bytes());
            }
        }
    }
    assert_eq!(
        reader.check(br#"{"a":{"a":"old"},"c":"old"}"#),
        r#"{"a":{"a":"old"},"c":"old"} {"a":"old"} "old" - - "old" -"#
    );
    assert_eq!(
        reader.check(br#"{"a":{"a":"new"},"c":1}"#),
        r#"{"a":{"a":"new"},"c":1} {"a":"new"} "new" - - 1 -"#
    );
    assert_eq!(
        reader.check(br#"{"a":{"a":"new"}}"#),
        r#"{"a":{"a":"new"}} {"a":"new"} "new" - - - -"#
    );
}

/// A key that comes twice: the last one counts whole, whatever is known of it.
#[test]
fn equal_keys_are_read_as_without_memory() {
    let mut reader = Reader::new(SLOTS);
    for _ in 0..4 {
        for text in [
            r#"{"a":{"a":1,"b":2},"a":{"a":3}}"#,
            r#"{"a":{"a":1,"b":2},"a":{"b":3}}"#,
            r#"{"a":{"a":1,"b":2},"a":7}"#,
            r#"{"a":{"a":1,"b":2},"a":{}}"#,
            r#"{"a":{"a":1},"b":{"a":{"c":1}},"b":{"a":{}},"a":{"b":2}}"#,
            r#"{"a":1,"a":1,"a":1}"#,
            r#"{"a":{"a":1,"a":{"a":1},"a":2}}"#,
            r#"{"u":1,"u":2,"u":{"a":1},"c":1}"#,
        ] {
            reader.check(text.as_bytes());
        }
    }
}

#[test]
fn what_is_familiar_is_passed_as_a_whole() {
    let mut reader = Reader::new(SLOTS);
    let text = r#"{"a": {"a": 1, "b": "x"}, "u": [1, 2], "c": null}"#;
    assert_eq!(reader.passed(text), (2, 2));
    assert_eq!(reader.passed(text), (5, 0));
    // An object that could have been gone into.
    let empty = r#"{"a": {}, "u": {}, "c": null}"#;
    reader.check(empty.as_bytes());
    assert_eq!(reader.passed(empty), (4, 0));
    assert_eq!(reader.passed(&empty.replace("{}", "7")), (4, 0));
    // Other values, and one layout among several.
    let other = r#"{"a": {"a": "one", "b": {"q": 1}}, "c": 1, "u": null}"#;
    reader.check(other.as_bytes());
    for _ in 0..10 {
        assert_eq!(reader.passed(text), (5, 0));
        assert_eq!(
            reader.passed(&text.replace('1', "\"é\"").replace("null", "{}")),
            (5, 0)
        );
        assert_eq!(reader.passed(other), (5, 0));
    }
}

/// Whoever sends what nobody has sent before takes time from himself only: what the others send stays known, or is known soon.
#[test]
fn strange_documents_displace_familiar_ones_for_a_while_at_most() {
    let mut reader = Reader::new(SLOTS);
    let text = r#"{"a": {"a": 1, "b": "x"}, "c": null}"#;
    reader.check(text.as_bytes());
    for strange in 0..repeated(20_000) {
        let keys = (0..20).map(|n| format!("\"k{}\":{n}", strange * 20 + n));
        reader.check(format!("{{{}}}", keys.collect::<Vec<_>>().join(",")).as_bytes());
        if strange % 10 == 0 {
            reader.check(text.as_bytes());
        }
    }
    assert_eq!(reader.passed(text), (4, 0));
}

#[test]
fn pieces_of_another_trie_are_not_used() {
    let text = br#"{"a":{"b":1},"b":2}"#;
    let mut reader = Reader::new(&[&["a", "b"], &["b"]]);
    reader.check(text);
    reader.check(text);
    let (trie, cells) = trie_of(&[&["b"], &["a", "b"], &["a", "c"], &["a"]]);
    let other = (&trie, &*cells);
    let before = reader.layouts.counted();
    let found = read_by(
        text,
        other,
        Way::Walk,
        Trailing::Refuse,
        Some(&mut reader.layouts),
    );
    assert_eq!(found.as_deref(), Ok(r#"2 1 - {"b":1}"#));
    assert_eq!(reader.layouts.counted(), before);
}
