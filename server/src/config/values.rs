//! The settings that exist, their types and defaults.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde_json::Value;

use super::admin;
use super::file::{self, Settings};
use super::podinfo::PodInfo;
use super::records::{self, RecordRules};
use crate::error::Failure;
use crate::log::{self, Level};
use crate::words::{go_bool, nearest};

/// Looks up an environment variable.
pub(super) type Environment<'e> = dyn Fn(&str) -> Option<OsString> + 'e;

/// The settings that an environment variable can override; none has members.
const LEAVES: [&str; 10] = [
    "log.level",
    "opa.unsafebuiltins",
    "bundles.includeall",
    "audit.k8s.podinfo",
    "audit.revision",
    records::REDACT,
    records::HASH,
    records::HASH_KEY_FILE,
    records::SAMPLE_GRANTS,
    "mock.enabled",
];

/// What an entry of `audit.env` has.
const ENTRY_KEYS: [&str; 3] = ["name", "type", "value"];

/// What the configuration says.
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
    /// A file that is there but cannot be used, or a value of the wrong kind.
    pub fn load() -> Result<Config, Failure> {
        Config::from_environment(&|name| std::env::var_os(name))
    }

    /// Reads the configuration that these environment variables lead to.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_environment(environment: &Environment<'_>) -> Result<Config, Failure> {
        let mut settings = file::settings(environment)?;
        overridden(&mut settings, &LEAVES, environment);
        Config::from_settings(settings, environment)
            .map_err(|error| Failure::Operator(format!("error reading config: {error}")))
    }

    fn from_settings(mut settings: Settings, environment: &Environment<'_>) -> Result<Config, String> {
        let mut config = Config {
            include_all: true,
            unsafe_builtins: vec!["http.send".to_owned()],
            record_env: BTreeMap::new(),
            record_revision: false,
            record_rules: RecordRules::take(&mut settings)?,
            log_level: None,
        };
        if let Some(value) = settings.remove("bundles.includeall") {
            config.include_all =
                boolean(&value).ok_or_else(|| format!("bundles.includeall: {value} is no boolean"))?;
        }
        if let Some(value) = settings.remove("opa.unsafebuiltins") {
            config.unsafe_builtins = names(&value).ok_or_else(|| {
                format!("opa.unsafebuiltins: {value} is neither a list of names nor a text with commas")
            })?;
            let unknown = config
                .unsafe_builtins
                .iter()
                .find(|name| gavel_runtime::builtins::find(name).is_none());
            if let Some(name) = unknown {
                return Err(format!("opa.unsafebuiltins: there is no builtin {name:?}"));
            }
        }
        if let Some(value) = settings.remove("log.level") {
            config.log_level = log_level(&value);
        }
        if let Some(value) = settings.remove("mock.enabled")
            && boolean(&value) != Some(false)
        {
            return Err("mock.enabled is not supported: it would replace the policies".to_owned());
        }
        let podinfo = match settings.remove("audit.k8s.podinfo") {
            None => PodInfo::at("/etc/podinfo"),
            Some(Value::String(path)) => PodInfo::at(&path),
            Some(value) => return Err(format!("audit.k8s.podinfo: {value} is no path")),
        };
        // Read by `Admin`.
        settings.retain(|key, _| !admin::KEYS.contains(&key.as_str()));
        if let Some(value) = settings.remove("audit.revision") {
            config.record_revision =
                boolean(&value).ok_or_else(|| format!("audit.revision: {value} is no boolean"))?;
        }
        if let Some(value) = settings.remove("audit.env") {
            config.record_env = record_env(&value, &podinfo, environment)?;
        }
        if settings.keys().any(|key| key.starts_with("mock.")) {
            log::line(
                Level::Warn,
                format_args!("the keys below `mock` have no effect: there is no mock here"),
            );
        }
        let unknown: Vec<String> = settings
            .keys()
            .filter(|key| !key.starts_with("mock."))
            .map(|key| unknown_key(key))
            .collect();
        if !unknown.is_empty() {
            return Err(unknown.join("; "));
        }
        Ok(config)
    }
}

