//! TLS at the port: the same answers, clients by certificate and name, certificates that change, and bytes that are no TLS.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::cli::run;
use common::{DENIED, GRANTED, Server, on_each_driver, post};
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

    fn flags(&self, more: &[&str]) -> Vec<String> {
        let path = |name: &str| self.0.join(name).to_str().unwrap().to_owned();
        let own = [
            "--tls-cert".to_owned(),
            path("chain.pem"),
            "--tls-key".to_owned(),
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
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match own {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let session = ClientConnection::new(Arc::new(config), "pdp.example.com".try_into().unwrap());
    StreamOwned::new(session.unwrap(), stream)
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
