//! TLS at the port: the same answers, clients by certificate and name, certificates that change, and bytes that are no TLS.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod common;
#[path = "common/grpc.rs"]
mod grpc;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::cli::run;
use common::{DENIED, GRANTED, Server, eventually, on_each_driver, post};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType, string::Ia5String};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// An authority that makes certificates.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Authority {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate and its key in PEM.
    fn certificate(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let name_text = Ia5String::try_from(name).unwrap();
        params.subject_alt_names.push(match name.contains("://") {
            true => SanType::URI(name_text),
            false => SanType::DnsName(name_text),
        });
        (
            params.signed_by(&key, &self.issuer).unwrap().pem(),
            key.serialize_pem(),
        )
    }
}

/// A folder with the files of a service, which goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("gavel-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    /// Flags for TLS, and these.
    fn flags(&self, more: &[&str]) -> Vec<String> {
        self.flags_at("", more)
    }

    /// The same for `admin-` or `envoy-`.
    fn flags_at(&self, door: &str, more: &[&str]) -> Vec<String> {
        let path = |name: &str| self.0.join(name).to_str().unwrap().to_owned();
        let own = [
            format!("--{door}tls-cert"),
            path("chain.pem"),
            format!("--{door}tls-key"),
            path("key.pem"),
        ];
        let more = more.iter().map(|word| match word.strip_prefix('@') {
            Some(name) => path(name),
            None => (*word).to_owned(),
        });
        own.into_iter().chain(more).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn start(driver: &str, flags: &[String]) -> Server {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    Server::start(driver, &flags)
}

type Client = StreamOwned<ClientConnection, TcpStream>;

fn connect(server: &Server, authority: &Authority, own: Option<&(String, String)>) -> Client {
    connect_to(server.port, trusting(authority, own))
}

fn connect_to(port: u16, config: ClientConfig) -> Client {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let session = ClientConnection::new(Arc::new(config), "pdp.example.com".try_into().unwrap());
    StreamOwned::new(session.unwrap(), stream)
}

/// A client that trusts an authority and shows this certificate, if any.
fn trusting(authority: &Authority, own: Option<&(String, String)>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    match own {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    }
}

/// The answer to a request, or why there is none.
fn ask(client: &mut Client, request: &str, end: &str) -> Result<String, String> {
    client
        .write_all(request.as_bytes())
        .map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    while !answer.ends_with(end.as_bytes()) {
        let mut chunk = [0; 4096];
        match client.read(&mut chunk) {
            Ok(0) => return Err("closed".to_owned()),
            Ok(count) => answer.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(String::from_utf8(answer).unwrap())
}

const ALLOWED: &str = "{\"allow\":true}\n";

#[test]
fn the_same_answers() {
    let authority = Authority::new();
    let folder = Folder::new("same");
    let (chain, key) = authority.certificate("pdp.example.com");
    folder.write("chain.pem", &chain);
    folder.write("key.pem", &key);
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
    let folder = Folder::new("early");
    let (chain, key) = authority.certificate("pdp.example.com");
    folder.write("chain.pem", &chain);
    folder.write("key.pem", &key);
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

/// A unix socket beside a port with TLS speaks none, on any of the cores that connections are dealt to.
#[test]
fn a_unix_socket_beside_it_speaks_none() {
    let authority = Authority::new();
    let folder = Folder::new("beside");
    let (chain, key) = authority.certificate("pdp.example.com");
    folder.write("chain.pem", &chain);
    folder.write("key.pem", &key);
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
fn clients_show_a_certificate_with_a_name_of_the_list() {
    let (authority, other) = (Authority::new(), Authority::new());
    let folder = Folder::new("clients");
    let (chain, key) = authority.certificate("pdp.example.com");
    folder.write("chain.pem", &chain);
    folder.write("key.pem", &key);
    folder.write("clients.pem", &authority.pem);
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

/// The port behind these words in a line of the log.
fn port_behind(line: &str, words: &str) -> u16 {
    let rest = line.split(words).nth(1).unwrap();
    let digits = rest.rsplit_once("over TLS").map_or(rest, |(address, _)| address);
    let address = digits.split_whitespace().next().unwrap();
    address.rsplit(':').next().unwrap().parse().unwrap()
}

#[test]
fn the_admin_port_speaks_tls_and_asks_for_the_token_all_the_same() {
    let authority = Authority::new();
    let folder = Folder::new("admin");
    let (chain, key) = authority.certificate("pdp.example.com");
    folder.write("chain.pem", &chain);
    folder.write("key.pem", &key);
    folder.write("clients.pem", &authority.pem);
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

#[test]
fn envoy_asks_over_tls() {
    let authority = Authority::new();
    let folder = Folder::new("envoy");
    let (chain, key) = authority.certificate("localhost");
    folder.write("chain.pem", &chain);
    folder.write("key.pem", &key);
    folder.write("clients.pem", &authority.pem);
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
