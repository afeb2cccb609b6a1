//! Decisions for Envoy's external authorization filter, over gRPC and plain HTTP, on threads and runtimes of their own.
//!
//! `accept.rs` takes connections and deals them to the threads (`thread.rs`; `seats.rs`: who goes where there are too many; `steer.rs`: how a connection ends), `grpc.rs` and `http.rs` speak with Envoy (`head.rs`: how long a head may take),
//! `attributes.rs` turns a CheckRequest into what a mapper has as input (`shape.rs` says how, `wire.rs` reads protobuf),
//! `mapper.rs` runs the mapper (on `lanes.rs` if it may wait for the network), `judge.rs` decides over its PORC, `answer.rs` is what Envoy is told.

mod accept;
mod answer;
mod attributes;
mod body;
mod grpc;
mod head;
mod http;
mod judge;
mod lanes;
mod mapper;
mod seats;
mod shape;
mod start;
mod steer;
#[cfg(test)]
mod tests;
mod thread;
mod wire;

pub use judge::Lens;
pub use mapper::{Input, Machine, MapError, Mapper};
pub use start::{Address, Bound, Crew, Options, Place, Protocol, Word, start};
