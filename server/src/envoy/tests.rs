//! Protobuf bytes in, JSON text out.
#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use expect_test::{Expect, expect};

use super::answer::Answers;
use super::attributes::{Unreadable, to_json};
use super::wire::{Payload, fields, put_bytes, put_varint};
use crate::limits::MESSAGE_FIELDS_MAX;

/// A message of fields with bytes.
fn message(parts: &[(u32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, bytes) in parts {
        put_bytes(&mut out, *number, bytes);
    }
    out
}

fn varint(number: u32, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, number, value);
    out
}

/// A CheckRequest with these attributes.
fn with_attributes(attributes: &[u8]) -> Vec<u8> {
    message(&[(1, attributes)])
}

/// A CheckRequest with this HTTP part.
fn with_http(http: &[u8]) -> Vec<u8> {
    with_attributes(&message(&[(4, &message(&[(2, http)]))]))
}

#[track_caller]
fn check(request: &[u8], want: Expect) {
    let mut json = Vec::new();
    let text = match to_json(request, &mut json) {
        Ok(true) => String::from_utf8(json).unwrap(),
        Ok(false) => "no attributes".to_owned(),
        Err(error) => format!("{error:?}"),
    };
    want.assert_eq(&text);
}

#[test]
fn empty_messages_stay_and_empty_members_go() {
    check(&[], expect!["no attributes"]);
    check(&with_attributes(&[]), expect!["{}"]);
    check(&with_http(&[]), expect![[r#"{"request":{"http":{}}}"#]]);
    check(
        &with_http(&[message(&[(2, b""), (4, b"/a\"b")]), varint(9, 0)].concat()),
        expect![[r#"{"request":{"http":{"path":"/a\"b"}}}"#]],
    );
    check(
        &with_attributes(&message(&[(1, b""), (12, b"")])),
        expect![[r#"{"source":{},"tls_session":{}}"#]],
    );
}

#[test]
fn numbers_bytes_and_maps() {
    let header = |key: &[u8], value: &[u8]| message(&[(1, key), (2, value)]);
    let http = [
        message(&[
            (3, &header(b"a", b"1")),
            (3, &header(b"b", b"")),
            (3, b""),
            (12, &[0, 0xff]),
        ]),
        varint(9, u64::MAX),
    ]
    .concat();
    check(
        &with_http(&http),
        expect![[r#"{"request":{"http":{"headers":{"a":"1","b":"","":""},"size":-1,"raw_body":"AP8="}}}"#]],
    );
}

#[test]
fn a_choice_is_named_and_may_be_zero_or_null() {
    let source = |address: &[u8]| with_attributes(&message(&[(1, &message(&[(1, address)]))]));
    check(
        &source(&[]),
        expect![[r#"{"source":{"address":{"Address":null}}}"#]],
    );
    check(
        &source(&message(&[(1, &varint(3, 0))])),
        expect![[
            r#"{"source":{"address":{"Address":{"SocketAddress":{"PortSpecifier":{"PortValue":0}}}}}}"#
        ]],
    );
    check(
        &source(&message(&[(
            1,
            &[varint(3, 80), message(&[(4, b"http")])].concat(),
        )])),
        expect![[
            r#"{"source":{"address":{"Address":{"SocketAddress":{"PortSpecifier":{"NamedPort":"http"}}}}}}"#
        ]],
    );
    check(
        &source(&message(&[(1, b""), (2, &message(&[(1, b"/run/a")]))])),
        expect![[r#"{"source":{"address":{"Address":{"Pipe":{"path":"/run/a"}}}}}"#]],
    );
}

#[test]
fn pieces_of_a_message_are_one_message_and_the_last_of_equal_scalars_counts() {
    let request = [
        with_http(&message(&[(2, b"GET"), (4, b"/a")])),
        with_http(&message(&[(4, b"/b"), (5, b"h")])),
    ]
    .concat();
    check(
        &request,
        expect![[r#"{"request":{"http":{"method":"GET","path":"/b","host":"h"}}}"#]],
    );
    check(
        &with_http(&message(&[(2, b"GET"), (2, b"")])),
        expect![[r#"{"request":{"http":{}}}"#]],
    );
}

#[test]
fn what_nobody_knows_is_passed_over() {
    // Field 77, and a path with the wire type of a number.
    let http = [message(&[(77, b"x"), (5, b"h")]), varint(4, 7)].concat();
    check(
        &with_http(&http),
        expect![[r#"{"request":{"http":{"host":"h"}}}"#]],
    );
}

/// `google.protobuf.Struct` with one member.
fn structure(value: &[u8]) -> Vec<u8> {
    message(&[(1, &message(&[(1, b"k"), (2, value)]))])
}

fn with_metadata(value: &[u8]) -> Vec<u8> {
    let filter = message(&[(1, b"f"), (2, &structure(value))]);
    with_attributes(&message(&[(11, &message(&[(1, &filter)]))]))
}

#[test]
fn metadata_is_plain_json() {
    let number = |value: f64| [&[0x11][..], &value.to_le_bytes()].concat();
    check(
        &with_metadata(&varint(1, 0)),
        expect![[r#"{"metadata_context":{"filter_metadata":{"f":{"k":null}}}}"#]],
    );
    check(
        &with_metadata(&number(1.5)),
        expect![[r#"{"metadata_context":{"filter_metadata":{"f":{"k":1.5e0}}}}"#]],
    );
    let list = message(&[
        (1, &varint(4, 1)),
        (1, &message(&[(3, b"t")])),
        (1, &message(&[(5, b"")])),
    ]);
    check(
        &with_metadata(&message(&[(6, &list)])),
        expect![[r#"{"metadata_context":{"filter_metadata":{"f":{"k":[true,"t",{}]}}}}"#]],
    );
    check(&with_metadata(&[]), expect!["NoJson"]);
    check(&with_metadata(&number(f64::NAN)), expect!["NoJson"]);
}

#[test]
fn nesting_is_bounded() {
    let mut value = varint(4, 1);
    for _ in 0..60 {
        value = message(&[(5, &structure(&value))]);
    }
    check(&with_metadata(&value), expect!["TooDeep"]);
}

#[test]
fn fields_of_a_message_are_bounded() {
    let most = varint(9, 1).repeat(MESSAGE_FIELDS_MAX);
    check(&with_http(&most), expect![[r#"{"request":{"http":{"size":1}}}"#]]);
    check(&with_http(&[most, varint(9, 1)].concat()), expect!["TooMany"]);
}

#[test]
fn bytes_that_are_no_message_are_unreadable() {
    check(&[0xff], expect!["Malformed"]);
    check(b"\x0a\x05abc", expect!["Malformed"]);
    check(
        &with_http(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        expect!["Malformed"],
    );
    check(
        &with_http(&message(&[(4, b"/\xff")])),
        expect![[r#"NotText("path")"#]],
    );
    let header = message(&[(1, b"a"), (2, b"\xc3")]);
    check(
        &with_http(&message(&[(3, &header)])),
        expect![[r#"NotText("headers")"#]],
    );
}

/// No bytes make the reader panic, and what it writes is JSON.
#[test]
fn any_bytes_are_read_or_refused() {
    let http = message(&[(2, b"GET"), (3, &message(&[(1, b"a"), (2, b"b")])), (4, b"/a")]);
    let whole = [with_http(&http), with_metadata(&message(&[(3, b"t")]))].concat();
    for at in 0..whole.len() {
        for byte in [0, 1, 0x0a, 0x7f, 0x80, 0xff] {
            let mut changed = whole.clone();
            if let Some(place) = changed.get_mut(at) {
                *place = byte;
            }
            let mut json = Vec::new();
            match to_json(&changed, &mut json) {
                Ok(true) => assert!(
                    serde_json::from_slice::<serde_json::Value>(&json).is_ok(),
                    "{}",
                    String::from_utf8_lossy(&json)
                ),
                Ok(false) | Err(Unreadable::Malformed | Unreadable::NotText(_)) => {}
                Err(
                    Unreadable::InPieces | Unreadable::NoJson | Unreadable::TooDeep | Unreadable::TooMany,
                ) => {}
            }
        }
    }
}

#[test]
fn a_denial_carries_status_header_and_body_and_nothing_else() {
    let answer = Answers::new().of(false);
    let found: Vec<(u32, String)> = fields(&answer)
        .map(|field| {
            let field = field.unwrap();
            let Payload::Bytes(bytes) = field.payload else {
                return (field.number, String::new());
            };
            (field.number, String::from_utf8_lossy(bytes).into_owned())
        })
        .collect();
    let [(1, status), (2, denied)] = found.as_slice() else {
        unreachable!("{found:?}");
    };
    assert_eq!(status.as_bytes(), [8, 7]);
    assert!(denied.contains("x-ext-authz-check-result\u{12}\u{6}denied"));
    assert!(denied.ends_with("permission denied"));
}
