//! The framing rules as a table, and the property that it does not matter how the bytes arrive.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed test panics"
)]

use gavel_server::http::request::{Decoder, Persistence, Step};

const BODY_MAX: usize = 64;

/// What a whole input amounts to: each request as `body|tail of flags`, then how it ended.
fn outcome(pieces: &[&[u8]]) -> Vec<String> {
    let mut decoder = Decoder::new(BODY_MAX);
    let mut buffer = Vec::new();
    let mut seen = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        let mut at = 0;
        loop {
            match decoder.advance(&mut buffer, at) {
                Step::More => break,
                Step::Request(message) => {
                    let body = String::from_utf8_lossy(&buffer[message.body_start..message.body_end]);
                    let close = match message.head.persistence {
                        Persistence::Stays => "",
                        Persistence::Kept => " kept",
                        Persistence::Ends => " close",
                    };
                    seen.push(format!("{:?} [{body}]{close}", message.head.method));
                    at = message.end;
                }
                // Whether the client is told to go on depends on what is here already; the outcome must not.
                Step::Expect(_) => {}
                Step::Refuse(refusal) => {
                    seen.push(format!("{} {}", refusal.status, refusal.message));
                    return seen;
                }
            }
        }
        buffer.drain(..at);
    }
    if decoder.finish(buffer.len()).is_some() {
        seen.push("cut".to_owned());
    }
    seen
}

/// Checks an input whole, split at every offset, and byte by byte.
#[track_caller]
fn check(input: &str, want: &[&str]) {
    let bytes = input.as_bytes();
    assert_eq!(outcome(&[bytes]), want, "whole: {input:?}");
    for at in 1..bytes.len() {
        assert_eq!(
            outcome(&[&bytes[..at], &bytes[at..]]),
            want,
            "split at {at}: {input:?}"
        );
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(outcome(&single), want, "byte by byte: {input:?}");
}

/// A POST with these header lines (each with its line end) and what follows the head.
fn post(headers: &str, rest: &str) -> String {
    format!("POST /decision HTTP/1.1\r\nHost: a\r\n{headers}\r\n{rest}")
}

#[test]
fn bodies_by_length() {
    check(&post("Content-Length: 2\r\n", "{}"), &["Post [{}]"]);
    check(&post("content-length: 02\r\n", "{}"), &["Post [{}]"]);
    check(&post("Content-Length: 0\r\n", ""), &["Post []"]);
    check(&post("", ""), &["Post []"]);
    check(
        &post("Content-Length: 64\r\n", &"x".repeat(64)),
        &[&format!("Post [{}]", "x".repeat(64))],
    );
    check(
        &post("Content-Length: 65\r\n", ""),
        &["413 request body too large"],
    );
    check(
        &post("Content-Length: 9223372036854775807\r\n", ""),
        &["413 request body too large"],
    );
    check(&post("Content-Length: 3\r\n", "{}"), &["cut"]);
    let bad = "400 malformed or repeated Content-Length";
    for value in [
        "-1",
        "+2",
        "2 2",
        "2, 2",
        "0x2",
        "",
        "2.0",
        "18446744073709551616",
        "99999999999999999999",
    ] {
        check(&post(&format!("Content-Length: {value}\r\n"), "{}"), &[bad]);
    }
    check(&post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), &[bad]);
    check(&post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), &[bad]);
}

