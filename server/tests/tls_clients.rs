//! Who is let in by certificate: clients of the decision API by authority and by name, and Envoy.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod common;
#[path = "common/grpc.rs"]
mod grpc;
#[path = "common/tls.rs"]
mod tls;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use common::cli::run_words;
use common::{GRANTED, Server, eventually, gavel, post};
use rustls::HandshakeKind;
use tls::{ALLOWED, Authority, Folder, ask, connect, connect_to, port_behind, start, trusting};

#[test]
fn clients_show_a_certificate_with_a_name_of_the_list() {
    let (authority, other) = (Authority::new(), Authority::new());
    let folder = Folder::of("clients", &authority, "pdp.example.com");
    let spiffe = "spiffe://example.com/ns/shop/sa/web";
    let names = [
        "--tls-client-name",
        spiffe,
        "--tls-client-name",
        "batch.example.com",
    ];
    let any = folder.flags(&["--tls-client-ca", "@clients.pem"]);
    let named: Vec<String> = any.iter().cloned().chain(names.map(str::to_owned)).collect();
    let (any, named) = (start("epoll", &any), start("epoll", &named));
    for (by, name, is_any, is_named) in [
        (&authority, spiffe, true, true),
        (&authority, "BATCH.example.com", true, true),
        (&authority, "spiffe://example.com/ns/shop/sa/webshop", true, false),
        (&authority, "example.com", true, false),
        (&other, spiffe, false, false),
    ] {
        let own = by.certificate(name);
        for (server, want) in [(&any, is_any), (&named, is_named)] {
            let answer = ask(
                &mut connect(server, &authority, Some(&own)),
                &post(GRANTED),
                ALLOWED,
            );
            assert_eq!(answer.is_ok(), want, "{name}: {answer:?}");
        }
    }
    assert!(ask(&mut connect(&any, &authority, None), &post(GRANTED), ALLOWED).is_err());
    assert_eq!(any.stop().1.lines().count(), 4);
    assert_eq!(named.stop().1.lines().count(), 2);
}

#[test]
fn names_that_nobody_can_have_are_refused() {
    for (name, said) in [
        ("", "--tls-client-name: an empty name is nobody's"),
        (
            "spiffe://example.com/*",
            "--tls-client-name spiffe://example.com/*: names are compared whole",
        ),
    ] {
        let bundle = common::file("shop.yml");
        let bundle = bundle.to_str().unwrap();
        let mut words = vec!["serve", "-b", bundle, "--tls-cert", "a", "--tls-key", "b"];
        words.extend(["--tls-client-ca", "c", "--tls-client-name", name]);
        let (status, _, problem) = run_words(&words, "");
        assert!(status == Some(1) && problem.contains(said), "{name}: {problem}");
    }
}

/// A session that a client goes on with would show no certificate again, though the old one may have expired or its name be gone
/// from the list. Where clients show none, sessions go on.
#[test]
fn who_shows_a_certificate_shows_it_each_time() {
    let authority = Authority::new();
    let folder = Folder::of("resumed", &authority, "pdp.example.com");
    let own = authority.certificate("web.example.com");
    let asks = folder.flags(&["--tls-client-ca", "@clients.pem"]);
    for (flags, own, again) in [
        (folder.flags(&[]), None, HandshakeKind::Resumed),
        (asks, Some(&own), HandshakeKind::Full),
    ] {
        let server = start("epoll", &flags);
        let config = trusting(&authority, own);
        for want in [HandshakeKind::Full, again, again] {
            let mut client = connect_to(server.port, config.clone());
            assert!(ask(&mut client, &post(GRANTED), ALLOWED).is_ok());
            assert_eq!(client.conn.handshake_kind(), Some(want));
        }
        server.stop();
    }
}

#[test]
fn envoy_asks_over_tls() {
    let authority = Authority::new();
    let folder = Folder::of("envoy", &authority, "localhost");
    let flags = folder.flags_at(
        "envoy-",
        &[
            "--envoy-port",
            "0",
            "--envoy-tls-client-ca",
            "@clients.pem",
            "--envoy-tls-client-name",
            "spiffe://example.com/envoy",
            "--admin",
            "0",
        ],
    );
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut server = Server::start_on(&common::file("gate.yml"), "epoll", &flags, |_| {});
    let port = port_behind(
        &server.wait_for("serving Envoy gRPC on "),
        "serving Envoy gRPC on ",
    );
    let admin = port_behind(&server.wait_for("reachable: "), "admin on ");
    let own = authority.certificate("spiffe://example.com/envoy");
    for protocols in [vec![], vec![b"h2".to_vec()]] {
        let mut config = trusting(&authority, Some(&own));
        config.alpn_protocols = protocols;
        let client = grpc::GrpcClient::tls(port, Arc::new(config));
        assert!(client.allows(grpc::request("open", b"/", b"")));
        assert!(!client.allows(grpc::request("shut", b"/", b"")));
    }
    // Neither without TLS nor as somebody else.
    let other = authority.certificate("spiffe://example.com/other");
    let mut client = connect_to(port, {
        let mut config = trusting(&authority, Some(&other));
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    });
    assert!(
        client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").is_err() || client.read(&mut [0; 16]).is_err()
    );
    eventually(|| {
        let mut metrics = String::new();
        let mut client = TcpStream::connect(("127.0.0.1", admin)).unwrap();
        client
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        client.read_to_string(&mut metrics).unwrap();
        metrics.contains("gavel_tls_handshakes_failed_total{serves=\"envoy\"} 1\n")
    });
    assert_eq!(server.stop().0.code(), Some(0));
}

/// Envoy asks over HTTP as it does over gRPC: with its certificate, or not at all.
#[test]
fn envoy_asks_over_tls_in_http() {
    let authority = Authority::new();
    let folder = Folder::of("envoy-http", &authority, "pdp.example.com");
    let more = [
        "--protocol",
        "envoy-http",
        "--envoy-tls-client-ca",
        "@clients.pem",
    ];
    let flags = folder.flags_at("envoy-", &more);
    let mut command = gavel();
    command
        .args(["serve", "--port", "0", "--threads", "1", "-b"])
        .arg(common::file("gate.yml"))
        .args(flags);
    let mut server = Server::spawn(&mut command);
    let words = "serving Envoy HTTP on ";
    let port = port_behind(&server.wait_for(words), words);
    let own = authority.certificate("envoy.example.com");
    for protocols in [vec![], vec![b"http/1.1".to_vec()]] {
        let mut config = trusting(&authority, Some(&own));
        config.alpn_protocols = protocols;
        let mut client = connect_to(port, config);
        for (word, status) in [("open", "200"), ("shut", "403"), ("open", "200")] {
            let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Word: {word}\r\n\r\n");
            client.write_all(request.as_bytes()).unwrap();
            let mut answer = [0; 1024];
            let count = client.read(&mut answer).unwrap();
            let head = String::from_utf8_lossy(&answer[..count]).into_owned();
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{word}: {head}");
        }
    }
    let request = "GET / HTTP/1.1\r\nHost: a\r\nX-Word: open\r\n\r\n";
    let mut stranger = connect_to(port, trusting(&authority, None));
    assert!(stranger.write_all(request.as_bytes()).is_err() || stranger.read(&mut [0; 16]).is_err());
    let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
    plain.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"));
    let (status, records, _) = server.stop();
    assert_eq!((status.code(), records.lines().count()), (Some(0), 6));
}
