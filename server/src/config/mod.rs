//! The configuration file and the environment variables that override it: raw text in, one valid [`Config`] out.

mod file;
mod podinfo;
mod values;

pub use values::Config;
