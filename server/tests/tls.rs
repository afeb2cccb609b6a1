//! TLS at the ports: the same answers, certificates that change, words that do not go together, and bytes that are no TLS.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod common;
#[path = "common/tls.rs"]
mod tls;

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use common::cli::run;
use common::{DENIED, GRANTED, PATIENCE, eventually, on_each_driver, post};
use tls::{ALLOWED, ALWAYS, Authority, Folder, ask, connect, connect_to, port_behind, start, trusting};

#[test]
fn the_same_answers() {
    let authority = Authority::new();
    let folder = Folder::of("same", &authority, "pdp.example.com");
    on_each_driver(|driver| {
        let mut server = start(driver, &folder.flags(&[]));
        assert!(server.wait_for("reachable: ").contains("over TLS"));
        let mut client = connect(&server, &authority, None);
        for _ in 0..3 {
            assert!(
                ask(&mut client, &post(GRANTED), "}\n")
                    .unwrap()
                    .ends_with(ALLOWED)
            );
        }
        // Two requests in one record, and a body that fills many.
        let two = format!("{}{}", post(DENIED), post(GRANTED));
        let answers = ask(&mut client, &two, ALLOWED).unwrap();
        assert!(answers.contains("{\"allow\":false}\n"), "{answers}");
        let padding = "x".repeat(300_000);
        let large = format!("{{\"operation\":\"shop:door:open\",\"x\":\"{padding}\"}}");
        assert!(ask(&mut client, &post(&large), ALLOWED).is_ok());
        let last = post(GRANTED).replacen("Host: a", "Host: a\r\nConnection: close", 1);
        assert!(ask(&mut client, &last, ALLOWED).is_ok());
        // A close that says so: no error.
        assert_eq!(client.read(&mut [0; 16]).unwrap(), 0);
        // What is no TLS gets no answer, and others do not notice.
        let mut plain = server.connect();
        plain.send(post(GRANTED));
        plain.expect_closed_with_anything();
        let mut client = connect(&server, &authority, None);
        assert!(ask(&mut client, &post(GRANTED), ALLOWED).is_ok());
        drop(client);
        let (status, records, _) = server.stop();
        assert_eq!((status.code(), records.lines().count()), (Some(0), 8));
    });
}

/// A client that sends its first request without waiting for anything, in one write with its last word of the handshake.
#[test]
fn a_request_comes_with_the_end_of_the_handshake() {
    let authority = Authority::new();
    let folder = Folder::of("early", &authority, "pdp.example.com");
    on_each_driver(|driver| {
        let server = start(driver, &folder.flags(&[]));
        let mut client = connect(&server, &authority, None);
        client.conn.writer().write_all(post(GRANTED).as_bytes()).unwrap();
        while client.conn.is_handshaking() {
            client.conn.complete_io(&mut client.sock).unwrap();
        }
        assert!(ask(&mut client, "", ALLOWED).is_ok());
        server.stop();
    });
}

/// One byte at a time, so that every step of the handshake is interrupted everywhere.
#[test]
fn a_handshake_in_crumbs_is_one() {
    let authority = Authority::new();
    let folder = Folder::of("crumbs", &authority, "pdp.example.com");
    on_each_driver(|driver| {
        let server = start(driver, &folder.flags(&[]));
        let mut client = connect(&server, &authority, None);
        client.sock.set_nodelay(true).unwrap();
        while client.conn.is_handshaking() {
            let mut flight = Vec::new();
            while client.conn.wants_write() {
                client.conn.write_tls(&mut flight).unwrap();
            }
            for byte in flight {
                client.sock.write_all(&[byte]).unwrap();
            }
            if client.conn.is_handshaking() {
                client.conn.read_tls(&mut client.sock).unwrap();
                client.conn.process_new_packets().unwrap();
            }
        }
        assert!(ask(&mut client, &post(GRANTED), ALLOWED).is_ok());
        assert_eq!(server.stop().0.code(), Some(0));
    });
}

