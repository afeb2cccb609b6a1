//! HTTP/1.1 without sockets: bytes in, state out. Strict in framing, so that no proxy in front can read a request
//! differently than we do.

mod chunked;
mod head;
pub mod request;
pub mod response;