/// Puts the values of environment variables over those of the file, for these keys.
pub(super) fn overridden(settings: &mut Settings, keys: &[&str], environment: &Environment<'_>) {
    for key in keys {
        let name = format!("MPE_{}", key.to_uppercase().replace('.', "_"));
        if let Some(value) = environment(&name).filter(|value| !value.is_empty()) {
            settings.insert(
                (*key).to_owned(),
                Value::String(value.to_string_lossy().into_owned()),
            );
        }
    }
}

/// What is wrong with a key that is none, or that is one with members it cannot have.
fn unknown_key(key: &str) -> String {
    if key.starts_with("audit.env.") {
        return "audit.env must be a list of {name, type, value}".to_owned();
    }
    let within = |leaf: &&str| key.strip_prefix(*leaf).is_some_and(|rest| rest.starts_with('.'));
    if let Some(leaf) = LEAVES.iter().find(|leaf| within(leaf)) {
        return format!("{leaf} must not be a mapping");
    }
    let known: Vec<&str> = LEAVES
        .iter()
        .copied()
        .chain(admin::KEYS)
        .chain(["audit.env"])
        .collect();
    let advice =
        nearest(key, &known).map_or_else(String::new, |name| format!(", the nearest known one is `{name}`"));
    format!("unknown key `{key}`{advice}")
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => number.as_i64().map(|n| n != 0),
        Value::String(text) => go_bool(text.trim().as_bytes()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A list of names or a text with commas; blanks around a name do not count, and neither do empty names.
pub(super) fn names(value: &Value) -> Option<Vec<String>> {
    let texts: Vec<&str> = match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.split(',').collect(),
        Value::Array(items) => items.iter().map(Value::as_str).collect::<Option<_>>()?,
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
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

/// The level of the part `.` of `module:level;…`, or a bare level. What cannot be read is warned about.
fn log_level(value: &Value) -> Option<Level> {
    let text = value.as_str().unwrap_or_default();
    let mut level = None;
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

fn record_env(
    value: &Value,
    podinfo: &PodInfo,
    environment: &Environment<'_>,
) -> Result<BTreeMap<String, String>, String> {
    let mut out = BTreeMap::new();
    let Value::Array(entries) = value else {
        return Err("audit.env must be a list of {name, type, value}".to_owned());
    };
    for entry in entries {
        if let Some(other) = entry.as_object().and_then(|members| {
            members
                .keys()
                .find(|key| !ENTRY_KEYS.iter().any(|known| key.eq_ignore_ascii_case(known)))
        }) {
            let advice = nearest(other, &ENTRY_KEYS).unwrap_or_default();
            return Err(format!(
                "audit.env: unknown key `{other}` in an entry, the nearest known one is `{advice}`"
            ));
        }
        let member = |name: &str| {
            let members = entry.as_object()?;
            members
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .and_then(|(_, value)| scalar(value))
        };
        let (Some(name), Some(kind)) = (member("name"), member("type")) else {
            return Err(format!("audit.env: {entry} lacks a name or a type"));
        };
        let source = member("value").unwrap_or_default();
        let resolved = match kind.as_str() {
            // Text that is not UTF-8 would cost the whole record; the readable part is worth more.
            "env" => environment(&source)
                .map(|value| value.to_string_lossy().into_owned())
                .unwrap_or_default(),
            "string" => source,
            "k8s-label" => podinfo.label(&source),
            "k8s-annot" => podinfo.annotation(&source),
            other => {
                let text = format_args!("audit.env: unknown type {other:?} for entry {name:?}, skipping");
                log::line(Level::Warn, text);
                continue;
            }
        };
        out.insert(name, resolved);
    }
    Ok(out)
}

/// A scalar as text, with the reference's spellings.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(if *value { "1" } else { "0" }.to_owned()),
        Value::Number(number) if number.is_f64() => number.as_f64().map(|n| n.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let lookup = |name: &str| {
            environment
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        };
        file::parse(text).and_then(|settings| Config::from_settings(settings, &lookup))
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
        for text in ["perhaps", "yes", "[true]", "1.5", "null"] {
            assert!(
                read(&format!("bundles: {{includeall: {text}}}"), &[]).is_err(),
                "{text}"
            );
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
