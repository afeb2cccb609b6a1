//! Flags of `serve` about TLS at the admin port and at Envoy's, and what all flags about TLS must be like.

use std::path::PathBuf;

use clap::Args;

use crate::error::Failure;
use crate::tls::{Files, HTTP1, HTTP2_AND_1};

/// TLS at the admin port.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "TLS")]
pub(crate) struct AdminTlsArgs {
    /// Certificate chain of --admin in PEM. Read again when it changes.
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_tls_cert: Option<PathBuf>,
    /// Its key in PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_tls_key: Option<PathBuf>,
    /// Authorities in PEM: clients of --admin must show a certificate of one of them, probes too.
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_tls_client_ca: Option<PathBuf>,
    /// Name that such a certificate must have (repeatable); any if absent.
    #[arg(long, value_name = "NAME")]
    pub(crate) admin_tls_client_name: Vec<String>,
}

/// TLS at Envoy's ports.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "TLS")]
pub(crate) struct EnvoyTlsArgs {
    /// Certificate chain of Envoy's ports in PEM. Read again when it changes.
    #[arg(long, value_name = "FILE")]
    pub(crate) envoy_tls_cert: Option<PathBuf>,
    /// Its key in PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) envoy_tls_key: Option<PathBuf>,
    /// Authorities in PEM: Envoy must show a certificate of one of them.
    #[arg(long, value_name = "FILE")]
    pub(crate) envoy_tls_client_ca: Option<PathBuf>,
    /// Name that such a certificate must have (repeatable); any if absent.
    #[arg(long, value_name = "NAME")]
    pub(crate) envoy_tls_client_name: Vec<String>,
}

impl AdminTlsArgs {
    /// What they say.
    pub(crate) fn words(&self) -> TlsWords {
        TlsWords {
            prefix: "--admin-tls",
            chain: self.admin_tls_cert.clone(),
            key: self.admin_tls_key.clone(),
            client_authorities: self.admin_tls_client_ca.clone(),
            client_names: self.admin_tls_client_name.clone(),
            protocols: HTTP1,
        }
    }
}

impl EnvoyTlsArgs {
    /// What they say.
    pub(crate) fn words(&self) -> TlsWords {
        TlsWords {
            prefix: "--envoy-tls",
            chain: self.envoy_tls_cert.clone(),
            key: self.envoy_tls_key.clone(),
            client_authorities: self.envoy_tls_client_ca.clone(),
            client_names: self.envoy_tls_client_name.clone(),
            protocols: HTTP2_AND_1,
        }
    }
}

/// Flags about TLS at one door, none of which need be there.
pub(crate) struct TlsWords {
    /// What their names begin with.
    pub(crate) prefix: &'static str,
    pub(crate) chain: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) client_authorities: Option<PathBuf>,
    pub(crate) client_names: Vec<String>,
    /// What is spoken there.
    pub(crate) protocols: &'static [&'static [u8]],
}

impl TlsWords {
    /// The files, if TLS is wanted.
    ///
    /// # Errors
    /// A flag without one that it needs.
    pub(crate) fn files(self) -> Result<Option<Files>, Failure> {
        let prefix = self.prefix;
        let (Some(chain), Some(key)) = (&self.chain, &self.key) else {
            let any = self.chain.is_some()
                || self.key.is_some()
                || self.client_authorities.is_some()
                || !self.client_names.is_empty();
            if any {
                let text = format!("TLS needs both {prefix}-cert and {prefix}-key");
                return Err(Failure::Usage(text));
            }
            return Ok(None);
        };
        if !self.client_names.is_empty() && self.client_authorities.is_none() {
            let text = format!("{prefix}-client-name needs {prefix}-client-ca, which vouches for names");
            return Err(Failure::Usage(text));
        }
        if self.client_names.iter().any(|name| name.trim().is_empty()) {
            let text = format!("{prefix}-client-name: an empty name is nobody's");
            return Err(Failure::Usage(text));
        }
        let pattern = |name: &&String| name.contains("://") && name.contains('*');
        if let Some(name) = self.client_names.iter().find(pattern) {
            let text = format!("{prefix}-client-name {name}: names are compared whole, and no URI has a *");
            return Err(Failure::Usage(text));
        }
        Ok(Some(Files {
            chain: chain.clone(),
            key: key.clone(),
            client_authorities: self.client_authorities,
            client_names: self.client_names,
            protocols: self.protocols,
        }))
    }
}