/// Many at once, some of which go away in the middle: each gets its own session back.
#[test]
fn handshakes_at_once_do_not_get_mixed_up() {
    let authority = Authority::new();
    let folder = Folder::of("at-once", &authority, "pdp.example.com");
    on_each_driver(|driver| {
        let server = start(driver, &folder.flags(&[]));
        let mut clients: Vec<_> = (0..40).map(|_| connect(&server, &authority, None)).collect();
        for (at, client) in clients.iter_mut().enumerate() {
            client.conn.write_tls(&mut client.sock).unwrap();
            if at % 4 == 0 {
                client.sock.shutdown(Shutdown::Both).unwrap();
            }
        }
        for (at, client) in clients.iter_mut().enumerate() {
            let (body, want) = match at % 2 {
                0 => (GRANTED, "true}\n"),
                _ => (DENIED, "false}\n"),
            };
            let answer = ask(client, &post(body), "}\n");
            assert_eq!(
                answer.is_ok_and(|answer| answer.ends_with(want)),
                at % 4 != 0,
                "{at}"
            );
        }
        assert_eq!(server.stop().0.code(), Some(0));
    });
}

/// More begin, again and again, than connections may be open: others get through all the same.
#[test]
fn a_flood_of_handshakes_keeps_nobody_out() {
    let authority = Authority::new();
    let folder = Folder::of("flood", &authority, "pdp.example.com");
    on_each_driver(|driver| {
        let server = start(
            driver,
            &folder.flags(&["--max-connections", "30", "--threads", "1"]),
        );
        let (config, port) = (trusting(&authority, None), server.port);
        let mut hello = Vec::new();
        connect_to(port, config.clone())
            .conn
            .write_tls(&mut hello)
            .unwrap();
        let (is_over, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let flood = scope.spawn(|| {
                let mut open = VecDeque::new();
                while !is_over.load(Ordering::Relaxed) {
                    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
                    // It may have had to go already.
                    let _ = stream.write_all(&hello);
                    open.push_back(stream);
                    begun.fetch_add(1, Ordering::Relaxed);
                    if open.len() > 200 {
                        open.pop_front();
                    }
                }
            });
            let end = Instant::now() + 2 * PATIENCE;
            let mut right = 0;
            let is_enough = |right: usize| right >= 3 && begun.load(Ordering::Relaxed) > 300;
            while !is_enough(right) && Instant::now() < end {
                let answer = ask(&mut connect_to(port, config.clone()), &post(GRANTED), ALLOWED);
                right += usize::from(answer.is_ok());
            }
            is_over.store(true, Ordering::Relaxed);
            flood.join().unwrap();
            assert!(is_enough(right), "{right} among {begun:?}");
        });
        assert_eq!(server.stop().0.code(), Some(0));
    });
}

/// A client that cannot agree with the service is told so; one that speaks no TLS is told nothing.
#[test]
fn what_cannot_begin_ends() {
    let authority = Authority::new();
    let folder = Folder::of("ends", &authority, "pdp.example.com");
    on_each_driver(|driver| {
        let server = start(driver, &folder.flags(&[]));
        let mut config = trusting(&authority, None);
        config.alpn_protocols = vec![b"none/1".to_vec()];
        let problem = ask(&mut connect_to(server.port, config), &post(GRANTED), ALLOWED);
        assert!(problem.unwrap_err().contains("NoApplicationProtocol"));
        let mut plain = server.connect();
        plain.send(post(GRANTED));
        plain.expect_closed();
        assert_eq!(server.stop().0.code(), Some(0));
    });
}

