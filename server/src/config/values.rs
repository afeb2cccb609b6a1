//! The settings that no flag says, their types and defaults.

use std::collections::BTreeMap;

use serde_json::Value;

use super::file::{self, Environment, Setting, Settings};
use super::keys::{self, find, unknown};
use super::podinfo::PodInfo;
use super::record_env;
use super::records::RecordRules;
use crate::error::Failure;
use crate::log::{self, Level};
use crate::words::go_bool;

/// What the configuration says besides flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `bundles.includeall`: all phases are listed in an access record, also those behind the one that denied.
    pub include_all: bool,
    /// `opa.unsafebuiltins`: builtins that policies may not use.
    pub unsafe_builtins: Vec<String>,
    /// `audit.env`, resolved: the `metadata.env` of every access record.
    pub record_env: BTreeMap<String, String>,
    /// `audit.revision`: each access record says by which revision of the policies it was decided.
    pub record_revision: bool,
    /// `audit.redact`, `audit.hash`, `audit.hashkeyfile`, `audit.sample.grants`.
    pub record_rules: RecordRules,
    /// `log.level`.
    pub log_level: Option<Level>,
}

impl Config {
    /// Reads the configuration of this process.
    ///
    /// # Errors
    /// A file that is there but cannot be used, a key that is none, or a value of the wrong kind.
    pub fn load() -> Result<Config, Failure> {
        Config::from_environment(&|name| std::env::var_os(name))
    }

    /// Reads the configuration that these environment variables lead to.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_environment(environment: &Environment<'_>) -> Result<Config, Failure> {
        let settings = file::settings_from(environment)?;
        Config::from_settings(settings, environment)
            .map_err(|error| Failure::Operator(format!("error reading config: {error}")))
    }

    fn from_settings(mut settings: Settings, environment: &Environment<'_>) -> Result<Config, String> {
        // What flags say is read before there are any.
        settings.retain(|name, _| find(name).is_none_or(|key| key.flag.is_none()));
        let mut config = Config {
            include_all: flag(&mut settings, keys::INCLUDE_ALL)?.unwrap_or(true),
            unsafe_builtins: unsafe_builtins(&mut settings)?,
            record_env: BTreeMap::new(),
            record_revision: flag(&mut settings, keys::REVISION)?.unwrap_or(false),
            record_rules: RecordRules::take(&mut settings)?,
            log_level: settings.remove(keys::LOG_LEVEL).and_then(|said| log_level(&said)),
        };
        if let Some(said) = settings.remove(keys::MOCK)
            && boolean(&said.value) != Some(false)
        {
            let text = "mock.enabled is not supported: it would replace the policies";
            return Err(said.wrong(text));
        }
        let podinfo = match settings.remove(keys::PODINFO) {
            None => PodInfo::at(PodInfo::FOLDER),
            Some(said) => match &said.value {
                Value::String(path) => PodInfo::at(path),
                value => return Err(said.wrong(format!("audit.k8s.podinfo: {value} is no path"))),
            },
        };
        if let Some(said) = settings.remove(keys::ENV) {
            let resolved = record_env::resolved(&said.value, &podinfo, environment);
            config.record_env = resolved.map_err(|why| said.wrong(why))?;
        }
        // Whoever makes lines of the log reads it.
        settings.remove(keys::LOG_FORMATTER);
        if settings.keys().any(|key| key.starts_with("mock.")) {
            log::line(
                Level::Warn,
                format_args!("the keys below `mock` have no effect: there is no mock here"),
            );
        }
        let unknown: Vec<String> = settings
            .iter()
            .filter(|(key, _)| !key.starts_with("mock."))
            .map(|(key, said)| said.wrong(unknown(key)))
            .collect();
        if !unknown.is_empty() {
            return Err(unknown.join("; "));
        }
        Ok(config)
    }
}

fn flag(settings: &mut Settings, name: &str) -> Result<Option<bool>, String> {
    let Some(said) = settings.remove(name) else {
        return Ok(None);
    };
    let is_set = boolean(&said.value);
    let wrong = || said.wrong(format!("{name}: {} is no boolean, true or false", said.value));
    is_set.map(Some).ok_or_else(wrong)
}

fn unsafe_builtins(settings: &mut Settings) -> Result<Vec<String>, String> {
    let name = keys::UNSAFE_BUILTINS;
    let Some(said) = settings.remove(name) else {
        return Ok(vec!["http.send".to_owned()]);
    };
    let builtins = names(&said.value).ok_or_else(|| {
        let text = "is neither a list of names nor a text with commas";
        said.wrong(format!("{name}: {} {text}", said.value))
    })?;
    let is_unknown = |name: &&String| gavel_runtime::builtins::find(name).is_none();
    match builtins.iter().find(is_unknown) {
        Some(other) => Err(said.wrong(format!("{name}: there is no builtin {other:?}"))),
        None => Ok(builtins),
    }
}

