//! Clients that an authority vouches for and that are on a list besides.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

/// Takes what another verifier takes, if the certificate has one of these names as a URI or DNS name of its subject. Names
/// are compared as they stand; DNS names have no case.
#[derive(Debug)]
pub(super) struct NamedClients {
    verifier: Arc<dyn ClientCertVerifier>,
    names: Box<[String]>,
}

impl NamedClients {
    pub(super) fn new(verifier: Arc<dyn ClientCertVerifier>, names: &[String]) -> NamedClients {
        NamedClients {
            verifier,
            names: names.into(),
        }
    }

    fn is_named(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok(parsed) = webpki::EndEntityCert::try_from(certificate) else {
            return false;
        };
        let is_uri = parsed
            .valid_uri_names()
            .any(|uri| self.names.iter().any(|name| name == uri));
        let mut domains = parsed.valid_dns_names();
        is_uri || domains.any(|domain| self.names.iter().any(|name| name.eq_ignore_ascii_case(domain)))
    }
}

impl ClientCertVerifier for NamedClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .verifier
            .verify_client_cert(certificate, intermediates, now)?;
        if self.is_named(certificate) {
            return Ok(verified);
        }
        Err(Error::InvalidCertificate(
            CertificateError::ApplicationVerificationFailure,
        ))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
