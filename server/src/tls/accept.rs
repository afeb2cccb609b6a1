//! The handshake of a connection that tokio carries.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Certificates;
use crate::limits;

/// Begins TLS, which a client has as long for as for the head of a request. Nothing: it is none that is taken, speaks no
/// TLS, was too slow, or is gone.
pub(crate) async fn accept(stream: TcpStream, certificates: &Certificates) -> Option<TlsStream<TcpStream>> {
    let time = Duration::from_secs(limits::HEAD_SECONDS);
    let handshake = TlsAcceptor::from(certificates.config()).accept(stream);
    tokio::time::timeout(time, handshake).await.ok()?.ok()
}
