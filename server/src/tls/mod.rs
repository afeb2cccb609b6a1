//! TLS at the ports: certificates from files that are read again when they change (`certificates.rs`; `pem.rs` reads them,
//! `validity.rs` is how long they hold), clients by certificate and by name (`clients.rs`). `session.rs` is one connection of
//! the decision API, `handshakes.rs` where those of one core begin, `accept.rs` is one of what runs on tokio.

mod accept;
mod certificates;
mod clients;
mod handshakes;
mod pem;
mod session;
mod validity;

pub(crate) use accept::accept;
pub use certificates::{Certificates, Files, HTTP1, HTTP2_AND_1, Renewal};
pub(crate) use handshakes::Handshakes;
pub(crate) use session::Session;
