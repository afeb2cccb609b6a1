//! The certificate and key that a server shows, and whose certificates it takes: from files, kept in one place that all cores
//! read for each new connection.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig};

use super::clients::NamedClients;
use super::pem::{self, wrong};
use super::validity::Validity;
use crate::error::reason;
use crate::files;
use crate::limits;
use crate::log::{self, Level};

/// Where certificates are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The chain that is shown, the server's own first, in PEM.
    pub chain: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
    /// Authorities whose clients are taken, in PEM; none: clients show no certificate.
    pub client_authorities: Option<PathBuf>,
    /// Names of clients that are taken, as URI (SPIFFE ids) or DNS name; empty: all that an authority vouches for.
    pub client_names: Vec<String>,
    /// What is spoken over TLS, for clients that ask (ALPN).
    pub protocols: &'static [&'static [u8]],
}

/// HTTP/1.1 alone.
pub const HTTP1: &[&[u8]] = &[b"http/1.1"];

/// HTTP/2 and HTTP/1.1.
pub const HTTP2_AND_1: &[&[u8]] = &[b"h2", b"http/1.1"];

/// What new connections are made with. Shared by all cores; the lock is taken once for a connection.
#[derive(Debug)]
pub struct Certificates {
    files: Files,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    /// What the files held.
    bytes: Vec<Vec<u8>>,
    validities: Validities,
    /// What the log told of them last.
    told: Mutex<BTreeSet<String>>,
}

/// How long certificates hold, where they say so.
#[derive(Debug)]
struct Validities {
    shown: Option<Validity>,
    authorities: Vec<Validity>,
}

/// What became of a look at the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// They are what they were.
    Same,
    /// New connections get the new ones.
    Taken,
}

impl Certificates {
    /// Reads the files. What does not hold is told of and taken: the clock may be wrong.
    ///
    /// # Errors
    /// Which file is wrong, and why.
    pub fn load(files: Files) -> Result<Certificates, String> {
        let current = files.current(files.read()?)?;
        let certificates = Certificates {
            files,
            current: RwLock::new(current),
        };
        certificates.tell();
        Ok(certificates)
    }

    /// What a new connection is made with.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current.config)
    }

    /// Reads the files again. Connections that are open keep what they have.
    ///
    /// # Errors
    /// As [`Certificates::load`]; the last ones stay.
    pub fn renew(&self) -> Result<Renewal, String> {
        let bytes = self.files.read()?;
        let is_same = |current: &Current| current.bytes == bytes;
        if is_same(&self.current.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(Renewal::Same);
        }
        let new = self.files.current(bytes)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(Renewal::Taken)
    }

    /// Tells the log of what ran out, does not hold yet, or runs out soon. Once, however often it is called, until there are
    /// new ones.
    pub fn tell(&self) {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let Validities { shown, authorities } = &current.validities;
        let now = Timestamp::now();
        let troubles = shown.iter().chain(authorities);
        let found: BTreeSet<String> = troubles.filter_map(|validity| validity.trouble(now)).collect();
        let mut told = current.told.lock().unwrap_or_else(PoisonError::into_inner);
        for trouble in found.difference(&told) {
            log::line(Level::Warn, format_args!("{trouble}"));
        }
        *told = found;
    }

    /// When the certificate that is shown runs out, in seconds since 1970.
    #[must_use]
    pub fn end_seconds(&self) -> Option<i64> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let shown = current.validities.shown.as_ref();
        shown.map(|validity| validity.ends.as_second())
    }

    /// What they say of a port in words: empty without any.
    #[must_use]
    pub fn words(certificates: &Option<Arc<Certificates>>) -> &'static str {
        match certificates {
            None => "",
            Some(certificates) if certificates.asks_clients() => " over TLS with a certificate",
            Some(_) => " over TLS",
        }
    }

    /// The file that says who the server is.
    #[must_use]
    pub fn chain(&self) -> &Path {
        &self.files.chain
    }

    /// Whether clients have to show a certificate.
    #[must_use]
    pub fn asks_clients(&self) -> bool {
        self.files.client_authorities.is_some()
    }
}

impl Files {
    fn read(&self) -> Result<Vec<Vec<u8>>, String> {
        let paths = [
            Some(&self.chain),
            Some(&self.key),
            self.client_authorities.as_ref(),
        ];
        let read = |path: &PathBuf| {
            files::bytes(path, limits::CERTIFICATE_BYTES_MAX).map_err(|problem| wrong(path, reason(&problem)))
        };
        paths.into_iter().flatten().map(read).collect()
    }

    fn current(&self, bytes: Vec<Vec<u8>>) -> Result<Current, String> {
        let part = |at: usize| bytes.get(at).map(Vec::as_slice).unwrap_or_default();
        let chain = pem::certificates(&self.chain, part(0))?;
        let mut validities = Validities {
            shown: chain.first().and_then(|own| Validity::of_shown(&self.chain, own)),
            authorities: Vec::new(),
        };
        let key = pem::key(&self.key, part(1))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|problem| wrong(&self.chain, problem))?;
        let builder = match &self.client_authorities {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for authority in pem::certificates(path, part(2))? {
                    validities
                        .authorities
                        .extend(Validity::of_authority(path, &authority));
                    roots.add(authority).map_err(|problem| wrong(path, problem))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build()
                    .map_err(|problem| wrong(path, problem))?;
                builder.with_client_cert_verifier(self.named(verifier))
            }
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|problem| match problem {
                Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    wrong(&self.key, format_args!("not the key of {}", self.chain.display()))
                }
                problem => wrong(&self.chain, problem),
            })?;
        if self.client_authorities.is_some() {
            // A session that goes on shows no certificate again: one that expired meanwhile would still be good.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        config.alpn_protocols = self.protocols.iter().map(|name| name.to_vec()).collect();
        Ok(Current {
            config: Arc::new(config),
            bytes,
            validities,
            told: Mutex::default(),
        })
    }

    fn named(&self, verifier: Arc<dyn ClientCertVerifier>) -> Arc<dyn ClientCertVerifier> {
        if self.client_names.is_empty() {
            return verifier;
        }
        Arc::new(NamedClients::new(verifier, &self.client_names))
    }
}
