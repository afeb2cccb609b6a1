//! What the benches and the report share: the corpus of domains, our engine on it, its rivals on it, a running server.
#![forbid(unsafe_code)]

pub mod cores;
pub mod corpus;
pub mod growth;
pub mod growth_request;
pub mod handwritten;
pub mod load;
pub mod measure;
pub mod native;
pub mod peers;
pub mod process;
pub mod server;
pub mod synthetic;
