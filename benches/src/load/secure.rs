//! TLS of the load generator: rustls between a socket that never blocks and one connection's bytes.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::connection::Gone;

/// Whom a load trusts, and as whom it takes the server.
#[derive(Clone, Debug)]
pub struct Trust {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Trust {
    /// Trusts the certificates of a PEM file to vouch for a host, given by its name or address.
    ///
    /// # Errors
    /// What is wrong with the file or the host.
    pub fn new(authorities: &Path, host: &str) -> Result<Trust, String> {
        let wrong = |problem: &dyn std::fmt::Display| format!("{}: {problem}", authorities.display());
        let mut roots = RootCertStore::empty();
        for authority in CertificateDer::pem_file_iter(authorities).map_err(|problem| wrong(&problem))? {
            let authority = authority.map_err(|problem| wrong(&problem))?;
            roots.add(authority).map_err(|problem| wrong(&problem))?;
        }
        if roots.is_empty() {
            return Err(wrong(&"no certificate in it"));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|problem| problem.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Trust {
            config: Arc::new(config),
            name: ServerName::try_from(host.to_owned()).map_err(|problem| format!("{host}: {problem}"))?,
        })
    }

    /// A session that has not begun.
    ///
    /// # Errors
    /// What rustls says.
    pub fn session(&self) -> Result<ClientConnection, String> {
        ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(|problem| problem.to_string())
    }
}

/// Writes what the session has for the socket, as far as it takes it.
pub(super) fn flush(session: &mut ClientConnection, stream: &TcpStream) -> Result<(), Gone> {
    let mut stream = stream;
    while session.wants_write() {
        match session.write_tls(&mut stream) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(_) => return Err(Gone::Closed),
        }
    }
    Ok(())
}

/// Seals a text; [`flush`] sends it.
pub(super) fn seal(session: &mut ClientConnection, text: &[u8]) -> Result<(), Gone> {
    session.writer().write_all(text).map_err(|_| Gone::Closed)
}

/// Reads once from the socket and opens what came. False: there is nothing more now.
pub(super) fn take(session: &mut ClientConnection, stream: &TcpStream) -> Result<bool, Gone> {
    let mut stream = stream;
    match session.read_tls(&mut stream) {
        Ok(0) => return Err(Gone::Closed),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
        Err(_) => return Err(Gone::Closed),
    }
    match session.process_new_packets() {
        Ok(_) => Ok(true),
        Err(_) => Err(Gone::Broken("no TLS that can be read")),
    }
}

/// Appends the text that was opened. True: the server said that none follows.
pub(super) fn open(session: &mut ClientConnection, text: &mut Vec<u8>) -> Result<bool, Gone> {
    match session.reader().read_to_end(text) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(_) => Err(Gone::Closed),
    }
}
