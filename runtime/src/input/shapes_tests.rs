//! Lists of objects that are laid out as earlier ones were, nearly so, and not at all: what is remembered may change nothing.

use super::layouts_tests::Reader;
use super::tests::Random;
use crate::repeated::repeated;

const LIST: &[&[&str]] = &[&["list"], &["other"]];

impl Reader {
    /// For how many objects a shape was tried, and how many were of another one.
    fn tried(&mut self, text: &str) -> (usize, usize) {
        let before = self.layouts.shapes.counted();
        self.check(text.as_bytes());
        let after = self.layouts.shapes.counted();
        // Read twice.
        ((after.0 - before.0) / 2, (after.1 - before.1) / 2)
    }
}

/// Appends a list of objects of few kinds, whose keys are in no order, come twice, have escapes, or are missing.
fn list(random: &mut Random, text: &mut Vec<u8>) {
    let keys = ["b", "a", "\\u0061", "a longer key", "é"];
    let values = [
        "1",
        "-2.50",
        "\"x\"",
        "\"\"",
        "\"\\n\"",
        "\"a text of seventeen\"",
        "null",
        "true",
        "[]",
        "[{\"b\":1,\"a\":2}]",
        "{}",
        "{\"a\":[{\"b\":1}]}",
    ];
    let blank = ["", " "][random.below(2)];
    let kinds: Vec<Vec<&str>> = (0..1 + random.below(3))
        .map(|_| {
            (0..random.below(4))
                .map(|_| keys[random.below(keys.len())])
                .collect()
        })
        .collect();
    let objects: Vec<String> = (0..random.below(6))
        .map(|_| {
            let members: Vec<String> = kinds[random.below(kinds.len())]
                .iter()
                .map(|key| format!("\"{key}\":{blank}{}", values[random.below(values.len())]))
                .collect();
            format!("{{{}}}", members.join(&format!(",{blank}")))
        })
        .collect();
    text.extend(format!("[{}]", objects.join(&format!(",{blank}"))).as_bytes());
}

#[test]
fn random_lists_are_read_as_without_memory_whatever_is_guessed() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut reader = Reader::new(LIST);
    for round in 0..repeated(6_000) {
        let mut text = b"{\"list\":".to_vec();
        list(&mut random, &mut text);
        text.extend(b",\"other\":");
        list(&mut random, &mut text);
        text.push(b'}');
        for damage in 0..4 {
            if damage > 0 {
                random.damage(&mut text);
            }
            reader.check(&text);
            if round % 2 == 0 {
                reader.layouts.guess_anew(|below| random.below(below));
                reader.whole.guess_anew(|below| random.below(below));
            }
        }
    }
    let (tried, missed) = reader.layouts.shapes.counted();
    assert!(tried > 0 && missed > 0, "{tried} {missed}");
}

#[test]
fn a_familiar_list_is_right_or_wrong_at_each_byte() {
    let seed = r#"{"list": [{"b": 1, "a": "x"}, {"b": [2], "a": {"b": 3}}, { "c" :"é" }, {}], "other": [{"b": -1, "a": null}]}"#;
    Reader::new(LIST).check_each_byte(seed, b"{}[]:,\"\\ 0-e1ab\x00\xff\ntn");
}

#[test]
fn what_is_familiar_is_read_by_its_shape() {
    let mut reader = Reader::new(LIST);
    let text =
        r#"{"list": [{"b": 1, "a": "x"}, {"c": 1}, {"b": 2, "a": "y"}, {"b": [{"c": 1}], "a": {"c": 1}}]}"#;
    let said = r#"[{"a":"x","b":1},{"c":1},{"a":"y","b":2},{"a":{"c":1},"b":[{"c":1}]}] -"#;
    assert_eq!(reader.check(text.as_bytes()), said);
    assert_eq!(reader.check(text.as_bytes()), said);
    assert_eq!(reader.tried(text), (4, 0));
    // Another list of the same objects.
    assert_eq!(reader.tried(&text.replace("list", "other")), (4, 0));
    // Objects that begin alike, one after the other.
    let alike = r#"{"list": [{"b": 1, "a": 1}, {"b": 2}, {"b": 3, "d": 3}, {"b": 4, "a": 4, "e": 4}]}"#;
    reader.check(alike.as_bytes());
    let said = r#"[{"a":1,"b":1},{"b":2},{"b":3,"d":3},{"a":4,"b":4,"e":4}] -"#;
    assert_eq!(reader.check(alike.as_bytes()), said);
    assert_eq!(reader.tried(alike), (4, 0));
    assert_eq!(reader.check(alike.as_bytes()), said);
}

/// Read as a whole, a document has objects within objects, which are read by shapes too, once it has ended.
#[test]
fn a_familiar_document_is_read_by_shapes_as_a_whole() {
    let mut reader = Reader::new(LIST);
    let text =
        r#"{"z": {"b": {"d": 1, "c": {}}, "a": [{"b": {"y": 1}, "a": 2}, {"a": 1}]}, "list": 1, "a": [{}]}"#;
    let mut counted = || {
        let before = reader.whole.shapes.counted();
        reader.check(text.as_bytes());
        let after = reader.whole.shapes.counted();
        // Read twice.
        ((after.0 - before.0) / 2, (after.1 - before.1) / 2)
    };
    counted();
    assert_eq!((counted(), counted()), ((6, 0), (6, 0)));
}

/// An object of a shape has at most eight members, and at most 31 bytes stand in front of a value; what has more is read each
/// time, and so is what has a key twice, or one with escapes.
#[test]
fn shapes_at_their_bounds_and_above() {
    let is_kept = |object: &str| {
        let mut reader = Reader::new(LIST);
        let text = format!("{{\"list\": [{object}]}}");
        reader.check(text.as_bytes());
        reader.tried(&text) == (1, 0)
    };
    for (members, want) in [(0, false), (1, true), (8, true), (9, false), (20, false)] {
        let members = (0..members).map(|n| format!("\"k{}\": {n}", 7 * n % 20));
        let object = format!("{{{}}}", members.collect::<Vec<_>>().join(", "));
        assert_eq!(is_kept(&object), want, "{object}");
    }
    for (len, want) in [(27, true), (28, false), (200, false)] {
        assert_eq!(is_kept(&format!("{{\"{}\":1}}", "k".repeat(len))), want, "{len}");
    }
    for object in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"b":2,"a":2}"#,
        r#"{"\u0061":1}"#,
        r#"{"a":1,"\n":1}"#,
    ] {
        assert!(!is_kept(object), "{object}");
    }
}

/// Whoever sends what nobody has sent before takes time from himself only: what the others send stays known, or is known soon.
#[test]
fn strange_objects_displace_familiar_ones_for_a_while_at_most() {
    let mut reader = Reader::new(LIST);
    let text = r#"{"list": [{"b": 1, "a": "x"}, {"c": 1}]}"#;
    reader.check(text.as_bytes());
    for strange in 0..repeated(20_000) {
        let objects = (0..20).map(|n| format!("{{\"k{}\":{n}}}", strange * 20 + n));
        reader.check(format!("{{\"list\":[{}]}}", objects.collect::<Vec<_>>().join(",")).as_bytes());
        if strange % 10 == 0 {
            reader.check(text.as_bytes());
        }
    }
    assert_eq!(reader.tried(text), (2, 0));
}
