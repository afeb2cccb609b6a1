//! Targets of the data API: which document, with which input, and what is not served.

use std::fmt;

use super::about::About;
use super::answer::problem;
use crate::http::request::Method;
use crate::serve::api::unescape;

/// A request to one of OPA's paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// For a document.
    Data(Ask),
    /// For the document of the default decision; the path is not known here.
    Default(Ask),
    /// For a document, over many inputs.
    Batch(Ask),
    /// About the service; whether the answer is indented.
    About(About, bool),
    /// The answer needs nothing else: status and JSON.
    Wrong(u16, String),
    /// The path has other methods.
    NotAllowed(&'static str),
}

/// Which document, and how it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// How input and result are wrapped.
    pub version: Version,
    /// Where the input is.
    pub input: Input,
    /// Elements behind `data`.
    pub path: Vec<String>,
    /// MRN of the policy whose document it is.
    pub policy: Option<String>,
    /// The answer is indented.
    pub pretty: bool,
    /// The answer says how long it took.
    pub metrics: bool,
    /// The answer says who made it.
    pub provenance: bool,
}

/// Version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Bare documents.
    V0,
    /// Documents as members.
    V1,
}

/// Where the input of a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// In the body.
    Body,
    /// This JSON text from the query, or nothing.
    Query(Option<Vec<u8>>),
}

/// The document that `POST /` answers unless something else is said.
pub const DEFAULT_DECISION: &str = "/system/main";

/// The document that `POST /` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    text: String,
    path: Vec<String>,
    policy: Option<String>,
}