/// Whoever begins with a handshake that goes on and on is not listened to for as long as others have for one.
#[test]
fn a_handshake_has_its_bound() {
    let authority = Authority::new();
    let folder = Folder::of("endless", &authority, "pdp.example.com");
    on_each_driver(|driver| {
        let server = start(driver, &folder.flags(&[]));
        let begun = Instant::now();
        let mut client = server.connect();
        // A ClientHello of 60,000 bytes without the last one, in records of 10,000.
        let hello = [&[1, 0, 0xEA, 0x60][..], &[0; 59_999]].concat();
        for part in hello.chunks(10_000) {
            let length = u16::try_from(part.len()).unwrap().to_be_bytes();
            // It may be closed before the last one.
            let _ = client
                .stream()
                .write_all(&[&[22, 3, 1], &length[..], part].concat());
        }
        while client.stream().read(&mut [0; 512]).is_ok_and(|count| count > 0) {}
        let took = begun.elapsed();
        assert!(
            took < Duration::from_secs(gavel_server::limits::HEAD_SECONDS),
            "{took:?}"
        );
        let mut client = connect(&server, &authority, None);
        assert!(ask(&mut client, &post(GRANTED), ALLOWED).is_ok());
        server.stop();
    });
}

/// A unix socket beside a port with TLS speaks none, on any of the cores that connections are dealt to.
#[test]
fn a_unix_socket_beside_it_speaks_none() {
    let authority = Authority::new();
    let folder = Folder::of("beside", &authority, "pdp.example.com");
    on_each_driver(|driver| {
        let place = folder.0.join(format!("{driver}.sock"));
        let socket = format!("unix:{}", place.display());
        let flags = folder.flags(&["--listen", &socket, "--threads", "2"]);
        let server = start(driver, &flags);
        for _ in 0..4 {
            let mut local = UnixStream::connect(&place).unwrap();
            local.write_all(post(GRANTED).as_bytes()).unwrap();
            let mut answer = [0; 512];
            let read = local.read(&mut answer).unwrap();
            assert!(answer[..read].ends_with(ALLOWED.as_bytes()));
            let mut client = connect(&server, &authority, None);
            assert!(ask(&mut client, &post(GRANTED), ALLOWED).is_ok());
        }
        assert_eq!(server.stop().0.code(), Some(0));
    });
}

#[test]
fn certificates_are_read_again_when_they_change() {
    let (first, second) = (Authority::new(), Authority::new());
    let folder = Folder::new("renewed");
    let write = |authority: &Authority| {
        let (chain, key) = authority.certificate("pdp.example.com");
        folder.write("chain.pem", &chain);
        folder.write("key.pem", &key);
    };
    write(&first);
    let mut server = start("epoll", &folder.flags(&[]));
    let mut open = connect(&server, &first, None);
    assert!(ask(&mut open, &post(GRANTED), ALLOWED).is_ok());
    folder.write("chain.pem", "half of a file");
    server.wait_for("the certificates stay, because the new ones are wrong");
    assert!(ask(&mut connect(&server, &first, None), &post(GRANTED), ALLOWED).is_ok());
    write(&second);
    server.wait_for("new certificates are shown from now on");
    assert!(ask(&mut open, &post(GRANTED), ALLOWED).is_ok());
    assert!(ask(&mut connect(&server, &second, None), &post(GRANTED), ALLOWED).is_ok());
    assert!(ask(&mut connect(&server, &first, None), &post(GRANTED), ALLOWED).is_err());
    drop(open);
    assert_eq!(server.stop().0.code(), Some(0));
}

