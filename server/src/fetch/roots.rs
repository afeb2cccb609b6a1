//! The authorities that servers are trusted by: the system's, as OPA has them.

use rustls_native_certs::{Error, ErrorKind};
use ureq::tls::Certificate;

use crate::error::reason;

/// What was found of them.
pub(crate) struct Roots {
    pub(super) certificates: Vec<Certificate<'static>>,
    /// The first thing that could not be read.
    problem: Option<String>,
}

impl Roots {
    /// Those of the files that the environment names, or of where systems have them.
    pub(crate) fn of_the_system() -> Roots {
        let found = rustls_native_certs::load_native_certs();
        let certificate = |der: &[u8]| Certificate::from_der(der).to_owned();
        Roots {
            certificates: found.certs.iter().map(|der| certificate(der)).collect(),
            problem: found.errors.first().map(words),
        }
    }

    /// What somebody has to know who asks over TLS.
    pub(crate) fn trouble(&self) -> Option<String> {
        match (self.certificates.is_empty(), &self.problem) {
            (false, None) => None,
            (false, Some(problem)) => Some(format!("some trusted roots could not be read: {problem}")),
            (true, None) => Some("no trusted roots found: SSL_CERT_FILE names some".to_owned()),
            (true, Some(problem)) => Some(format!(
                "no trusted roots found: SSL_CERT_FILE names some ({problem})"
            )),
        }
    }
}

fn words(error: &Error) -> String {
    match &error.kind {
        ErrorKind::Io { inner, path } => format!("{}: {}", path.display(), reason(inner)),
        _ => error.to_string(),
    }
}
