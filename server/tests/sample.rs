//! What a stream says of being a sample: before its first record, also where records in front of that are lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use common::cli::Folder;
use common::{DENIED, Server, denied, eventually, small_spool};

/// A service that records one of a thousand grants, into a spool.
fn start(folder: &Folder) -> Server {
    Server::start_with("epoll", &small_spool("deny", &folder.0), |command| {
        command.env("MPE_AUDIT_SAMPLE_GRANTS", "1000");
    })
}

/// What each line of the stream is.
fn kinds(output: &str) -> Vec<&'static str> {
    let kind = |line: &str| match line {
        "{\"sample\":{\"grants\":\"1000\"}}" => "sample",
        _ if line.starts_with("{\"gap\"") => "gap",
        _ if line.contains("\"decision\":\"DENY\"") => "record",
        other => panic!("{other}"),
    };
    output.lines().map(kind).collect()
}

#[test]
fn the_first_record_is_too_large() {
    let folder = Folder::new("sample-large", &[]);
    let server = start(&folder);
    let mut client = server.connect();
    let padding = "x".repeat(100_000);
    let large = format!("{{\"operation\":\"shop:door:shut\",\"context\":{{\"x\":\"{padding}\"}}}}");
    for body in [&large, DENIED, DENIED] {
        assert_eq!(client.post(body), denied());
    }
    let (_, output, _) = server.stop();
    assert_eq!(kinds(&output), ["gap", "sample", "record", "record"]);
}

#[test]
fn the_first_record_is_given_up() {
    let folder = Folder::new("sample-given-up", &[]);
    let mut server = start(&folder);
    let mut client = server.connect();
    server.limit_files("16");
    assert_eq!(client.post(DENIED), denied());
    server.wait_for("cannot be written");
    server.limit_files("unlimited");
    eventually(|| {
        client.post(DENIED);
        server.saw("written again")
    });
    client.post(DENIED);
    let (_, output, _) = server.stop();
    let kinds = kinds(&output);
    assert_eq!(kinds.first(), Some(&"gap"), "{kinds:?}");
    let sample = kinds.iter().position(|kind| *kind == "sample");
    let record = kinds.iter().position(|kind| *kind == "record");
    assert!(sample.is_some() && sample < record, "{kinds:?}");
}