/// A boolean in YAML's, Go's or C's words.
pub(crate) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => number.as_i64().map(|n| n != 0),
        Value::String(text) => go_bool(text.trim().as_bytes()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A list of names or a text with commas; blanks around a name do not count, and neither do empty names.
pub(crate) fn names(value: &Value) -> Option<Vec<String>> {
    let texts: Vec<&str> = match value {
        Value::String(text) => text.split(',').collect(),
        Value::Array(items) => items.iter().map(Value::as_str).collect::<Option<_>>()?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    Some(
        texts
            .into_iter()
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

/// `log.formatter`, for whoever writes lines of the log.
#[must_use]
pub fn log_formatter(settings: &Settings) -> Option<&Setting> {
    settings.get(keys::LOG_FORMATTER)
}

/// The level of the part `.` of `module:level;…`, or a bare level. What cannot be read is warned about.
fn log_level(said: &Setting) -> Option<Level> {
    let mut level = None;
    let text = match &said.value {
        Value::String(text) => text,
        value => {
            let text = said.wrong(format!("log.level: {value} is no text"));
            log::line(Level::Warn, format_args!("{text}"));
            return None;
        }
    };
    for part in text
        .split(';')
        .map(|part| part.split_whitespace().collect::<String>())
        .filter(|part| !part.is_empty())
    {
        let (module, word) = part.split_once(':').unwrap_or((".", &part));
        let known = match word.to_lowercase().as_str() {
            "panic" | "fatal" | "error" => Some(Level::Error),
            "warn" | "warning" => Some(Level::Warn),
            "info" => Some(Level::Info),
            "debug" | "trace" => Some(Level::Debug),
            _ => None,
        };
        match known {
            None => log::line(Level::Warn, format_args!("log.level: unknown level in `{part}`")),
            Some(known) if module == "." => level = Some(known),
            // Levels of single modules are those of the reference's modules, which do not exist here.
            Some(_) => {}
        }
    }
    level
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let lookup = |name: &str| {
            environment
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        };
        file::parse("conf", text).and_then(|settings| Config::from_settings(settings, &lookup))
    }

    #[track_caller]
    fn check_names(text: &str, want: &[&str]) {
        assert_eq!(read(text, &[]).unwrap().unsafe_builtins, want, "{text}");
    }

    #[test]
    fn unsafe_builtins_as_list_or_text() {
        check_names("", &["http.send"]);
        check_names(
            "opa: {unsafebuiltins: [http.send, endswith]}",
            &["http.send", "endswith"],
        );
        check_names(
            "opa: {unsafebuiltins: ' time.now_ns , http.send,'}",
            &["time.now_ns", "http.send"],
        );
        check_names("OPA: {UnsafeBuiltins: sprintf}", &["sprintf"]);
        check_names("opa.unsafebuiltins: sprintf", &["sprintf"]);
        check_names("opa: {unsafebuiltins: ''}", &[]);
        assert!(
            read("opa: {unsafebuiltins: http.sent}", &[])
                .unwrap_err()
                .contains("http.sent")
        );
        assert!(read("opa: {unsafebuiltins: [1]}", &[]).is_err());
        assert!(read("opa: {unsafebuiltins: {a: b}}", &[]).is_err());
    }

    #[test]
    fn include_all_is_a_boolean() {
        for (text, want) in [
            ("true", true),
            ("false", false),
            ("1", true),
            ("0", false),
            ("'F'", false),
        ] {
            assert_eq!(
                read(&format!("bundles: {{includeall: {text}}}"), &[])
                    .unwrap()
                    .include_all,
                want,
                "{text}"
            );
        }
        for text in ["perhaps", "yes", "[true]", "1.5", "[null]"] {
            assert!(
                read(&format!("bundles: {{includeall: {text}}}"), &[]).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn null_says_nothing() {
        let default = read("", &[]).unwrap();
        let mut sections: Vec<&str> = keys::KEYS.iter().map(|key| key.name).collect();
        for key in keys::KEYS {
            let dots = key.name.match_indices('.').map(|(at, _)| &key.name[..at]);
            sections.extend(dots);
        }
        for name in sections {
            for text in [format!("{name}: ~"), format!("{name}:\n  # {name}: 1\n")] {
                assert_eq!(read(&text, &[]).as_ref(), Ok(&default), "{text}");
            }
        }
        for text in [
            "bundle: ~",
            "audit: {file: {size: ~}}",
            "audit: {env: {pod: ~}}",
            "audit.f: ~",
        ] {
            assert!(read(text, &[]).is_err(), "{text}");
        }
    }

    #[test]
    fn broken_text_is_an_error() {
        for text in ["bundles: [", "- a", "text", "a: 1\na: 2"] {
            assert!(read(text, &[]).is_err(), "{text}");
        }
        assert!(read("{}", &[]).is_ok());
        assert!(read("# nothing\n", &[]).is_ok());
        assert!(read("{\"bundles\":{\"includeall\":false}}", &[]).is_ok_and(|config| !config.include_all));
        assert!(read("mock: {enabled: true}", &[]).is_err());
        assert!(read("mock: {enabled: false, domain: {a: b}}", &[]).is_ok());
    }

    #[test]
    fn record_environment() {
        let text = "audit:\n  env:\n  - {name: pod, type: env, value: POD}\n  - {name: none, type: env, value: NO}\n  \
                    - {name: n, type: string, value: 7}\n  - {name: f, type: string, value: 1.50}\n  \
                    - {name: b, type: string, value: true}\n  - {name: m, type: magic, value: x}\n  \
                    - {name: n, type: string, value: eight}\n";
        let config = read(text, &[("POD", "quay-0")]).unwrap();
        let got: Vec<_> = config
            .record_env
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            got,
            [
                ("b", "1"),
                ("f", "1.5"),
                ("n", "eight"),
                ("none", ""),
                ("pod", "quay-0")
            ]
        );
        let old = read("audit: {env: {pod: HOSTNAME}}", &[]).unwrap_err();
        assert!(old.contains("audit.env"), "{old}");
    }

    #[test]
    fn what_records_show() {
        let text = "audit:\n  redact: [/principal/sub, ' /a']\n  hash: /b,/c\n  hashKeyFile: key\n  sample: {grants: 10}\n";
        let rules = read(text, &[]).unwrap().record_rules;
        assert_eq!(
            (rules.remove, rules.hash),
            (
                vec!["/principal/sub".to_owned(), "/a".to_owned()],
                vec!["/b".to_owned(), "/c".to_owned()]
            )
        );
        assert_eq!(
            (rules.hash_key_file, rules.grants_sample.get()),
            (Some("key".into()), 10)
        );
        assert_eq!(read("", &[]).unwrap().record_rules, RecordRules::default());
        for (text, want) in [
            ("audit: {redact: principal}", "JSON Pointer"),
            ("audit: {redact: {a: b}}", "audit.redact must not be a mapping"),
            ("audit: {redact: [1]}", "audit.redact"),
            ("audit: {hash: [/a]}", "audit.hashkeyfile"),
            ("audit: {hash: [/a], hashkeyfile: 7}", "no path"),
            ("audit: {sample: {grants: 0}}", "from 1 on"),
            ("audit: {sample: {grants: 1.5}}", "from 1 on"),
            ("audit: {sample: {denials: 2}}", "audit.sample.grants"),
        ] {
            let error = read(text, &[]).unwrap_err();
            assert!(error.contains(want), "{text}: {error}");
        }
    }

    #[test]
    fn unknown_keys_are_errors_that_name_the_nearest() {
        for (text, key, known) in [
            (
                "bundles: {includal: true}",
                "bundles.includal",
                "bundles.includeall",
            ),
            ("opa: {unsafe: x}", "opa.unsafe", "opa.unsafebuiltins"),
            ("audit: {envs: []}", "audit.envs", "audit.env"),
            (
                "audit: {env: [{name: a, type: string, valeu: b}]}",
                "valeu",
                "value",
            ),
        ] {
            let error = read(text, &[]).unwrap_err();
            assert!(
                error.contains(&format!("`{key}`")) && error.contains(&format!("`{known}`")),
                "{error}"
            );
        }
        let both = read("one: 1\ntwo: 2", &[]).unwrap_err();
        assert!(both.contains("`one`") && both.contains("`two`"), "{both}");
    }

    #[test]
    fn levels() {
        let level = |text: &str| read(&format!("log: {{level: '{text}'}}"), &[]).unwrap().log_level;
        assert_eq!(level("debug"), Some(Level::Debug));
        assert_eq!(level(".:warn"), Some(Level::Warn));
        assert_eq!(level("policyengine:debug; . : error"), Some(Level::Error));
        assert_eq!(level("policyengine:debug"), None);
        assert_eq!(level("loud"), None);
    }
}
