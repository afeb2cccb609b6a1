//! The argument of `http.send`: what is asked for and how, checked as OPA checks it.

use std::time::Duration;

use serde_json::{Map, Value};

/// What went wrong with a request, or with carrying it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The request is wrong, its host is not allowed, or its answer cannot be used.
    Internal(String),
    /// The network, the other side, or the time.
    Network(String),
    /// A parameter that we do not carry out: the evaluation ends.
    Refused(String),
}

/// A request, checked.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) enable_redirect: bool,
    pub(super) force_json_decode: bool,
    pub(super) timeout: Duration,
    pub(super) max_retry_attempts: u64,
    /// How long an answer is kept: by its headers, or in any case so many seconds.
    pub(super) keep: Keep,
    /// What equal requests have in common.
    pub(super) key: String,
}

/// Whether an answer may be used by later requests to the mapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Not beyond this evaluation.
    No,
    /// As its headers say.
    ByHeaders,
    /// For so long, whatever they say.
    For(Duration),
}

/// OPA's default.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);

/// Parameters without effect here, or read elsewhere.
const OTHERS: [&str; 4] = [
    "raise_error",
    "caching_mode",
    "cache_ignored_headers",
    "force_cache_duration_seconds",
];

impl Wanted {
    /// Reads the request.
    pub(super) fn read(request: &Map<String, Value>) -> Result<Wanted, Trouble> {
        for required in ["method", "url"] {
            if !request.contains_key(required) {
                return Err(internal(format!(
                    "missing required request parameters(s): {{\"{required}\"}}"
                )));
            }
        }
        let mut wanted = Wanted {
            method: text(request, "method")?.to_ascii_uppercase(),
            url: text(request, "url")?.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            enable_redirect: flag(request, "enable_redirect")?,
            force_json_decode: flag(request, "force_json_decode")?,
            timeout: TIMEOUT_DEFAULT,
            max_retry_attempts: 0,
            keep: keep(request)?,
            key: key(request)?,
        };
        caching_mode(request)?;
        for (name, value) in request {
            match name.as_str() {
                "method" | "url" | "enable_redirect" | "force_json_decode" | "cache" | "force_cache" => {}
                "headers" => wanted.headers = headers(value)?,
                "raw_body" => wanted.body = text(request, "raw_body")?.as_bytes().to_vec(),
                "body" if request.contains_key("raw_body") => {}
                "body" => wanted.body = value.to_string().into_bytes(),
                "timeout" => wanted.timeout = timeout(value)?,
                "max_retry_attempts" => wanted.max_retry_attempts = count(name, value)?,
                // What we do anyway.
                "tls_use_system_certs" if *value == Value::Bool(true) => {}
                "tls_insecure_skip_verify" | "force_yaml_decode" | "tls_use_system_certs"
                    if *value == Value::Bool(false) => {}
                "force_yaml_decode" => return Err(refused(name)),
                tls if TLS.contains(&tls) => return Err(refused(name)),
                other if OTHERS.contains(&other) => {}
                other => {
                    return Err(internal(format!(
                        "invalid request parameters(s): {{\"{other}\"}}"
                    )));
                }
            }
        }
        Ok(wanted)
    }
}

/// What OPA knows of TLS and we leave to the system's roots.
const TLS: [&str; 12] = [
    "tls_use_system_certs",
    "tls_ca_cert",
    "tls_ca_cert_file",
    "tls_ca_cert_env_variable",
    "tls_client_cert",
    "tls_client_cert_file",
    "tls_client_cert_env_variable",
    "tls_client_key",
    "tls_client_key_file",
    "tls_client_key_env_variable",
    "tls_insecure_skip_verify",
    "tls_server_name",
];

fn internal(text: impl Into<String>) -> Trouble {
    Trouble::Internal(text.into())
}

fn refused(name: &str) -> Trouble {
    Trouble::Refused(format!("http.send: the parameter `{name}` is not supported"))
}

/// Whether a failure ends the call (the default), or is a result. `None`: the parameter is wrong.
pub(super) fn raises_errors(request: &Map<String, Value>) -> Option<bool> {
    request.get("raise_error").map_or(Some(true), Value::as_bool)
}

fn text<'m>(request: &'m Map<String, Value>, name: &str) -> Result<&'m str, Trouble> {
    let value = request.get(name).and_then(Value::as_str);
    value.ok_or_else(|| internal(format!("\"{name}\" must be a string")))
}