#[test]
fn bodies_in_chunks() {
    let chunked = |rest: &str| post("Transfer-Encoding: chunked\r\n", rest);
    check(&chunked("2\r\n{}\r\n0\r\n\r\n"), &["Post [{}]"]);
    check(
        &post(
            "transfer-encoding: Chunked\r\n",
            "1\r\n{\r\n01\r\n}\r\n00\r\n\r\n",
        ),
        &["Post [{}]"],
    );
    check(
        &chunked("a;x=y;z=\"q\"\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n"),
        &["Post [0123456789abcdefghij]"],
    );
    check(&chunked("0\r\n\r\n"), &["Post []"]);
    check(&chunked("2\r\n{}\r\n0\r\nX-A: 1\r\nX-B:\r\n\r\n"), &["Post [{}]"]);
    check(&chunked("2\r\n{}\r\n"), &["cut"]);
    for bad in [
        "2 \r\n{}\r\n0\r\n\r\n",
        " 2\r\n{}\r\n0\r\n\r\n",
        "2\n{}\r\n0\r\n\r\n",
        "2\r\n{}\n0\r\n\r\n",
        "2\r\n{}x\r\n0\r\n\r\n",
        "x\r\n{}\r\n0\r\n\r\n",
        "\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "2;a\nb\r\n{}\r\n0\r\n\r\n",
        "2;a\rb\r\n{}\r\n0\r\n\r\n",
        "2;\u{1}\r\n{}\r\n0\r\n\r\n",
        "00000000000000002\r\n{}\r\n0\r\n\r\n",
    ] {
        check(&chunked(bad), &["400 malformed chunk"]);
    }
    check(
        &chunked(&format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "e".repeat(300))),
        &["400 malformed chunk"],
    );
    check(
        &chunked("2\r\n{}\r\n0\r\nbad trailer\r\n\r\n"),
        &["400 malformed trailer"],
    );
    check(&chunked("2\r\n{}\r\n0\r\nA: 1\n\r\n"), &["400 malformed trailer"]);
    check(&chunked("41\r\n"), &["413 request body too large"]);
    check(
        &chunked(&format!("40\r\n{}\r\n1\r\nx\r\n0\r\n\r\n", "x".repeat(64))),
        &["413 request body too large"],
    );
    check(&chunked("ffffffffffffffff\r\n"), &["413 request body too large"]);
    let many = "1;e\r\nx\r\n".repeat(64);
    check(
        &chunked(&format!("{many}0\r\n\r\n")),
        &[&format!("Post [{}]", "x".repeat(64))],
    );
}

#[test]
fn bounds_of_extensions_and_trailers() {
    let chunked = |rest: &str| post("Transfer-Encoding: chunked\r\n", rest).into_bytes();
    let extension = "e".repeat(250);
    let long = chunked(&format!("1;{extension}\r\nx\r\n").repeat(40));
    assert_eq!(outcome(&[&long]), ["400 malformed chunk"]);
    let trailers = chunked(&format!(
        "0\r\n{}\r\n",
        format!("A: {}\r\n", "t".repeat(1000)).repeat(9)
    ));
    assert_eq!(outcome(&[&trailers]), ["431 trailer too large"]);
}

#[test]
fn one_framing_only() {
    let two = "400 more than one of Content-Length and Transfer-Encoding";
    check(
        &post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        &[two],
    );
    check(
        &post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "0\r\n\r\n"),
        &[two],
    );
    check(
        &post(
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\n",
        ),
        &[two],
    );
    let coding = "501 the only supported transfer coding is chunked";
    for value in [
        "gzip",
        "gzip, chunked",
        "chunked, chunked",
        "identity",
        "xchunked",
        "chunked;q=1",
        "",
    ] {
        check(
            &post(&format!("Transfer-Encoding: {value}\r\n"), "0\r\n\r\n"),
            &[coding],
        );
    }
    check(
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &["400 Transfer-Encoding needs HTTP/1.1"],
    );
}

