//! The configuration file and the environment variables that override it: raw text in, one valid [`Config`] out.

mod admin;
mod file;
mod podinfo;
mod records;
mod values;

pub use admin::Admin;
pub use records::RecordRules;
pub use values::Config;