fn flag(request: &Map<String, Value>, name: &str) -> Result<bool, Trouble> {
    match request.get(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(internal(format!("invalid value for \"{name}\" field"))),
    }
}

fn count(name: &str, value: &Value) -> Result<u64, Trouble> {
    let wrong = || internal(format!("invalid value {value} for field \"{name}\""));
    value.as_u64().ok_or_else(wrong)
}

fn headers(value: &Value) -> Result<Vec<(String, String)>, Trouble> {
    let Value::Object(headers) = value else {
        return Err(internal("invalid type for headers key"));
    };
    let pair = |(name, value): (&String, &Value)| match value {
        Value::String(text) => Ok((name.clone(), text.clone())),
        other => Err(internal(format!("invalid type for headers value {other}"))),
    };
    headers.iter().map(pair).collect()
}

/// Nanoseconds as a number or text, or Go's text of a duration. None is no bound in OPA; here it is the longest.
fn timeout(value: &Value) -> Result<Duration, Trouble> {
    let wrong = || internal(format!("invalid timeout value {value}"));
    let ns = match value {
        Value::Number(number) => number.as_i64().ok_or_else(wrong)?,
        Value::String(text) => match text.parse() {
            Ok(ns) => ns,
            Err(_) => go_duration_ns(text).ok_or_else(wrong)?,
        },
        _ => return Err(internal("'timeout' must be one of {string, number}")),
    };
    Ok(u64::try_from(ns)
        .ok()
        .filter(|ns| *ns > 0)
        .map_or(Duration::MAX, Duration::from_nanos))
}

/// `1h30m`, `1.5s`, `300ms`: units of Go's `time.ParseDuration`.
pub(super) fn go_duration_ns(text: &str) -> Option<i64> {
    const UNITS: [(&str, f64); 8] = [
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("μs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 60e9),
        ("h", 3600e9),
    ];
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let mut ns = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at_checked(digits)?;
        let end = behind.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, behind) = behind.split_at_checked(end.unwrap_or(behind.len()))?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        ns += number.parse::<f64>().ok()? * factor;
        rest = behind;
    }
    let ns = if negative { -ns } else { ns };
    (ns.abs() < i64::MAX as f64).then_some(ns as i64)
}

fn keep(request: &Map<String, Value>) -> Result<Keep, Trouble> {
    const NAME: &str = "force_cache_duration_seconds";
    let by_headers = flag(request, "cache")?;
    if !flag(request, "force_cache")? {
        return Ok(if by_headers { Keep::ByHeaders } else { Keep::No });
    }
    let seconds = request
        .get(NAME)
        .ok_or_else(|| internal(format!("'force_cache' set but '{NAME}' parameter is missing")))?;
    let wrong = || internal(format!("invalid value {seconds} for field \"{NAME}\""));
    let seconds = seconds
        .as_i64()
        .and_then(|n| i32::try_from(n).ok())
        .ok_or_else(wrong)?;
    Ok(match u64::try_from(seconds) {
        Ok(seconds @ 1..) => Keep::For(Duration::from_secs(seconds)),
        // OPA takes no or a negative time for no force.
        Ok(0) | Err(_) => Keep::ByHeaders,
    })
}

fn caching_mode(request: &Map<String, Value>) -> Result<(), Trouble> {
    match request.get("caching_mode").map(Value::as_str) {
        None | Some(Some("serialized" | "deserialized")) => Ok(()),
        Some(_) => Err(internal("invalid value for \"caching_mode\" field")),
    }
}

/// The request without the headers that make no difference.
fn key(request: &Map<String, Value>) -> Result<String, Trouble> {
    const IGNORED: &str = "cache_ignored_headers";
    let mut key = request.clone();
    let ignored = key.insert(IGNORED.to_owned(), Value::Null);
    if let (Some(ignored), Some(Value::Object(headers))) = (ignored, key.get_mut("headers")) {
        let wrong = || internal(format!("{IGNORED} must be an array of strings"));
        let ignored = ignored.as_array().ok_or_else(wrong)?;
        for name in ignored {
            headers.remove(name.as_str().ok_or_else(wrong)?);
        }
    }
    Ok(Value::Object(key).to_string())
}
