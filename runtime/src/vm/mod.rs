//! The machine: one [`Vm`] per core owns all scratch memory; a [`Request`] borrows it for one request.

mod builder;
mod calls;
mod core;
mod env;
mod machine;
mod memo;
mod rare;
mod request;
mod rules;
mod run;
mod scopes;
#[cfg(test)]
mod tests;
mod trace;
mod tree;
#[cfg(test)]
mod with_tests;

pub use self::core::Vm;
pub use env::RequestEnv;
pub use machine::Request;
pub use trace::{Event, Observer, Reason};