#[test]
fn files_that_are_no_certificate_or_key_are_told_of_in_words() {
    let authority = Authority::new();
    let folder = Folder::of("unread", &authority, "pdp.example.com");
    let (chain, key) = authority.certificate("pdp.example.com");
    let half = |text: &str| text[..text.len() / 2].to_owned();
    let encrypted = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let old = key.replace("KEY-----\nM", "KEY-----\nProc-Type: 4,ENCRYPTED\n\nM");
    for (chain, key, said) in [
        (
            half(&chain),
            key.clone(),
            "chain.pem: the PEM is cut off: no END CERTIFICATE",
        ),
        (
            chain.replacen("M", "!", 1),
            key.clone(),
            "chain.pem: the PEM is damaged: what is between",
        ),
        (
            chain.replacen("-----\n", "--\n", 1),
            key.clone(),
            "chain.pem: the PEM is damaged: a line",
        ),
        (
            "0\u{1}".to_owned(),
            key.clone(),
            "chain.pem: no certificate in it: PEM is wanted",
        ),
        (
            chain.clone(),
            half(&key),
            "key.pem: the PEM is cut off: no END PRIVATE KEY",
        ),
        (
            chain.clone(),
            "0\u{1}".to_owned(),
            "key.pem: no private key in it: PEM is wanted",
        ),
        (
            chain.clone(),
            encrypted,
            "key.pem: the key is encrypted: one without a password",
        ),
        (
            chain,
            old,
            "key.pem: the key is encrypted: one without a password",
        ),
    ] {
        folder.write("chain.pem", &chain);
        folder.write("key.pem", &key);
        let bundle = common::file("shop.yml");
        let flags = folder.flags(&["--port", "0"]).join(" ");
        let (status, _, problem) = run(&format!("serve -b {} {flags}", bundle.display()), "");
        assert!(status == Some(1) && problem.contains(said), "{said}: {problem}");
    }
}

/// The clock may be wrong: what does not hold is served, and told of.
#[test]
fn certificates_that_do_not_hold_are_told_of() {
    // All of 2020, and all of 2099.
    let (past, future) = ((1_577_836_800, 1_609_459_200), (4_070_908_800, ALWAYS.1));
    let (authority, clients) = (Authority::new(), Authority::within(past));
    let folder = Folder::new("validity");
    folder.write("clients.pem", &clients.pem);
    let write = |seconds| {
        let (chain, key) = authority.certificate_within("pdp.example.com", seconds);
        folder.write("key.pem", &key);
        folder.write("chain.pem", &chain);
    };
    write(past);
    let more = ["--admin", "0", "--tls-client-ca", "@clients.pem"];
    let mut server = start("epoll", &folder.flags(&more));
    let admin = port_behind(&server.wait_for("reachable: "), "admin on ");
    let ends_at = |second: u64| {
        let mut client = TcpStream::connect(("127.0.0.1", admin)).unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        client.write_all(request).unwrap();
        let mut metrics = String::new();
        client.read_to_string(&mut metrics).unwrap();
        let name = "gavel_tls_certificate_expiry_timestamp_seconds";
        metrics.contains(&format!("\n{name}{{serves=\"decisions\"}} {second}\n"))
    };
    for said in [
        "chain.pem: the certificate ran out at 2021-01-01T00:00:00Z, and clients refuse it",
        "clients.pem: an authority ran out at 2021-01-01T00:00:00Z",
    ] {
        assert!(server.saw(said), "{said}");
    }
    assert!(ends_at(past.1));
    write(future);
    let said = server.wait_for("chain.pem: the certificate holds only from ");
    assert!(
        said.contains("warn") && said.contains("from 2099-01-01T00:00:00Z on"),
        "{said}"
    );
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let soon = now.as_secs() + 6 * 86_400;
    write((0, soon));
    server.wait_for("chain.pem: the certificate runs out at 20");
    assert!(ends_at(soon));
    // Each exchange says it again, and only what there is to say.
    write(ALWAYS);
    server.wait_for("new certificates are shown from now on");
    server.wait_for("clients.pem: an authority ran out");
    assert!(ends_at(ALWAYS.1));
    let (status, _, log) = server.stop();
    assert_eq!(status.code(), Some(0));
    let since = log
        .iter()
        .rposition(|line| line.contains("new certificates"))
        .unwrap();
    let again = log[since..]
        .iter()
        .find(|line| line.contains("chain.pem: the certificate "));
    assert_eq!(again, None);
}

