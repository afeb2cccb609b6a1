//! The one table of keys: which there are, which flag of `serve` says the same, what says the rest. What a flag's key takes,
//! its default and what it is about are the flag's; a test holds `docs/configuration.md` to both.

use crate::words::nearest;

/// A key of the configuration file.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Names with dots between them, in small letters.
    pub name: &'static str,
    /// The flag of `serve` that says the same, without dashes.
    pub flag: Option<&'static str>,
    /// The verbs of `test` hear it, too.
    pub is_for_tests: bool,
    /// Flags in whose presence this key says nothing: they say where else, or from where else.
    pub gives_way: &'static [&'static str],
    /// What is known of a key without a flag.
    pub about: Option<About>,
}

/// A key without a flag, for people.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// What it takes.
    pub takes: &'static str,
    /// What holds where it is not given.
    pub default: &'static str,
    /// What it is about.
    pub what: &'static str,
    /// It is too much for an environment variable.
    pub only_in_files: bool,
}

impl Key {
    const fn of_flag(name: &'static str, flag: &'static str) -> Key {
        Key {
            name,
            flag: Some(flag),
            is_for_tests: false,
            gives_way: &[],
            about: None,
        }
    }

    const fn alone(
        name: &'static str,
        takes: &'static str,
        default: &'static str,
        what: &'static str,
    ) -> Key {
        Key {
            name,
            flag: None,
            is_for_tests: true,
            gives_way: &[],
            about: Some(About {
                takes,
                default,
                what,
                only_in_files: false,
            }),
        }
    }

    const fn also_for_tests(self) -> Key {
        Key {
            is_for_tests: true,
            ..self
        }
    }

    const fn unless(self, gives_way: &'static [&'static str]) -> Key {
        Key { gives_way, ..self }
    }

    const fn only_in_files(self) -> Key {
        match self.about {
            Some(about) => Key {
                about: Some(About {
                    only_in_files: true,
                    ..about
                }),
                ..self
            },
            None => self,
        }
    }

    /// The environment variable that wins over the file.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        let has_none = self.about.is_some_and(|about| about.only_in_files);
        (!has_none).then(|| format!("MPE_{}", self.name.to_uppercase().replace('.', "_")))
    }
}

/// What is said of a source says nothing where `--bundle` names files.
const NO_BUNDLE: &[&str] = &["bundle"];

/// The key whose variable, the reference's, is read where its flag is.
pub const OPA_FLAGS: &str = "cli.opa.flags";

/// The keys that the modules beside this one read.
pub(super) const LOG_LEVEL: &str = "log.level";
pub(super) const LOG_FORMATTER: &str = "log.formatter";
pub(super) const UNSAFE_BUILTINS: &str = "opa.unsafebuiltins";
pub(super) const INCLUDE_ALL: &str = "bundles.includeall";
pub(super) const ENV: &str = "audit.env";
pub(super) const PODINFO: &str = "audit.k8s.podinfo";
pub(super) const REVISION: &str = "audit.revision";
pub(super) const REDACT: &str = "audit.redact";
pub(super) const HASH: &str = "audit.hash";
pub(super) const HASH_KEY_FILE: &str = "audit.hashkeyfile";
pub(super) const SAMPLE_GRANTS: &str = "audit.sample.grants";
pub(super) const MOCK: &str = "mock.enabled";

/// Flags of `serve` without a key, and why.
pub const FLAGS_WITHOUT_KEY: &[(&str, &str)] = &[
    ("help", "it ends at once"),
    ("print-config", "it ends at once"),
    (
        "no-opa-flags",
        "the reference's spelling of `--v1-compatible`, which has one",
    ),
    ("constant-deny", "it is for benchmarks alone"),
];

