//! Certificates made for a test, a service that shows them, and clients that speak TLS.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, string::Ia5String};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::common::Server;

/// An authority that makes certificates.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        Authority::within(ALWAYS)
    }

    /// One of another name than all others.
    pub(crate) fn named(name: &str) -> Authority {
        let mut params = params_within(ALWAYS);
        params.distinguished_name.push(DnType::CommonName, name);
        Authority::of(params)
    }

    /// One that holds for these seconds.
    pub(crate) fn within(seconds: (u64, u64)) -> Authority {
        Authority::of(params_within(seconds))
    }

    fn of(mut params: CertificateParams) -> Authority {
        let key = KeyPair::generate().unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Authority {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// The key of its own certificate.
    pub(crate) fn key(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A certificate and its key in PEM.
    pub(crate) fn certificate(&self, name: &str) -> (String, String) {
        self.certificate_within(name, ALWAYS)
    }

    /// One that holds from the first second to the last one, counted from 1970.
    pub(crate) fn certificate_within(&self, name: &str, seconds: (u64, u64)) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = params_within(seconds);
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

/// From 1970 to 2100.
pub(crate) const ALWAYS: (u64, u64) = (0, 4_102_444_800);

fn params_within((first, last): (u64, u64)) -> CertificateParams {
    let at = |second| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(second);
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    (params.not_before, params.not_after) = (at(first), at(last));
    params
}

/// A folder with the files of a service, which goes with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("gavel-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// With a certificate for this name, and the authority whose clients are taken.
    pub(crate) fn of(folder: &str, authority: &Authority, name: &str) -> Folder {
        let folder = Folder::new(folder);
        let (chain, key) = authority.certificate(name);
        for (file, text) in [
            ("chain.pem", &chain),
            ("key.pem", &key),
            ("clients.pem", &authority.pem),
        ] {
            folder.write(file, text);
        }
        folder
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    /// Flags for TLS, and these.
    pub(crate) fn flags(&self, more: &[&str]) -> Vec<String> {
        self.flags_at("", more)
    }

    /// The same for `admin-` or `envoy-`.
    pub(crate) fn flags_at(&self, door: &str, more: &[&str]) -> Vec<String> {
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

pub(crate) fn start(driver: &str, flags: &[String]) -> Server {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    Server::start(driver, &flags)
}

pub(crate) type Client = StreamOwned<ClientConnection, TcpStream>;

pub(crate) fn connect(server: &Server, authority: &Authority, own: Option<&(String, String)>) -> Client {
    connect_to(server.port, trusting(authority, own))
}

pub(crate) fn connect_to(port: u16, config: ClientConfig) -> Client {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let session = ClientConnection::new(Arc::new(config), "pdp.example.com".try_into().unwrap());
    StreamOwned::new(session.unwrap(), stream)
}

/// A client that trusts an authority and shows this certificate, if any.
pub(crate) fn trusting(authority: &Authority, own: Option<&(String, String)>) -> ClientConfig {
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
pub(crate) fn ask(client: &mut Client, request: &str, end: &str) -> Result<String, String> {
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

pub(crate) const ALLOWED: &str = "{\"allow\":true}\n";

/// The port behind these words in a line of the log.
pub(crate) fn port_behind(line: &str, words: &str) -> u16 {
    let rest = line.split(words).nth(1).unwrap();
    let digits = rest.rsplit_once("over TLS").map_or(rest, |(address, _)| address);
    let address = digits.split_whitespace().next().unwrap();
    address.rsplit(':').next().unwrap().parse().unwrap()
}
