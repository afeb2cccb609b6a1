//! `http.send` of mappers: requests to the hosts that the operator allows, on threads that may wait.
//!
//! `wanted.rs` reads what a policy asks for, `allow.rs` says which hosts it may ask, `client.rs` asks them, `roots.rs` says by
//! whom they are trusted, `answer.rs` is what the policy gets, `cache.rs` keeps answers that may be used again, `fetcher.rs` puts
//! it together as OPA does.

mod allow;
mod answer;
mod cache;
mod client;
mod fetcher;
mod roots;
#[cfg(test)]
mod tests;
mod wanted;

pub use allow::{AllowList, Allowed};
pub(crate) use client::agent;
pub use fetcher::{Fetcher, Network};
pub(crate) use roots::Roots;
