//! The settings of the admin port, which only `serve` reads, before it loads policies.

use std::path::PathBuf;

use serde_json::Value;

use super::file::{self, Settings};
use super::values::{Environment, overridden};
use crate::error::Failure;

/// The keys.
pub(super) const KEYS: [&str; 3] = ["admin.listen", "admin.tokenfile", "admin.decisions"];

/// What the configuration says of the admin port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admin {
    /// `admin.listen`: a port, or an address and a port.
    pub listen: Option<String>,
    /// `admin.tokenfile`.
    pub token_file: Option<PathBuf>,
    /// `admin.decisions`: how many of the last access records are kept.
    pub decisions: Option<usize>,
}

impl Admin {
    /// Reads the configuration of this process.
    ///
    /// # Errors
    /// A file that is there but cannot be used, or a value of the wrong kind.
    pub fn load() -> Result<Admin, Failure> {
        let environment: &Environment<'_> = &|name| std::env::var_os(name);
        let mut settings = file::settings(environment)?;
        overridden(&mut settings, &KEYS, environment);
        Admin::from_settings(&settings)
            .map_err(|error| Failure::Operator(format!("error reading config: {error}")))
    }

    fn from_settings(settings: &Settings) -> Result<Admin, String> {
        let text = |key: &str| match settings.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(format!("{key}: {other} is no text")),
        };
        let decisions = text("admin.decisions")?.map(|text| text.parse());
        Ok(Admin {
            listen: text("admin.listen")?,
            token_file: text("admin.tokenfile")?.map(PathBuf::from),
            decisions: decisions
                .transpose()
                .map_err(|_| "admin.decisions: this is no number of records".to_owned())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_ports() {
        let read = |text: &str| file::parse(text).and_then(|settings| Admin::from_settings(&settings));
        assert_eq!(read("").unwrap(), Admin::default());
        let port = read("admin: {listen: 9001}").unwrap();
        assert_eq!(port.listen.as_deref(), Some("9001"));
        let both = read("Admin: {Listen: '[::]:9001', tokenfile: /run/token}").unwrap();
        assert_eq!(both.listen.as_deref(), Some("[::]:9001"));
        assert_eq!(both.token_file, Some(PathBuf::from("/run/token")));
        assert_eq!(read("admin: {decisions: 50}").unwrap().decisions, Some(50));
        assert!(read("admin: {listen: [a]}").is_err());
        assert!(read("admin: {decisions: -1}").is_err());
    }
}
