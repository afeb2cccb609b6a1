//! `providers.aws.sign_req`: signature version 4 of a request, as headers.

use crate::arena::List;
use crate::builtins::bytes::bytes_of;
use crate::builtins::crypto::hmac;
use crate::builtins::json_text::compact;
use crate::builtins::operand::{args, object};
use crate::builtins::uri::Parts;
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::number;
use crate::value::{Entry, Kind, Value, object_from};
use jiff::Timestamp;
use jiff::tz::Offset;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Fields that a request may have: those of `http.send`.
const REQUEST_FIELDS: [&str; 28] = [
    "method",
    "url",
    "body",
    "enable_redirect",
    "force_json_decode",
    "force_yaml_decode",
    "headers",
    "raw_body",
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
    "timeout",
    "cache",
    "force_cache",
    "force_cache_duration_seconds",
    "raise_error",
    "caching_mode",
    "max_retry_attempts",
    "cache_ignored_headers",
];

/// Headers that proxies change, and that are not signed for that reason.
const UNSIGNED_HEADERS: [&str; 3] = ["authorization", "user-agent", "x-amzn-trace-id"];

/// Whose signature it is, and for what.
struct Credentials<'r> {
    service: &'r str,
    region: &'r str,
    access_key: &'r str,
    secret_key: &'r str,
    /// Empty: none.
    session_token: &'r str,
}

impl<'r> Credentials<'r> {
    fn read(config: Value<'r>) -> Result<Credentials<'r>, Failure> {
        let needed = |field: &str| config.field(field).and_then(Value::as_str).ok_or(Failure::TYPE);
        Ok(Credentials {
            service: needed("aws_service")?,
            region: needed("aws_region")?,
            access_key: needed("aws_access_key")?,
            secret_key: needed("aws_secret_access_key")?,
            session_token: text_of(config.field("aws_session_token")),
        })
    }
}

/// `providers.aws.sign_req(request, config, time_ns)`: the request with the headers of its signature.
pub(in crate::builtins) fn sign_req<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [request, config, time_ns] = self::args(args)?;
    let fields = object(request)?;
    object(config)?;
    let credentials = Credentials::read(config)?;
    let time_ns = number::int(time_ns).ok_or(Failure::TYPE)?;
    let is_known = |key: Value<'_>| key.as_str().is_some_and(|key| REQUEST_FIELDS.contains(&key));
    if !fields.iter().all(|field| is_known(field.key)) {
        return Err(Failure::TYPE);
    }
    let needed = |field: &str| request.field(field).and_then(Value::as_str).ok_or(Failure::TYPE);
    let (url, method) = (needed("url")?, needed("method")?);
    let headers = match request.field("headers") {
        Some(headers) => object(headers)?,
        None => &[],
    };
    call.charge(1 + url.len())?;
    let url = Parts::of(url).ok_or(Failure::BUILTIN)?;
    let body = match (request.field("raw_body"), request.field("body")) {
        (Some(raw), _) => text_of(Some(raw)),
        (None, Some(body)) => compact(call, body)?,
        (None, None) => "",
    };
    let signs_body = match config.field("disable_payload_signing").map(Value::kind) {
        None => true,
        Some(Kind::Bool(disabled)) => !disabled,
        Some(_) => return Err(Failure::TYPE),
    };
    let mut signing = Signing::new(time_ns, hash_of(call, body, signs_body)?)?;
    signing.take_headers(call, &credentials, &url, headers)?;
    let authorization = signing.authorization(call, &credentials, method, &url)?;
    let mut signed = List::new(call.arena);
    for header in headers {
        signed.push(Entry {
            key: Value::string(text_of(Some(header.key))),
            value: Value::string(text_of(Some(header.value))),
        })?;
    }
    let text = |text: &str| Ok::<_, Failure>(Value::string(call.arena.text(text)?));
    signed.push(Entry {
        key: Value::string("Authorization"),
        value: text(&authorization)?,
    })?;
    for (key, value) in &signing.own_headers {
        signed.push(Entry {
            key: Value::string(key),
            value: text(value)?,
        })?;
    }
    let signed = object_from(call.arena, signed.finish())?;
    let mut whole = List::new(call.arena);
    whole.extend(fields)?;
    whole.push(Entry {
        key: Value::string("headers"),
        value: signed,
    })?;
    Ok(object_from(call.arena, whole.finish())?)
}

