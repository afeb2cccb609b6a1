//! Certificates and keys in PEM, and in the operator's words why there are none.

use std::fmt;
use std::path::Path;

use memchr::memmem;
use rustls::pki_types::pem::{Error, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// All certificates of a file: one at least.
///
/// # Errors
/// The file, and what it lacks.
pub(super) fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|problem| wrong(path, words(&problem)))?;
    if found.is_empty() {
        return Err(wrong(path, "no certificate in it: PEM is wanted"));
    }
    Ok(found)
}

/// The key of a file.
///
/// # Errors
/// The file, and what it lacks.
pub(super) fn key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|problem| match problem {
        // In the name of the section, or in a line behind it.
        _ if memmem::find(pem, b"ENCRYPTED").is_some() => {
            wrong(path, "the key is encrypted: one without a password is wanted")
        }
        Error::NoItemsFound => wrong(path, "no private key in it: PEM is wanted"),
        problem => wrong(path, words(&problem)),
    })
}

pub(super) fn wrong(path: &Path, problem: impl fmt::Display) -> String {
    format!("{}: {problem}", path.display())
}

/// Without the file's bytes, which may be those of a key.
fn words(problem: &Error) -> String {
    match problem {
        Error::MissingSectionEnd { end_marker } => {
            let name = String::from_utf8_lossy(end_marker);
            format!("the PEM is cut off: no END {name}")
        }
        Error::IllegalSectionStart { .. } => "the PEM is damaged: a line with BEGIN is not whole".to_owned(),
        Error::Base64Decode(_) => "the PEM is damaged: what is between BEGIN and END is no base64".to_owned(),
        problem => problem.to_string(),
    }
}