/// All keys, by subject.
pub const KEYS: &[Key] = &[
    Key::of_flag("policies.bundle", "bundle")
        .unless(&["source"])
        .also_for_tests(),
    Key::of_flag("policies.regoroot", "rego-root").also_for_tests(),
    Key::of_flag("policies.allownet", "allow-net").also_for_tests(),
    Key::of_flag("policies.v1compatible", "v1-compatible")
        .unless(&["opa-flags", "no-opa-flags"])
        .also_for_tests(),
    Key::of_flag("policies.watch", "watch"),
    Key::of_flag("policies.revision", "revision"),
    Key::of_flag(OPA_FLAGS, "opa-flags")
        .unless(&["v1-compatible", "no-opa-flags"])
        .also_for_tests(),
    Key::of_flag("source.url", "source").unless(NO_BUNDLE),
    Key::of_flag("source.key", "source-key").unless(NO_BUNDLE),
    Key::of_flag("source.tokenfile", "source-token-file").unless(NO_BUNDLE),
    Key::of_flag("source.poll", "source-poll").unless(NO_BUNDLE),
    Key::of_flag("source.cachedir", "cache-dir").unless(NO_BUNDLE),
    Key::of_flag("server.port", "port").unless(&["listen"]),
    Key::of_flag("server.host", "host").unless(&["listen"]),
    Key::of_flag("server.listen", "listen").unless(&["port", "host"]),
    Key::of_flag("server.protocol", "protocol"),
    Key::of_flag("server.publicurl", "public-url"),
    Key::of_flag("server.threads", "threads"),
    Key::of_flag("server.io", "io"),
    Key::of_flag("server.socket.mode", "socket-mode"),
    Key::of_flag("server.socket.owner", "socket-owner"),
    Key::of_flag("server.socket.user", "socket-user"),
    Key::of_flag("server.tls.cert", "tls-cert"),
    Key::of_flag("server.tls.key", "tls-key"),
    Key::of_flag("server.tls.clientca", "tls-client-ca"),
    Key::of_flag("server.tls.clientname", "tls-client-name"),
    Key::of_flag("limits.bodybytes", "max-body-bytes"),
    Key::of_flag("limits.connections", "max-connections"),
    Key::of_flag("limits.inflight", "max-in-flight"),
    Key::of_flag("limits.requestsperconnection", "max-requests-per-connection"),
    Key::of_flag("drain.seconds", "drain-seconds"),
    Key::of_flag("drain.delay", "drain-delay"),
    Key::of_flag("envoy.port", "envoy-port"),
    Key::of_flag("envoy.socket", "envoy-socket"),
    Key::of_flag("envoy.pathprefix", "envoy-path-prefix"),
    Key::of_flag("envoy.connections", "envoy-max-connections"),
    Key::of_flag("envoy.tls.cert", "envoy-tls-cert"),
    Key::of_flag("envoy.tls.key", "envoy-tls-key"),
    Key::of_flag("envoy.tls.clientca", "envoy-tls-client-ca"),
    Key::of_flag("envoy.tls.clientname", "envoy-tls-client-name"),
    Key::of_flag("envoy.domain", "name").also_for_tests(),
    Key::of_flag("admin.listen", "admin"),
    Key::of_flag("admin.tokenfile", "admin-token-file"),
    Key::of_flag("admin.decisions", "admin-decisions"),
    Key::of_flag("admin.tls.cert", "admin-tls-cert"),
    Key::of_flag("admin.tls.key", "admin-tls-key"),
    Key::of_flag("admin.tls.clientca", "admin-tls-client-ca"),
    Key::of_flag("admin.tls.clientname", "admin-tls-client-name"),
    Key::of_flag("opa.api", "opa"),
    Key::of_flag("opa.defaultdecision", "opa-default-decision"),
    Key::alone(
        UNSAFE_BUILTINS,
        "list, or a text with commas",
        "`http.send`",
        "Builtins that neither policies nor mappers may call.",
    ),
    Key::alone(
        INCLUDE_ALL,
        "`true` or `false`",
        "`true`",
        "Access records list all phases, also those behind the one that denied; without it those are not asked.",
    ),
    Key::of_flag("audit.full", "audit-full"),
    Key::of_flag("audit.file.path", "audit-file"),
    Key::of_flag("audit.file.bytes", "audit-file-bytes"),
    Key::of_flag("audit.file.count", "audit-file-count"),
    Key::of_flag("audit.spool.folder", "audit-spool"),
    Key::of_flag("audit.spool.bytes", "audit-spool-bytes"),
    Key::of_flag("audit.spool.fsync", "audit-fsync"),
    Key::of_flag("audit.pretty", "pretty-log"),
    Key::alone(
        ENV,
        "list of `{name, type, value}`",
        "",
        "`metadata.env` of every record; the types are below.",
    )
    .only_in_files(),
    Key::alone(
        PODINFO,
        "path",
        "`/etc/podinfo`",
        "Folder of the Downward API's files `labels` and `annotations`.",
    ),
    Key::alone(
        REVISION,
        "`true` or `false`",
        "`false`",
        "Records say by which [revision](operating.md#revisions-in-records) of the policies they were decided.",
    ),
    Key::alone(
        REDACT,
        "list, or a text with commas",
        "",
        "JSON Pointers of values that records [do not show](audit.md#leaving-things-out).",
    ),
    Key::alone(
        HASH,
        "list, or a text with commas",
        "",
        "JSON Pointers of values that are shown as keyed hashes.",
    ),
    Key::alone(
        HASH_KEY_FILE,
        "path",
        "",
        "File with the key of those hashes, at least 16 bytes.",
    ),
    Key::alone(
        SAMPLE_GRANTS,
        "whole number from 1 on",
        "`1`",
        "One of so many grants is recorded, and every denial.",
    ),
    Key::of_flag("trace.enabled", "trace"),
    Key::of_flag("trace.filter", "trace-filter"),
    Key::alone(
        LOG_LEVEL,
        "text",
        "`info`",
        "`error`, `warn`, `info`, `debug`, or the reference's `module:level;…`, where the module `.` counts.",
    ),
    Key::alone(
        LOG_FORMATTER,
        "`text` or `json`",
        "`json`, but `text` on a terminal",
        "Lines of the log of `serve`, until it ends; other words are warned about and mean `json`, as in the reference.",
    ),
    Key::alone(
        MOCK,
        "`false`",
        "`false`",
        "The reference's mock in place of policies; there is none here. What else is below `mock` says nothing.",
    ),
];

