//! Environment variables that look like ours and are none: whoever set one meant something by it.

use super::file::PLACES;
use super::keys::{KEYS, Key};
use crate::log::{self, Level};
use crate::words::nearest;

/// What all of ours begin with.
const PREFIX: &str = "MPE_";

/// Says which variables of this process are read by nobody.
pub fn tell_of_strangers() {
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let value = value.to_string_lossy().into_owned();
        Some((name.into_string().ok()?, value))
    });
    for text in strangers(variables) {
        log::line(Level::Warn, format_args!("{text}"));
    }
}

fn strangers(variables: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut known: Vec<String> = KEYS.iter().filter_map(Key::variable).collect();
    known.extend(PLACES.map(str::to_owned));
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let is_stranger = |(name, value): &(String, String)| {
        name.starts_with(PREFIX)
            && !known.contains(&name.as_str())
            && !name.starts_with("MPE_MOCK_")
            && !is_of_kubernetes(name, value)
    };
    let found = variables.filter(is_stranger).map(|(name, _)| name);
    let mut found: Vec<String> = found.collect();
    found.sort_unstable();
    found
        .iter()
        .map(|name| {
            let nearest = nearest(name, &known).unwrap_or_default();
            format!("{name} is no variable of the configuration, the nearest one is {nearest}")
        })
        .collect()
}

/// Every pod is told so of services whose names begin with `mpe`.
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    let is_address = name.ends_with("_PORT") && value.contains("://");
    let ends = ["_SERVICE_HOST", "_SERVICE_PORT", "_TCP", "_UDP"];
    let within = ["_SERVICE_PORT_", "_TCP_", "_UDP_"];
    is_address || ends.iter().any(|end| name.ends_with(end)) || within.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_ours() {
        let variables = [
            ("PATH", "/bin"),
            ("MPE_SERVER_PORT", "9000"),
            ("MPE_CONFIG_PATH", "/etc"),
            ("MPE_MOCK_DOMAIN", "x"),
            ("MPE_SERVICE_HOST", "192.0.2.1"),
            ("MPE_SERVER_SERVICE_PORT_HTTP", "80"),
            ("MPE_SERVER_PORT_9000_TCP_ADDR", "192.0.2.1"),
            ("MPE_X_PORT", "tcp://192.0.2.1:80"),
            ("MPE_SEVER_PORT", "9001"),
            ("MPE_AUDIT_FULLL", "deny"),
        ];
        let want = [
            "MPE_AUDIT_FULLL is no variable of the configuration, the nearest one is MPE_AUDIT_FULL",
            "MPE_SEVER_PORT is no variable of the configuration, the nearest one is MPE_SERVER_PORT",
        ];
        let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(strangers(owned.into_iter()), want);
    }
}