impl Decision {
    /// What a text says, which is spelled as a target behind `/v1/data`: `authz/allow?policy=MRN`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Decision, String> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        if !query.is_empty() && (!query.starts_with("policy=") || query.contains('&')) {
            return Err("behind the path there may be ?policy=MRN and nothing else".to_owned());
        }
        let ask = asked(Version::V0, Input::Body, path.as_bytes(), query.as_bytes())?;
        match ask.path.is_empty() {
            true => Err("it has to name a document".to_owned()),
            false => Ok(Decision {
                text: text.to_owned(),
                path: ask.path,
                policy: ask.policy,
            }),
        }
    }

    /// A request for the default decision as one for its document. A policy that the client names wins.
    #[must_use]
    pub fn asked(&self, ask: &Ask) -> Ask {
        Ask {
            path: self.path.clone(),
            policy: ask.policy.clone().or_else(|| self.policy.clone()),
            ..ask.clone()
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

const COMPILED: &str = "policies are compiled ahead of time";

/// Whether a path belongs to OPA's API and to nothing else here.
#[must_use]
pub fn is_ours(path: &[u8]) -> bool {
    const OURS: [&[u8]; 6] = [
        b"/v1/data",
        b"/v0/data",
        b"/v1/batch/data",
        b"/v1/policies",
        b"/v1/query",
        b"/v1/compile",
    ];
    about(path).is_some() || path == b"/" || OURS.iter().any(|prefix| behind(path, prefix).is_some())
}

/// What a request to a path of [`is_ours`] asks for. `method_text`: the method as sent.
#[must_use]
pub fn call(method: Method, method_text: &[u8], path: &[u8], query: &[u8], is_yaml: bool) -> Call {
    let changes = matches!(method_text, b"PUT" | b"PATCH" | b"DELETE");
    if let Some(about) = about(path) {
        let pretty = asked(Version::V1, Input::Query(None), b"", query).is_ok_and(|ask| ask.pretty);
        return match method {
            Method::Get => Call::About(about, pretty),
            Method::Head | Method::Post | Method::Options | Method::Other => Call::NotAllowed("GET"),
        };
    }
    let (version, rest, make): (_, _, fn(Ask) -> Call) = if path == b"/" {
        (Version::V0, &b""[..], Call::Default)
    } else if let Some(rest) = behind(path, b"/v1/batch/data") {
        (Version::V1, rest, Call::Batch)
    } else {
        return document(method, changes, path, query, is_yaml);
    };
    match method {
        Method::Post => made(asked(version, Input::Body, rest, query), is_yaml, make),
        Method::Get | Method::Head | Method::Options | Method::Other => Call::NotAllowed("POST"),
    }
}

/// What `/v1/status` and `/v1/config` ask.
fn about(path: &[u8]) -> Option<About> {
    match path {
        b"/v1/status" => Some(About::Status),
        b"/v1/config" => Some(About::Config),
        _ => None,
    }
}

/// Requests to paths of documents, and to those that need a compiler.
fn document(method: Method, changes: bool, path: &[u8], query: &[u8], is_yaml: bool) -> Call {
    let (version, rest, methods) = if let Some(rest) = behind(path, b"/v1/data") {
        (Version::V1, rest, "GET, POST")
    } else if let Some(rest) = behind(path, b"/v0/data") {
        (Version::V0, rest, "POST")
    } else {
        return elsewhere(method, changes, path);
    };
    let input = match (method, version) {
        (Method::Post, _) => Input::Body,
        (Method::Get, Version::V1) => Input::Query(None),
        (Method::Other, Version::V1) if changes => {
            return not_implemented(&format!(
                "{COMPILED} and have no base documents: data cannot be changed"
            ));
        }
        (Method::Get | Method::Head | Method::Options | Method::Other, _) => {
            return Call::NotAllowed(methods);
        }
    };
    let is_yaml = is_yaml && input == Input::Body;
    made(asked(version, input, rest, query), is_yaml, Call::Data)
}

fn made(asked: Result<Ask, String>, is_yaml: bool, make: fn(Ask) -> Call) -> Call {
    match asked {
        _ if is_yaml => Call::Wrong(415, problem("invalid_parameter", "the body has to be JSON")),
        Ok(ask) => make(ask),
        Err(why) => Call::Wrong(400, problem("invalid_parameter", &why)),
    }
}

/// Paths of OPA that need a compiler at run time.
fn elsewhere(method: Method, changes: bool, path: &[u8]) -> Call {
    let (methods, why) = if behind(path, b"/v1/policies").is_some() {
        let why = "they come from the files or the source that the service was started with";
        ("GET, PUT, DELETE", why)
    } else if behind(path, b"/v1/query").is_some() {
        ("GET, POST", "queries cannot be compiled while it serves")
    } else {
        ("GET, POST", "queries cannot be evaluated partially")
    };
    let served = match method {
        Method::Get => true,
        Method::Post => methods.contains("POST"),
        Method::Other => changes && methods.contains("PUT"),
        Method::Head | Method::Options => false,
    };
    if served {
        not_implemented(&format!("{COMPILED}: {why}"))
    } else {
        Call::NotAllowed(methods)
    }
}

fn not_implemented(why: &str) -> Call {
    Call::Wrong(501, problem("not_implemented", why))
}

/// What stands behind a path and a slash; empty for the path itself.
fn behind<'p>(path: &'p [u8], prefix: &[u8]) -> Option<&'p [u8]> {
    match path.strip_prefix(prefix)? {
        [] => Some(&[]),
        [b'/', rest @ ..] => Some(rest),
        _ => None,
    }
}

fn asked(version: Version, input: Input, rest: &[u8], query: &[u8]) -> Result<Ask, String> {
    let mut ask = Ask {
        version,
        input,
        path: elements(rest)?,
        policy: None,
        pretty: false,
        metrics: false,
        provenance: false,
    };
    for segment in query.split(|byte| *byte == b'&') {
        let mut halves = segment.splitn(2, |byte| *byte == b'=');
        let name = halves.next().and_then(unescape).unwrap_or_default();
        let value = unescape(halves.next().unwrap_or_default()).unwrap_or_default();
        // As in OPA a flag without a value is set, and so is one that is true.
        let is_set = value.is_empty() || value.eq_ignore_ascii_case(b"true");
        match name.as_slice() {
            b"pretty" => ask.pretty |= is_set,
            b"metrics" => ask.metrics |= is_set,
            b"provenance" => ask.provenance |= is_set,
            b"policy" => {
                let text = String::from_utf8(value).map_err(|_| "policy: no UTF-8".to_owned())?;
                if ask.policy.replace(text).is_some() {
                    return Err("policy: given more than once".to_owned());
                }
            }
            b"input" if version == Version::V1 => {
                if let Input::Query(text) = &mut ask.input {
                    *text = Some(value);
                }
            }
            b"explain" if !matches!(value.as_slice(), b"" | b"off") => {
                return Err("explain: there are no traces here; see `gavel eval --explain`".to_owned());
            }
            b"instrument" | b"strict-builtin-errors" | b"rules" if is_set => {
                let name = String::from_utf8_lossy(&name);
                return Err(format!("{name}: not supported"));
            }
            _ => {}
        }
    }
    Ok(ask)
}

