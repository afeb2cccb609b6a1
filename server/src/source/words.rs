//! Why a source cannot be had, in the operator's words.

use rustls::CertificateError;

/// The reason that the client gives; what it says of certificates in types of Rust is put into words.
pub(super) fn of(error: &ureq::Error) -> String {
    let tls = match error {
        ureq::Error::Io(error) => error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        ureq::Error::Rustls(error) => Some(error),
        _ => None,
    };
    match tls {
        Some(rustls::Error::InvalidCertificate(problem)) => match of_certificate(problem) {
            Some(words) => format!("its certificate is not taken: {words}"),
            None => format!("its certificate is not taken: {problem}"),
        },
        _ => error.to_string(),
    }
}

fn of_certificate(problem: &CertificateError) -> Option<&'static str> {
    match problem {
        CertificateError::UnknownIssuer => {
            Some("no trusted root vouches for it (SSL_CERT_FILE names others)")
        }
        CertificateError::BadSignature => {
            Some("it is not signed with the key of the trusted root that has the name of its authority")
        }
        CertificateError::Other(other)
            if other.0.downcast_ref::<webpki::Error>() == Some(&webpki::Error::CaUsedAsEndEntity) =>
        {
            Some("it is an authority's own, and not one that an authority made for a server")
        }
        _ => None,
    }
}