/// The key of this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether this is the name of a key or of a section.
pub(super) fn is_known(name: &str) -> bool {
    let is_within = |key: &Key| {
        let rest = key.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    KEYS.iter().any(is_within)
}

/// What is wrong with a name that is no key's, or is that of a member which a key cannot have.
pub(super) fn unknown(name: &str) -> String {
    let below = |key: &&Key| {
        key.name
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    let parts: Vec<String> = KEYS
        .iter()
        .filter(below)
        .map(|key| format!("`{}`", key.name))
        .collect();
    if !parts.is_empty() {
        return format!("{name} must be a mapping, of {}", parts.join(", "));
    }
    let within = |key: &&Key| {
        name.strip_prefix(key.name)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    match KEYS.iter().find(within) {
        Some(key) if key.name == ENV => "audit.env must be a list of {name, type, value}".to_owned(),
        Some(key) => format!("{} must not be a mapping", key.name),
        None => {
            let known: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
            let advice = nearest(name, &known)
                .map_or_else(String::new, |name| format!(", the nearest known one is `{name}`"));
            format!("unknown key `{name}`{advice}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variables that are no key's and are read elsewhere.
    const TAKEN: [&str; 2] = ["MPE_CONFIG_PATH", "MPE_CONFIG_FILENAME"];

    #[test]
    fn names_are_told_apart() {
        let mut variables: Vec<String> = KEYS.iter().filter_map(Key::variable).collect();
        assert!(
            variables
                .iter()
                .all(|variable| !TAKEN.contains(&variable.as_str()))
        );
        variables.sort();
        assert!(variables.windows(2).all(|pair| pair[0] != pair[1]));
        for key in KEYS {
            assert_eq!(key.name, key.name.to_lowercase());
            assert_ne!(key.flag.is_some(), key.about.is_some(), "{}", key.name);
            let within = format!("{}.", key.name);
            assert!(
                !KEYS.iter().any(|other| other.name.starts_with(&within)),
                "{}",
                key.name
            );
        }
    }
}