/// The elements of a path. Empty ones do not count; a slash inside of one is escaped.
fn elements(rest: &[u8]) -> Result<Vec<String>, String> {
    let elements = rest
        .split(|byte| *byte == b'/')
        .filter(|element| !element.is_empty());
    elements
        .map(|element| {
            // In a path a plus is a plus.
            let escaped: Vec<u8> = element
                .iter()
                .flat_map(|byte| match byte {
                    b'+' => b"%2B".to_vec(),
                    other => vec![*other],
                })
                .collect();
            let text = unescape(&escaped).ok_or("invalid path: a bad percent escape")?;
            String::from_utf8(text).map_err(|_| "invalid path: no UTF-8".to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(request: &str, want: &str) {
        let (method, target) = request.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let kind = match method {
            "GET" => Method::Get,
            "POST" => Method::Post,
            "HEAD" => Method::Head,
            "OPTIONS" => Method::Options,
            _ => Method::Other,
        };
        assert!(is_ours(path.as_bytes()), "{request}");
        let got = match call(kind, method.as_bytes(), path.as_bytes(), query.as_bytes(), false) {
            Call::Data(ask) => format!(
                "{:?} {} pretty={} policy={:?}",
                ask.version,
                ask.path.join("|"),
                ask.pretty,
                ask.policy
            ),
            Call::Default(ask) => format!("default policy={:?}", ask.policy),
            Call::Batch(ask) => format!("batch {}", ask.path.join("|")),
            Call::About(about, pretty) => format!("{about:?} {pretty}"),
            Call::Wrong(status, text) => format!("{status} {}", text.replace('\n', "")),
            Call::NotAllowed(methods) => format!("405 {methods}"),
        };
        assert!(got.starts_with(want), "{request}: {got}");
    }

    #[test]
    fn targets() {
        check("POST /v1/data", "V1  pretty=false policy=None");
        check("GET /v1/data//a/b%2Fc+d/?pretty", "V1 a|b/c+d pretty=true");
        check(
            "GET /v1/data/a?pretty=false&policy=mrn%3Ax",
            "V1 a pretty=false policy=Some(\"mrn:x\")",
        );
        check("POST /v0/data/a", "V0 a");
        check("GET /v0/data/a", "405 POST");
        check("PUT /v0/data/a", "405 POST");
        check("HEAD /v1/data/a", "405 GET, POST");
        check("TRACE /v1/data/a", "405 GET, POST");
        for request in [
            "PUT /v1/data/a",
            "PATCH /v1/data",
            "DELETE /v1/data/a",
            "GET /v1/policies",
            "PUT /v1/policies/a",
            "POST /v1/query",
            "POST /v1/compile/a/b",
        ] {
            check(request, "501 ");
        }
        check("POST /v1/policies", "405 ");
        check("DELETE /v1/query", "405 ");
        check("GET /v1/data/%zz", "400 ");
        check("GET /v1/data/a?explain=full", "400 ");
        check("GET /v1/data/a?strict-builtin-errors", "400 ");
        check("GET /v1/data/a?strict-builtin-errors=false&explain=off", "V1 a");
        check("POST /?policy=a", "default policy=Some(\"a\")");
        check("GET /", "405 POST");
        check("POST /v1/batch/data/a/b", "batch a|b");
        check("POST /v1/batch/data", "batch ");
        check("GET /v1/batch/data/a", "405 POST");
        check("GET /v1/status?pretty", "Status true");
        check("GET /v1/config", "Config false");
        check("POST /v1/config", "405 GET");
        for other in ["/v1/database", "//", "/a", "/v1/batch", "/v1/status/a"] {
            assert!(!is_ours(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn default_decisions() {
        let decision = Decision::parse("/authz/allow%2Fed?policy=mrn%3Aa").unwrap();
        assert_eq!(decision.path, ["authz", "allow/ed"]);
        assert_eq!(decision.policy.as_deref(), Some("mrn:a"));
        for wrong in ["", "/", "?policy=a", "a?pretty", "a?policy=b&pretty", "%zz"] {
            assert!(Decision::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Decision::parse(DEFAULT_DECISION).is_ok());
    }
}