#[test]
fn heads() {
    let malformed = "400 malformed request head";
    let line_feed = "400 line feed without carriage return";
    check("GET / HTTP/1.1\r\n\r\n", &["400 missing Host header"]);
    check(
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        &["400 malformed or repeated Host header"],
    );
    check(
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        &["400 malformed or repeated Host header"],
    );
    check(
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        &["400 malformed or repeated Host header"],
    );
    check("GET / HTTP/1.1\r\nHost:\r\n\r\n", &["Get []"]);
    check("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", &["Get []"]);
    check("GET / HTTP/1.0\r\n\r\n", &["Get [] close"]);
    check("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", &["Get []"]);
    check("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", &[malformed]);
    check("GET / HTTP/1.1\nHost: a\n\n", &[line_feed]);
    check("GET / HTTP/1.1\r\nHost: a\n\r\n", &[line_feed]);
    check("GET / HTTP/1.1\r\nHost: a\r\nX: b\n\r\n", &[line_feed]);
    check("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", &[malformed]);
    check("GET / HTTP/1.1\r\nHost : a\r\n\r\n", &[malformed]);
    check("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", &[malformed]);
    check("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", &[malformed]);
    check("GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n", &[malformed]);
    check("GET / HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n", &[malformed]);
    check("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", &[malformed]);
    check("GET /\r\nHost: a\r\n\r\n", &[malformed]);
    check("nonsense\r\n\r\n", &[malformed]);
    check(
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        &["505 the supported versions are HTTP/1.0 and HTTP/1.1"],
    );
    check(
        "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        &["505 the supported versions are HTTP/1.0 and HTTP/1.1"],
    );
    check(
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &["505 the supported versions are HTTP/1.0 and HTTP/1.1"],
    );
    check("GET / HTTP/1.1\r\nHost: a", &["cut"]);
}

#[test]
fn bounds_of_a_head() {
    let field = |bytes: usize| format!("X: {}\r\n", "v".repeat(bytes));
    let head = |total: usize| {
        let fixed = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", field(total - fixed))
    };
    assert_eq!(outcome(&[head(16 * 1024).as_bytes()]), ["Get []"]);
    assert_eq!(
        outcome(&[head(16 * 1024 + 1).as_bytes()]),
        ["431 request head too large"]
    );
    let fields = |count: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: y\r\n".repeat(count - 1)
        )
    };
    assert_eq!(outcome(&[fields(64).as_bytes()]), ["Get []"]);
    assert_eq!(outcome(&[fields(65).as_bytes()]), ["431 too many header fields"]);
    let target = |bytes: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "p".repeat(bytes - 1));
    assert_eq!(outcome(&[target(8 * 1024).as_bytes()]), ["Get []"]);
    assert_eq!(
        outcome(&[target(8 * 1024 + 1).as_bytes()]),
        ["414 request target too long"]
    );
    assert_eq!(
        outcome(&[target(20 * 1024).as_bytes()]),
        ["414 request target too long"]
    );
}

#[test]
fn the_end_of_a_connection() {
    check(&post("Connection: close\r\n", ""), &["Post [] close"]);
    check(
        &post("Connection: keep-alive , Close\r\n", ""),
        &["Post [] close"],
    );
    check(
        &post("Connection: x\r\nConnection: close\r\n", ""),
        &["Post [] close"],
    );
    check(&post("Connection: closed\r\n", ""), &["Post []"]);
    check(&post("Connection: keep-alive\r\n", ""), &["Post []"]);
    check(
        "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        &["Get [] kept"],
    );
    check(
        "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
        &["Get [] close"],
    );
}

#[test]
fn pipelined_requests_keep_their_order() {
    let input = [
        post("Content-Length: 1\r\n", "1"),
        post("Transfer-Encoding: chunked\r\n", "1\r\n2\r\n0\r\n\r\n"),
        post("", ""),
        post(
            "Transfer-Encoding: chunked\r\n",
            "1;x\r\n3\r\n1\r\n3\r\n0\r\nT: u\r\n\r\n",
        ),
        post("Content-Length: 1\r\nConnection: close\r\n", "4"),
    ]
    .concat();
    check(
        &input,
        &["Post [1]", "Post [2]", "Post []", "Post [33]", "Post [4] close"],
    );
    let broken = [
        post("Content-Length: 1\r\n", "1"),
        "GARBAGE\r\n\r\n".to_owned(),
        post("", ""),
    ]
    .concat();
    check(&broken, &["Post [1]", "400 malformed request head"]);
}

