//! PORCs in all their forms: the fast way and the exact way must say the same.

use super::{InputDoc, Layouts, PorcError, SlotTrie, Trailing};
use crate::arena::Arena;
use crate::json::{Escape, write};
use crate::repeated::repeated;

/// How a document is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    /// By the exact parser.
    Exact,
    /// By the walk, where it dares to.
    Walk,
    /// As a whole, where that is surely right.
    Whole,
}

/// The trie of slots, and their cells.
pub(super) fn trie_of(slots: &[&[&str]]) -> (SlotTrie, Box<[u16]>) {
    let paths: Vec<Vec<String>> = slots
        .iter()
        .map(|path| path.iter().map(|&key| key.to_owned()).collect())
        .collect();
    SlotTrie::build(&paths).unwrap()
}

/// JSON text of the slots, or the error.
fn read(bytes: &[u8], slots: &[&[&str]], way: Way, trailing: Trailing) -> Result<String, PorcError> {
    let (trie, cells) = trie_of(slots);
    read_by(bytes, (&trie, &cells), way, trailing, None)
}

/// JSON text of cells, or the error. `layouts` is for the walk.
pub(super) fn read_by(
    bytes: &[u8],
    (trie, cells): (&SlotTrie, &[u16]),
    way: Way,
    trailing: Trailing,
    layouts: Option<&mut Layouts>,
) -> Result<String, PorcError> {
    let arena = Arena::new(1 << 12, 64 << 20);
    let mut copy = Vec::new();
    let mut doc = InputDoc::default();
    match way {
        Way::Exact => doc.read_porc(trie, &arena, (None, None), bytes, trailing)?,
        Way::Walk => doc.read_porc(trie, &arena, (Some(&mut copy), layouts), bytes, trailing)?,
        Way::Whole => {
            let value = doc.read_whole_porc(&arena, (Some(&mut copy), layouts), bytes, trailing)?;
            doc.set(trie, value);
        }
    }
    let mut out = Vec::new();
    for cell in cells {
        match doc.value(trie, &arena, *cell).unwrap() {
            Some(value) => write(&mut out, value, Escape::Plain).unwrap(),
            None => out.push(b'-'),
        }
        out.push(b' ');
    }
    out.pop();
    Ok(String::from_utf8(out).unwrap())
}

#[track_caller]
fn check_slots(text: &[u8], slots: &[&[&str]], wanted: &str) {
    for way in [Way::Exact, Way::Walk, Way::Whole] {
        let found = match read(text, slots, way, Trailing::Refuse) {
            Ok(text) => text,
            Err(error) => error.to_string(),
        };
        assert_eq!(found, wanted, "{way:?}, {}", String::from_utf8_lossy(text));
    }
}

#[track_caller]
fn check(text: &str, wanted: &str) {
    check_slots(text.as_bytes(), &[&[]], wanted);
}

