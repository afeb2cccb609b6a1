//! The machine: one [`Vm`] per core owns all scratch memory; a [`Request`] borrows it for one request.

mod env;
mod request;

pub use env::RequestEnv;
pub use request::{Request, Vm};