#[test]
fn expectations() {
    check(
        &post("Expect: 100-continue\r\nContent-Length: 2\r\n", "{}"),
        &["Post [{}]"],
    );
    check(
        &post(
            "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n",
            "2\r\n{}\r\n0\r\n\r\n",
        ),
        &["Post [{}]"],
    );
    check(
        &post("Expect: 200-ok\r\n", ""),
        &["417 the only supported expectation is 100-continue"],
    );
    check(
        &post("Expect: 100-continue\r\nContent-Length: 65\r\n", ""),
        &["413 request body too large"],
    );
}

#[test]
fn a_client_is_told_to_continue_once_and_only_if_it_waits() {
    let head = post("Expect: 100-continue\r\nContent-Length: 2\r\n", "");
    let mut decoder = Decoder::new(BODY_MAX);
    let mut buffer = head.clone().into_bytes();
    assert!(matches!(decoder.advance(&mut buffer, 0), Step::Expect(_)));
    assert_eq!(decoder.advance(&mut buffer, 0), Step::More);
    buffer.extend_from_slice(b"{");
    assert_eq!(decoder.advance(&mut buffer, 0), Step::More);
    buffer.extend_from_slice(b"}");
    assert!(matches!(decoder.advance(&mut buffer, 0), Step::Request(_)));
    let mut early = Decoder::new(BODY_MAX);
    let mut buffer = format!("{head}{{").into_bytes();
    assert_eq!(early.advance(&mut buffer, 0), Step::More);
}

#[test]
fn chunk_overhead_does_not_pile_up() {
    let mut decoder = Decoder::new(10_000);
    let mut buffer = post("Transfer-Encoding: chunked\r\n", "").into_bytes();
    let head = buffer.len();
    for _ in 0..5_000 {
        buffer.extend_from_slice(b"1\r\nx\r\n");
        assert_eq!(decoder.advance(&mut buffer, 0), Step::More);
    }
    assert_eq!(buffer.len(), head + 5_000);
}

/// Damaged requests: whatever they amount to, it must not depend on how they arrive.
#[test]
fn damaged_input_means_the_same_however_it_arrives() {
    let seeds = [
        post("Content-Length: 5\r\nConnection: keep-alive\r\n", "hello"),
        post(
            "Transfer-Encoding: chunked\r\n",
            "5;a=b\r\nhello\r\n3\r\nxyz\r\n0\r\nT: u\r\n\r\n",
        ),
        [
            post("Content-Length: 2\r\n", "{}"),
            post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        ]
        .concat(),
        "\r\nGET http://a/b?c HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n\r\n".to_owned(),
    ];
    let alphabet = b"\r\n\r\n \t:;,0123456789abcfxAF\0\x7f\xff/?";
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for round in 0..20_000 {
        let mut input = seeds[round % seeds.len()].clone().into_bytes();
        for _ in 0..=random(4) {
            let at = random(input.len());
            let byte = alphabet[random(alphabet.len())];
            match random(4) {
                0 => input[at] = byte,
                1 => input.insert(at, byte),
                2 => drop(input.remove(at)),
                _ => {
                    let piece = input[at..input.len().min(at + 12)].to_vec();
                    let to = random(input.len());
                    input.splice(to..to, piece);
                }
            }
        }
        let want = outcome(&[&input]);
        let single: Vec<&[u8]> = input.chunks(1).collect();
        assert_eq!(outcome(&single), want, "{:?}", String::from_utf8_lossy(&input));
        let (first, rest) = input.split_at(random(input.len()));
        assert_eq!(
            outcome(&[first, rest]),
            want,
            "{:?}",
            String::from_utf8_lossy(&input)
        );
    }
}