/// The hash of the body, or the mark for none.
fn hash_of<'r>(call: &mut Call<'_, 'r>, body: &'r str, signs_body: bool) -> Result<String, Failure> {
    call.charge(body.len())?;
    Ok(match signs_body {
        true => hex(&Sha256::digest(bytes_of(call.arena, body)?)),
        false => "UNSIGNED-PAYLOAD".to_owned(),
    })
}

/// What goes into a signature.
struct Signing {
    /// `20240131`
    date: String,
    /// `20240131T235959Z`
    time: String,
    body_hash: String,
    /// Headers that are added to the request.
    own_headers: BTreeMap<&'static str, String>,
    /// All headers that are signed, in lower case.
    headers: BTreeMap<String, String>,
}

impl Signing {
    fn new(time_ns: i64, body_hash: String) -> Result<Signing, Failure> {
        let time = Timestamp::from_nanosecond(i128::from(time_ns)).map_err(|_| Failure::TYPE)?;
        let time = Offset::UTC.to_datetime(time);
        let date = format!("{:04}{:02}{:02}", time.year(), time.month(), time.day());
        Ok(Signing {
            time: format!(
                "{date}T{:02}{:02}{:02}Z",
                time.hour(),
                time.minute(),
                time.second()
            ),
            date,
            body_hash,
            own_headers: BTreeMap::new(),
            headers: BTreeMap::new(),
        })
    }

    /// Adds the headers of the signature and those of the request; where both have one, the request's is signed.
    fn take_headers<'r>(
        &mut self,
        call: &mut Call<'_, 'r>,
        credentials: &Credentials<'_>,
        url: &Parts,
        headers: &[Entry<'r>],
    ) -> Result<(), Failure> {
        let host = String::from_utf8(url.host.clone()).map_err(|_| Failure::BUILTIN)?;
        self.own_headers.insert("host", host);
        self.own_headers.insert("x-amz-date", self.time.clone());
        if matches!(credentials.service, "s3" | "glacier") {
            self.own_headers
                .insert("x-amz-content-sha256", self.body_hash.clone());
        }
        if !credentials.session_token.is_empty() {
            let token = credentials.session_token.to_owned();
            self.own_headers.insert("x-amz-security-token", token);
        }
        for (key, value) in &self.own_headers {
            self.headers.insert((*key).to_owned(), value.clone());
        }
        for header in headers {
            let (key, value) = (text_of(Some(header.key)), text_of(Some(header.value)));
            call.charge(1 + key.len() + value.len())?;
            let key = key.to_lowercase();
            if !UNSIGNED_HEADERS.contains(&key.as_str()) {
                self.headers.insert(key, value.to_owned());
            }
        }
        Ok(())
    }

    /// The value of the header `Authorization`.
    fn authorization(
        &self,
        call: &mut Call<'_, '_>,
        credentials: &Credentials<'_>,
        method: &str,
        url: &Parts,
    ) -> Result<String, Failure> {
        let names = self
            .headers
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(";");
        let mut request = format!("{method}\n{}\n{}\n", url.path_text(), url.raw_query);
        for (key, value) in &self.headers {
            request.push_str(key);
            request.push(':');
            request.push_str(value);
            request.push('\n');
        }
        request.push('\n');
        request.push_str(&names);
        request.push('\n');
        request.push_str(&self.body_hash);
        call.charge(request.len())?;
        let (region, service) = (credentials.region, credentials.service);
        let scope = format!("{}/{region}/{service}/aws4_request", self.date);
        let request = bytes_of(call.arena, call.arena.text(&request)?)?;
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            self.time,
            hex(&Sha256::digest(request))
        );
        let mut key = format!("AWS4{}", credentials.secret_key).into_bytes();
        for part in [self.date.as_str(), region, service, "aws4_request", &text] {
            key = hmac::<Sha256>(&key, part.as_bytes()).to_vec();
        }
        Ok(format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={}",
            credentials.access_key,
            hex(&key),
        ))
    }
}

/// A text; what is none counts as empty.
fn text_of(value: Option<Value<'_>>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
