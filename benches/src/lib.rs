//! What the benches and the report share: the corpus (the examples), our engine on it, the peer on it, a running server.
#![forbid(unsafe_code)]

pub mod corpus;
pub mod growth;
pub mod load;
pub mod measure;
pub mod peers;
pub mod server;
pub mod synthetic;
