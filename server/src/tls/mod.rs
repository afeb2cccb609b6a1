//! TLS at the port of the decision API: certificates from files that are read again when they change, clients by certificate
//! and by name, and one connection's session.

mod certificates;
mod clients;
mod session;

pub use certificates::{Certificates, Files, Renewal};
pub(crate) use session::Session;