#[test]
fn half_a_configuration_is_refused() {
    for (flags, want) in [
        ("--tls-cert a.pem", "TLS needs both --tls-cert and --tls-key"),
        ("--tls-client-ca a.pem", "TLS needs both --tls-cert and --tls-key"),
        ("--tls-client-name a", "TLS needs both --tls-cert and --tls-key"),
        (
            "--admin 0 --admin-tls-key a.pem",
            "TLS needs both --admin-tls-cert and --admin-tls-key",
        ),
        (
            "--envoy-port 0 --envoy-tls-cert a --envoy-tls-key b --envoy-tls-client-name c",
            "--envoy-tls-client-name needs --envoy-tls-client-ca, which vouches for names",
        ),
        (
            "--envoy-tls-cert a --envoy-tls-key b",
            "--envoy-tls-cert is for Envoy's ports, and there is none",
        ),
        (
            "--protocol envoy --tls-cert a --tls-key b",
            "Envoy's have --envoy-tls-cert",
        ),
        (
            "--admin 0 --admin-tls-cert /no/such --admin-tls-key b --port 0",
            "/no/such: no such file or directory",
        ),
        (
            "--tls-cert a --tls-key b --tls-client-name c",
            "--tls-client-name needs --tls-client-ca, which vouches for names",
        ),
        (
            "--tls-cert a --tls-key b --listen unix:/run/x.sock",
            "--tls-cert is for the port of the decision API, and there is none",
        ),
        (
            "--tls-cert /no/such --tls-key b --port 0",
            "/no/such: no such file or directory",
        ),
    ] {
        let bundle = common::file("shop.yml");
        let (status, _, problem) = run(&format!("serve -b {} {flags}", bundle.display()), "");
        assert!(status == Some(1) && problem.contains(want), "{flags}: {problem}");
    }
}

#[test]
fn the_admin_port_speaks_tls_and_asks_for_the_token_all_the_same() {
    let authority = Authority::new();
    let folder = Folder::of("admin", &authority, "pdp.example.com");
    folder.write("token", "0123456789abcdef0123\n");
    let more = ["--admin", "0.0.0.0:0", "--admin-tls-client-ca", "@clients.pem"];
    let without_token = folder.flags_at("admin-", &more).join(" ");
    let bundle = common::file("shop.yml");
    let (status, _, problem) = run(
        &format!("serve -b {} --port 0 {without_token}", bundle.display()),
        "",
    );
    assert!(
        status == Some(1) && problem.contains("--admin-token-file must name a file"),
        "{problem}"
    );
    let more = [&more[..], &["--admin-token-file", "@token"]].concat();
    let mut server = start("epoll", &folder.flags_at("admin-", &more));
    let line = server.wait_for("reachable: ");
    assert!(line.contains("over TLS with a certificate (whoever reaches this machine, with the token)"));
    let port = port_behind(&line, "admin on ");
    let own = authority.certificate("prometheus.example.com");
    let get = |path: &str, headers: &str, own: Option<&(String, String)>| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
        let mut client = connect_to(port, trusting(&authority, own));
        client
            .write_all(request.as_bytes())
            .map_err(|error| error.to_string())?;
        let mut answer = String::new();
        client
            .read_to_string(&mut answer)
            .map_err(|error| error.to_string())?;
        Ok::<_, String>(answer)
    };
    let token = "Authorization: Bearer 0123456789abcdef0123\r\n";
    let metrics = get("/metrics", token, Some(&own)).unwrap();
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
    assert!(metrics.contains("gavel_connections_open{serves=\"admin\",carrier=\"tls\"} 1\n"));
    let end = "gavel_tls_certificate_expiry_timestamp_seconds{serves=\"admin\"} 4102444800\n";
    assert!(metrics.contains(end), "{metrics}");
    assert!(
        get("/metrics", "", Some(&own))
            .unwrap()
            .starts_with("HTTP/1.1 401")
    );
    assert!(get("/livez", "", Some(&own)).unwrap().starts_with("HTTP/1.1 200"));
    assert!(get("/livez", "", None).is_err());
    let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"));
    let failed = "gavel_tls_handshakes_failed_total{serves=\"admin\"} 2\n";
    eventually(|| get("/metrics", token, Some(&own)).unwrap().contains(failed));
    server.stop();
}
