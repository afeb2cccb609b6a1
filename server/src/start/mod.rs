//! The process around the cores: what is bound, what is started, the loop that hears signals, the end.

mod control;
pub mod doors;
pub mod listen;
pub mod server;
