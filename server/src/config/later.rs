//! The configuration of a process that runs: which files it depends on, and what of it holds until the next start.

use std::path::PathBuf;

use serde_json::Value;

use super::file::{self, Environment, Found, Settings};
use super::keys::{self, find};
use super::podinfo::PodInfo;
use super::record_env;

/// Files that a load reads besides the policies: that of the configuration, those that would be found before it once they
/// are there, and those that it names.
#[must_use]
pub fn files() -> Vec<PathBuf> {
    files_from(&|name| std::env::var_os(name))
}

fn files_from(environment: &Environment<'_>) -> Vec<PathBuf> {
    let mut files = file::candidates(environment);
    // What is wrong with it is said by the load.
    let Ok(settings) = file::settings_from(environment) else {
        return files;
    };
    let text = |key: &str| settings.get(key).and_then(|said| said.value.as_str());
    let needs_key = settings.contains_key(keys::HASH);
    files.extend(text(keys::HASH_KEY_FILE).filter(|_| needs_key).map(PathBuf::from));
    let env = settings.get(keys::ENV).map(|said| &said.value);
    if env.is_some_and(record_env::asks_the_pod) {
        files.extend(PodInfo::at(text(keys::PODINFO).unwrap_or(PodInfo::FOLDER)).files());
    }
    files
}

/// What the configuration said in place of flags when the process started.
pub struct AtStart(Vec<(String, Value)>);

impl AtStart {
    /// Of what it says now.
    #[must_use]
    pub fn of(settings: Settings) -> AtStart {
        AtStart(of_flags(settings))
    }

    /// Keys that say something else by now, and do not take effect. None of a configuration that cannot be read: that is said
    /// by the load.
    #[must_use]
    pub fn changed(&self) -> Vec<String> {
        Found::by_any().map_or_else(|_| Vec::new(), |now| self.changed_in(now.settings))
    }

    fn changed_in(&self, now: Settings) -> Vec<String> {
        let now = of_flags(now);
        let only_in = |ones: &[(String, Value)], others: &[(String, Value)]| {
            let names = ones.iter().filter(|one| !others.contains(one));
            names.map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        let mut changed = only_in(&self.0, &now);
        changed.extend(only_in(&now, &self.0));
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}

fn of_flags(settings: Settings) -> Vec<(String, Value)> {
    let is_of_flag = |name: &str| find(name).is_some_and(|key| key.flag.is_some());
    settings
        .into_iter()
        .filter(|(name, _)| is_of_flag(name))
        .map(|(name, said)| (name, said.value))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn keys_of_flags_hold_until_the_next_start() {
        let read = |text: &str| file::parse("conf", text).unwrap();
        let start = AtStart::of(read(
            "server: {port: 9000}\nadmin: {listen: 9001}\naudit: {revision: true}",
        ));
        for (text, want) in [
            ("admin: {listen: 9001}\nserver: {port: 9000}", &[][..]),
            (
                "admin: {listen: 9001}\nserver: {port: 9000}\naudit: {revision: false}\nlog: {level: debug}",
                &[],
            ),
            ("admin: {listen: 9002}\nserver: {port: 9000}", &["admin.listen"]),
            (
                "admin: {listen: 9001}\nlimits: {connections: 5}",
                &["limits.connections", "server.port"],
            ),
        ] {
            assert_eq!(start.changed_in(read(text)), want, "{text}");
        }
    }

    #[test]
    fn files_that_may_come_to_say_something() {
        let folder = std::env::temp_dir().join(format!("gavel-later-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let found = || -> Vec<String> {
            let environment = |name: &str| match name {
                "MPE_CONFIG_PATH" => Some(OsString::from(&folder)),
                _ => None,
            };
            let files = files_from(&environment).into_iter();
            files
                .map(|file| file.to_string_lossy().replace(folder.to_str().unwrap(), ""))
                .collect()
        };
        assert_eq!(found().len(), 13);
        let text = "audit: {hash: [/a], hashkeyfile: /key, env: [{name: a, Type: k8s-label, value: b}]}";
        std::fs::write(folder.join("mpe-config.yaml"), text).unwrap();
        let want = [
            "/mpe-config.json",
            "/mpe-config.toml",
            "/mpe-config.yaml",
            "/key",
            "/etc/podinfo/labels",
            "/etc/podinfo/annotations",
        ];
        assert_eq!(found(), want);
        std::fs::write(folder.join("mpe-config.yaml"), "audit: [").unwrap();
        assert_eq!(found(), want[..3]);
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(files_from(&|name| (name == "MPE_CONFIG_PATH").then(OsString::new)).is_empty());
    }
}
