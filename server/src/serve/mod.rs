//! One core at work: connections and their bytes, requests and their routes, the desk where it is decided.

pub mod api;
pub mod batch;
pub mod bounds;
mod conn;
pub mod connections;
pub(crate) mod deal;
pub mod desk;
mod line;
mod pool;
mod welcome;
pub mod worker;
