//! JSON in and out, with texts on both sides.

use super::{Escape, Numbers, Unprintable, parse, write};
use crate::arena::Arena;
use crate::value::{Constant, Entry, Pool, Value};

fn read<'r>(arena: &'r Arena, text: &'r [u8], numbers: Numbers) -> Result<Value<'r>, String> {
    parse(arena, text, numbers).map_err(|error| error.to_string())
}

/// Text → value → text, or the error.
fn round_trip(text: &[u8], numbers: Numbers) -> String {
    let arena = Arena::new(1 << 12, 64 << 20);
    match read(&arena, text, numbers) {
        Ok(value) => {
            let mut out = Vec::new();
            write(&mut out, value, Escape::Plain).unwrap();
            String::from_utf8(out).unwrap()
        }
        Err(error) => error,
    }
}

#[track_caller]
fn check(text: &str, wanted: &str) {
    assert_eq!(round_trip(text.as_bytes(), Numbers::Text), wanted, "{text}");
}

#[test]
fn documents() {
    check(" null ", "null");
    check("[]", "[]");
    check("{ }", "{}");
    check(r#"[1, [2, {"a" : [ ] }], "x"]"#, r#"[1,[2,{"a":[]}],"x"]"#);
    check(
        r#"{"b":1,"a":{"d":true,"c":false}}"#,
        r#"{"a":{"c":false,"d":true},"b":1}"#,
    );
    check("{\r\n\t\"a\" :\t1 ,\r\n\"b\"\t: 2}\r\n", r#"{"a":1,"b":2}"#);
    check(r#"{"":1}"#, r#"{"":1}"#);
}

#[test]
fn last_of_equal_keys_wins() {
    check(r#"{"a":{"x":1},"b":2,"a":{"y":3}}"#, r#"{"a":{"y":3},"b":2}"#);
    let many: String = (0..200).map(|i| format!("\"k{}\":{i},", i % 50)).collect();
    let text = format!("{{{many}\"z\":0}}");
    let out = round_trip(text.as_bytes(), Numbers::Text);
    assert!(out.contains("\"k7\":157,") && !out.contains(":7,"), "{out}");
}

/// Every byte of ASCII, and characters of every length, at every offset of short and long texts.
#[test]
fn what_is_escaped_is_found_wherever_it_stands() {
    let plain = "abcdefghijklmnopqrstuvwxyz";
    for odd in (0..128u8)
        .step_by(if cfg!(miri) { 11 } else { 1 })
        .map(char::from)
        .chain(['é', '\u{2027}', '\u{2028}', '\u{2029}', '\u{202a}', '😀'])
    {
        for length in [0, 1, 7, 8, 9, 16, 20] {
            for at in 0..=length {
                let (front, behind) = plain[..length].split_at(at);
                let text = format!("{front}{odd}{behind}");
                for escape in [Escape::Plain, Escape::Html, Escape::Record] {
                    let mut out = Vec::new();
                    super::write_string(&mut out, &text, escape);
                    let spelled = match odd {
                        '"' => "\\\"".to_owned(),
                        '\\' => "\\\\".to_owned(),
                        '\u{8}' => "\\b".to_owned(),
                        '\t' => "\\t".to_owned(),
                        '\n' => "\\n".to_owned(),
                        '\u{c}' => "\\f".to_owned(),
                        '\r' => "\\r".to_owned(),
                        '<' | '>' | '&' if escape != Escape::Plain => format!("\\u{:04x}", u32::from(odd)),
                        '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", u32::from(odd)),
                        other => other.to_string(),
                    };
                    let want = format!("\"{front}{spelled}{behind}\"");
                    assert_eq!(String::from_utf8(out).unwrap(), want);
                }
            }
        }
    }
}

#[test]
fn strings() {
    check(r#""\"\\\/\b\f\n\r\t""#, r#""\"\\/\b\f\n\r\t""#);
    check(r#""\ud83d\ude00\u00e9""#, "\"😀é\"");
    check(r#""a\udc00b""#, "\"a\u{fffd}b\"");
    check(r#""\ud800\u0041""#, "\"\u{fffd}A\"");
    check(r#""\udc00\ud800""#, "\"\u{fffd}\u{fffd}\"");
    check(r#""\ud800\ud800\udc00""#, "\"\u{fffd}\u{10000}\"");
    check("\"\u{2028}\u{7f}\\u0001\"", "\"\\u2028\u{7f}\\u0001\"");
}

#[test]
fn each_bad_byte_is_replaced() {
    let check = |bytes: &[u8], wanted: &str| assert_eq!(round_trip(bytes, Numbers::Text), wanted);
    check(b"\"<\xff>\"", "\"<\u{fffd}>\"");
    check(b"\"\xed\xa0\x80\"", "\"\u{fffd}\u{fffd}\u{fffd}\"");
    check(b"\"\xf4\x90\x80\x80\"", "\"\u{fffd}\u{fffd}\u{fffd}\u{fffd}\"");
    check(b"\"\xe2\x82\"", "\"\u{fffd}\u{fffd}\"");
    check(b"{\"k\xff\":\"\\n\xff\"}", "{\"k\u{fffd}\":\"\\n\u{fffd}\"}");
}

#[test]
fn errors_are_worded_as_in_go() {
    check("", "unexpected end of JSON input");
    check("  \n", "unexpected end of JSON input");
    check("hello", "invalid character 'h' looking for beginning of value");
    check(r#"{"a":"ev"#, "unexpected end of JSON input");
    check(r#"{"a":1,"#, "unexpected end of JSON input");
    check(r#"{"a":"#, "unexpected end of JSON input");
    check(
        r#"{"a":1,}"#,
        "invalid character '}' looking for beginning of object key string",
    );
    check(
        r"{'a':1}",
        "invalid character '\\'' looking for beginning of object key string",
    );
    check(
        r#"{"a":1,,"b":2}"#,
        "invalid character ',' looking for beginning of object key string",
    );
    check(r#"{"a" "b"}"#, "invalid character '\"' after object key");
    check(
        r#"{"a":1 "b":2}"#,
        "invalid character '\"' after object key:value pair",
    );
    check("[1 2]", "invalid character '2' after array element");
    check("[1,]", "invalid character ']' looking for beginning of value");
    check("{} x", "invalid character 'x' after top-level value");
    check("012", "invalid character '1' after top-level value");
    check(
        r#"{"a":012}"#,
        "invalid character '1' after object key:value pair",
    );
    check("[.5]", "invalid character '.' looking for beginning of value");
    check(
        "[1.]",
        "invalid character ']' after decimal point in numeric literal",
    );
    check("[-]", "invalid character ']' in numeric literal");
    check("[1e]", "invalid character ']' in exponent of numeric literal");
    check("[TRUE]", "invalid character 'T' looking for beginning of value");
    check("\"a\nb\"", "invalid character '\\n' in string literal");
    check(
        r#""\u12""#,
        "invalid character '\"' in \\u hexadecimal character escape",
    );
    check(r#""\x""#, "invalid character 'x' in string escape code");
    check(
        "\u{feff}{}",
        "invalid character 'ï' looking for beginning of value",
    );
}

#[test]
#[cfg_attr(miri, ignore = "documents of 10,000 levels")]
fn nesting_has_a_limit_and_needs_no_stack() {
    for (depth, wanted) in [(10_000, None), (10_001, Some("exceeded max depth"))] {
        let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let out = round_trip(text.as_bytes(), Numbers::Text);
        assert_eq!(out, wanted.unwrap_or(&text));
        let text = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let out = round_trip(text.as_bytes(), Numbers::Text);
        assert_eq!(out, wanted.unwrap_or(&text));
    }
    let mixed = format!(
        "{}{}",
        "[{},[],{\"a\":1,\"b\":".repeat(200),
        "1".to_owned() + &"}]".repeat(200)
    );
    check(&mixed, &mixed);
}

#[test]
fn numbers_by_either_rule() {
    check("[1.50,1e2,-0]", "[1.50,1e2,-0]");
    assert_eq!(round_trip(b"[1.50,1e2,-0]", Numbers::ByValue), "[1.5,100,-0]");
    assert_eq!(
        round_trip(b"{\"a\":1e400}", Numbers::ByValue),
        "json: cannot unmarshal number into Go value of type float64"
    );
}

#[test]
fn sets_and_odd_keys() {
    let show_in = |escape: Escape, constant: Constant| {
        let pool = Pool::new(&[constant]).unwrap();
        let mut out = Vec::new();
        write(&mut out, pool.get(0).unwrap(), escape).map(|()| String::from_utf8(out).unwrap())
    };
    let show = |constant: Constant| show_in(Escape::Html, constant);
    let text = |s: &str| Constant::String(s.to_owned());
    assert_eq!(
        show(Constant::set(vec![Constant::Int(2), Constant::Int(1)])).unwrap(),
        "[1,2]"
    );
    let keys = Constant::object(vec![
        (Constant::Array(vec![text("x")]), Constant::Int(1)),
        (Constant::Int(10), Constant::Int(2)),
        (text("<&>"), Constant::Int(3)),
    ]);
    assert_eq!(
        show(keys).unwrap(),
        r#"{"10":2,"\u003c\u0026\u003e":3,"[\"x\"]":1}"#
    );
    assert!(show(Constant::Number(".5".to_owned())).is_err());
    let within = Constant::object(vec![(Constant::Array(vec![text("<")]), text("<"))]);
    assert_eq!(
        show_in(Escape::Plain, within).unwrap(),
        r#"{"[\"\\u003c\"]":"<"}"#
    );
}

/// A value whose parts are one and the same many times over may be small and have a text without end.
#[test]
fn a_text_ends_also_where_it_is_lists_and_keys_alone() {
    let arena = Arena::new(1 << 12, 64 << 20);
    let mut lists = Value::array(&[]);
    let mut objects = Value::object(&[]);
    for _ in 0..5 {
        lists = Value::array(arena.values(&[lists; 100]).unwrap());
        let keys = (0..100_i64).map(|key| Entry {
            key: Value::string(arena.text(&format!("{key:02}")).unwrap()),
            value: objects,
        });
        objects = Value::object(arena.entries_mut(&keys.collect::<Vec<_>>()).unwrap());
    }
    for value in [lists, objects] {
        let mut out = Vec::new();
        assert_eq!(write(&mut out, value, Escape::Plain), Err(Unprintable::TooLong));
        assert!(out.len() < 65 << 20, "{}", out.len());
    }
}
