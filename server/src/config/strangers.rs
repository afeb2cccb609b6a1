//! Environment variables that look like ours and are none: whoever set one meant something by it.

use super::keys::{KEYS, Key};
use crate::log::{self, Level};
use crate::words::nearest;

/// What all of ours begin with.
const PREFIX: &str = "MPE_";

/// Those that are no key's.
const OTHERS: [&str; 2] = ["MPE_CONFIG_PATH", "MPE_CONFIG_FILENAME"];

/// Says which variables of this process are read by nobody.
pub fn tell_of_strangers() {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for text in strangers(names) {
        log::line(Level::Warn, format_args!("{text}"));
    }
}

fn strangers(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut known: Vec<String> = KEYS.iter().filter_map(Key::variable).collect();
    known.extend(OTHERS.map(str::to_owned));
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let is_stranger = |name: &String| {
        name.starts_with(PREFIX)
            && !known.contains(&name.as_str())
            && !name.starts_with("MPE_MOCK_")
            && !is_of_kubernetes(name)
    };
    let mut found: Vec<String> = names.filter(is_stranger).collect();
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
fn is_of_kubernetes(name: &str) -> bool {
    ["_SERVICE_HOST", "_SERVICE_PORT", "_TCP", "_UDP", "_PORT"]
        .iter()
        .any(|part| name.ends_with(part) || name.contains(&format!("{part}_")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_ours() {
        let names = [
            "PATH",
            "MPE_SERVER_PORT",
            "MPE_CONFIG_PATH",
            "MPE_MOCK_DOMAIN",
            "MPE_SERVICE_HOST",
            "MPE_SERVER_SERVICE_PORT_HTTP",
            "MPE_SERVER_PORT_9000_TCP_ADDR",
            "MPE_X_PORT",
            "MPE_AUDIT_FULLL",
        ];
        let want = "MPE_AUDIT_FULLL is no variable of the configuration, the nearest one is MPE_AUDIT_FULL";
        assert_eq!(strangers(names.into_iter().map(str::to_owned)), [want]);
    }
}