#[test]
fn slots_are_filled_in_one_walk() {
    let slots: &[&[&str]] = &[&["a"], &["a", "b"], &["a", "b", "c"], &["d"], &["a", "x"]];
    check_slots(
        br#"{"a":{"b":{"c":1},"x":null},"d":[1]}"#,
        slots,
        r#"{"b":{"c":1},"x":null} {"c":1} 1 [1] null"#,
    );
    check_slots(br#"{"a":{"b":5}}"#, slots, r#"{"b":5} 5 - - -"#);
    check_slots(br#"{"a":"s"}"#, slots, r#""s" - - - -"#);
    check_slots(b"{}", slots, "- - - - -");
    check_slots(br#"{"q":{"a":1},"d":2}"#, slots, "- - - 2 -");
}

#[test]
fn the_last_of_equal_keys_wins_whole() {
    let slots: &[&[&str]] = &[&["a", "b"], &["a", "c"], &["a"], &[]];
    check_slots(
        br#"{"a":{"b":1,"c":2},"a":{"c":3}}"#,
        slots,
        r#"- 3 {"c":3} {"a":{"c":3}}"#,
    );
    check_slots(br#"{"a":{"b":1},"a":7}"#, slots, r#"- - 7 {"a":7}"#);
    check_slots(
        br#"{"a":7,"a":{"b":1,"b":2}}"#,
        slots,
        r#"2 - {"b":2} {"a":{"b":2}}"#,
    );
}

#[test]
fn numbers_are_read_by_value() {
    check(
        r#"{"n":[1.0,1e2,-0,-0.0,1.50,1e-7]}"#,
        r#"{"n":[1,100,-0,-0,1.5,1e-07]}"#,
    );
    check(r#"{"n":9223372036854775807}"#, r#"{"n":9223372036854775807}"#);
    check(r#"{"n":-9223372036854775808}"#, r#"{"n":-9223372036854775808}"#);
    check(r#"{"n":9223372036854775808}"#, r#"{"n":9223372036854775808}"#);
    check(r#"{"n":18446744073709551615}"#, r#"{"n":18446744073709551615}"#);
    check(r#"{"n":18446744073709551616}"#, r#"{"n":18446744073709551616}"#);
    check(r#"{"n":12345678901234567890.0}"#, r#"{"n":12345678901234567890}"#);
    check(
        r#"{"n":[0,-0.5],"d":"2026-03-07"}"#,
        r#"{"d":"2026-03-07","n":[0,-0.5]}"#,
    );
    check(r#"{"n": -0 }"#, r#"{"n":-0}"#);
    check(r#"{"n":1e22}"#, r#"{"n":10000000000000000000000}"#);
    check(r#"{"n":1e-400}"#, r#"{"n":0}"#);
    check(r#"{"n":33.333333333333336}"#, r#"{"n":33.333333333333336}"#);
    for beyond in ["1e400", "-1e309"] {
        check(
            &format!(r#"{{"n":{beyond}}}"#),
            "json: cannot unmarshal number into Go value of type float64",
        );
    }
}

#[test]
fn strings_are_repaired() {
    check_slots(b"{\"s\":\"<\xff>\"}", &[&["s"]], "\"<\u{fffd}>\"");
    check_slots(
        b"{\"s\":\"\xed\xa0\x80\"}",
        &[&["s"]],
        "\"\u{fffd}\u{fffd}\u{fffd}\"",
    );
    check_slots(br#"{"s":"a\udc00b\ud83d\ude00"}"#, &[&["s"]], "\"a\u{fffd}b😀\"");
    check_slots(br#"{"s":"\ud800\u0041\/\b"}"#, &[&["s"]], "\"\u{fffd}A/\\b\"");
    check_slots(b"{\"k\xff\":1}", &[&[]], "{\"k\u{fffd}\":1}");
}

#[test]
fn what_is_no_object_is_refused() {
    for (text, what) in [
        ("[{}]", "array"),
        ("42", "number"),
        ("-1", "number"),
        ("true", "bool"),
        ("\"x\"", "string"),
    ] {
        check(
            text,
            &format!("json: cannot unmarshal {what} into Go value of type types.PORC"),
        );
    }
    check(" null ", "malformed PORC");
    for (text, error) in [
        ("", "unexpected end of JSON input"),
        ("  \n\t ", "unexpected end of JSON input"),
        ("hello", "invalid character 'h' looking for beginning of value"),
        (r#"{"a":"#, "unexpected end of JSON input"),
        (
            r#"{"a":1,}"#,
            "invalid character '}' looking for beginning of object key string",
        ),
        (
            r#"{"a":012}"#,
            "invalid character '1' after object key:value pair",
        ),
        (
            r#"{"a":1.}"#,
            "invalid character '}' after decimal point in numeric literal",
        ),
        (
            r#"{"a":.5}"#,
            "invalid character '.' looking for beginning of value",
        ),
        (
            r#"{"a":1e}"#,
            "invalid character '}' in exponent of numeric literal",
        ),
        (r#"{"a":-}"#, "invalid character '}' in numeric literal"),
        (
            r#"{"a":TRUE}"#,
            "invalid character 'T' looking for beginning of value",
        ),
        ("{\"a\":\"\n\"}", "invalid character '\\n' in string literal"),
        ("{\"a\":\"\t\"}", "invalid character '\\t' in string literal"),
        (
            r#"{"a":"\u12"}"#,
            "invalid character '\"' in \\u hexadecimal character escape",
        ),
        (
            "{/* no */}",
            "invalid character '/' looking for beginning of object key string",
        ),
        (
            "\u{feff}{}",
            "invalid character 'ï' looking for beginning of value",
        ),
        ("{} x", "invalid character 'x' after top-level value"),
    ] {
        check(text, error);
    }
    check_slots(
        b"{\"a\":\"x\"\xff}",
        &[&[]],
        "invalid character 'ÿ' after object key:value pair",
    );
}

#[test]
fn text_behind_the_object_can_be_ignored() {
    for behind in ["", " x", "}", "{}", "\0", "\u{ffff}"] {
        let text = format!("{{\"a\":1}}{behind}");
        for way in [Way::Exact, Way::Walk, Way::Whole] {
            assert_eq!(
                read(text.as_bytes(), &[&["a"]], way, Trailing::Ignore).as_deref(),
                Ok("1")
            );
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "documents of 10,000 levels")]
fn nesting() {
    for depth in [1, 100, 127, 128, 200, 1024, 9_999] {
        let text = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        check(&text, &text);
    }
    let text = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    check(&text, "exceeded max depth");
}

/// Small changes of a document: both ways must agree on what comes out and on whether anything does.
#[test]
fn both_ways_agree_on_damaged_documents() {
    let seed = r#"{"a":{"b":[1,-2.5,true,null,"x\n\u00e9y"],"c":{}},"d":1.0,"e":"é","a":[]}"#.as_bytes();
    let bytes = b"{}[]:,\"\\ 0-.eE+1a\x00\xff\ntfn";
    let slots: &[&[&str]] = &[&[], &["a", "b"], &["d"]];
    let compare = |text: &[u8]| {
        for trailing in [Trailing::Refuse, Trailing::Ignore] {
            let exact = read(text, slots, Way::Exact, trailing);
            for way in [Way::Walk, Way::Whole] {
                let found = read(text, slots, way, trailing);
                assert_eq!(exact, found, "{way:?}, {}", String::from_utf8_lossy(text));
            }
        }
    };
    for at in (0..seed.len()).step_by(if cfg!(miri) { 13 } else { 1 }) {
        compare(&seed[..at]);
        let mut shorter = seed.to_vec();
        shorter.remove(at);
        compare(&shorter);
        for &byte in bytes {
            let mut changed = seed.to_vec();
            changed[at] = byte;
            compare(&changed);
            let mut longer = seed.to_vec();
            longer.insert(at, byte);
            compare(&longer);
        }
    }
}

/// What usual requests look like is read by the walk; nothing of it is left to the exact parser.
#[test]
fn usual_documents_are_read_once() {
    for text in [
        "{}",
        " {\r\n\t\"a\" : { } , \"b\":[ ] }\n",
        r#"{"a":{"b":[1,-2.5,1e3,true,null,{"x\n":"\u00e9\ud83d\ude00"}],"c":{"d":"x"}},"s":"\"q\\ é😀"}"#,
        r#"{"skipped":{"n":[0,-0,-0.5,1e-9,1E+9,"\u12aB\/\"",{"k\"":[[]]}],"e":{}},"a":1}"#,
        r#"{"a":"exactly8","ab":"exactly 16 bytes","abc":"and one byte more"}"#,
    ] {
        let paths: Vec<Vec<String>> = vec![vec![], vec!["a".into(), "b".into()], vec!["s".into()]];
        let (trie, _) = SlotTrie::build(&paths).unwrap();
        let arena = Arena::new(1 << 12, 1 << 20);
        let mut copy = Vec::new();
        let mut doc = InputDoc::default();
        let read = doc.walk(
            &trie,
            &arena,
            (&mut copy, None),
            text.as_bytes(),
            Trailing::Refuse,
        );
        assert!(read.is_some(), "{text}");
    }
}

/// Members of keys that differ late, or have escapes, or are long.
#[test]
fn keys_are_told_apart() {
    let slots: &[&[&str]] = &[
        &["abcdefghijklmno"],
        &["abcdefghijklmnop"],
        &["abcdefghijklmnoq"],
        &["é"],
        &[""],
    ];
    check_slots(
        br#"{"abcdefghijklmno":1,"abcdefghijklmnoq":2,"abcdefghijklmnor":3,"\u00e9":4,"":5,"abcdefghijklmn":6}"#,
        slots,
        "1 - 2 4 5",
    );
    check_slots("{\"é\":1,\"e\":2,\"\\u0000\":3}".as_bytes(), slots, "- - - 1 -");
    check_slots(br#"{"abcdefghijklmnop\u0000":1}"#, slots, "- - - - -");
    let slots: &[&[&str]] = &[&["\0\0\0\0\0\0\0\0\0"], &["a\"b"], &["\\"], &["a"]];
    check_slots(br#"{"a\"b":1,"a":2,"\\":3,"b":4}"#, slots, "- 1 3 2");
    check_slots(
        br#"{"\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000":1}"#,
        slots,
        "1 - - -",
    );
}

/// Where the walk gives up it leaves nothing behind.
#[test]
fn what_is_nested_deep_is_read_whole() {
    for (before, behind) in [(62, 1), (63, 1), (64, 1), (65, 1), (1, 64), (3, 64), (3, 65)] {
        let inner = format!("{}7{}", "[".repeat(behind), "]".repeat(behind));
        let text = format!(
            "{{\"a\":{{\"b\":{}{inner}{}}},\"c\":{}{inner}{}}}",
            "{\"x\":".repeat(before),
            "}".repeat(before),
            "[".repeat(before),
            "]".repeat(before),
        );
        check(&text, &text);
        check_slots(text.as_bytes(), &[&["a", "b", "x", "y"], &["d"]], "- -");
    }
}

/// Slots on several levels, of objects that are gone into and of objects that are not.
pub(super) const SLOTS: &[&[&str]] = &[
    &[],
    &["a"],
    &["a", "a"],
    &["a", "b"],
    &["b", "a", "c"],
    &["c"],
    &["longer key of a member"],
];

/// Random documents, damaged at random: both ways must agree on all slots and on what is wrong.
#[test]
fn both_ways_agree_on_random_documents() {
    let slots = SLOTS;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..repeated(3_000) {
        let mut text = Vec::new();
        random.document(&mut text, 4);
        for damage in 0..4 {
            if damage > 0 {
                random.damage(&mut text);
            }
            for trailing in [Trailing::Refuse, Trailing::Ignore] {
                let exact = read(&text, slots, Way::Exact, trailing);
                for way in [Way::Walk, Way::Whole] {
                    let found = read(&text, slots, way, trailing);
                    assert_eq!(exact, found, "{way:?}, {}", String::from_utf8_lossy(&text));
                }
            }
        }
    }
}

/// A generator of documents (xorshift).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    fn blank(&mut self, text: &mut Vec<u8>) {
        text.extend(
            self.pick(&["", "", "", " ", "\n", "\n            ", "\t\r\n "])
                .as_bytes(),
        );
    }

    fn key(&mut self, text: &mut Vec<u8>) {
        let keys = [
            "\"a\"",
            "\"a\"",
            "\"b\"",
            "\"c\"",
            "\"\\u0061\"",
            "\"longer key of a member\"",
            "\"longer key of a member too\"",
        ];
        text.extend(self.pick(&keys).as_bytes());
    }

    pub(super) fn document(&mut self, text: &mut Vec<u8>, depth: usize) {
        text.push(b'{');
        for member in 0..self.below(6) {
            if member > 0 {
                text.push(b',');
            }
            self.blank(text);
            self.key(text);
            self.blank(text);
            text.push(b':');
            self.value(text, depth);
        }
        self.blank(text);
        text.push(b'}');
    }

    fn value(&mut self, text: &mut Vec<u8>, depth: usize) {
        let scalars = [
            "true",
            "false",
            "null",
            "0",
            "-0",
            "7",
            "-12.50",
            "1e3",
            "1e400",
            "123456789012345678",
            "1234567890123456789",
            "99999999999999999999",
            "0.1e-7",
            "\"\"",
            "\"x\"",
            "\"eight by\"",
            "\"some text that is longer than sixteen bytes\"",
            "\"\\n\\\"\\\\\\/\\u00e9\\ud83d\\ude00\\udead\"",
            "\"é😀\"",
        ];
        self.blank(text);
        match self.below(4) {
            0 if depth > 0 => self.document(text, depth - 1),
            1 if depth > 0 => {
                text.push(b'[');
                for item in 0..self.below(4) {
                    if item > 0 {
                        text.push(b',');
                    }
                    self.value(text, depth - 1);
                }
                text.push(b']');
            }
            _ => text.extend(self.pick(&scalars).as_bytes()),
        }
        self.blank(text);
    }

    pub(super) fn damage(&mut self, text: &mut Vec<u8>) {
        let bytes = b"{}[]:,\"\\ 0-.eE+1a\x00\xff\xc3\ntfnu";
        let (at, byte) = (self.below(text.len() + 1), bytes[self.below(bytes.len())]);
        match self.below(4) {
            0 => text.insert(at, byte),
            1 if at < text.len() => text[at] = byte,
            2 if at < text.len() => {
                text.remove(at);
            }
            _ => text.truncate(at),
        }
    }
}
