//! One question to the source, within bounds of time and size.

use std::path::PathBuf;
use std::time::Duration;

use http::header::{
    AUTHORIZATION, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION, USER_AGENT,
};
use http::{Request, Uri};
use ureq::Agent;

use super::signature::Key;
use super::words;
use crate::fetch::{self, Roots};
use crate::log::{self, Level};
use crate::{files, limits};

/// Asks.
pub(super) struct Getter {
    agent: Agent,
    url: Uri,
    token_file: Option<PathBuf>,
}

/// What was got.
pub(super) struct Got {
    pub(super) bytes: Vec<u8>,
    pub(super) etag: Option<String>,
    /// Empty where none is asked for.
    pub(super) signature: Vec<u8>,
}

/// A header with the signature over the body, in base64; without it the signature is looked for at the URL with `.sig` behind
/// its path.
const SIGNATURE: HeaderName = HeaderName::from_static("gavel-signature");

impl Getter {
    pub(super) fn new(url: Uri, token_file: Option<PathBuf>) -> Getter {
        let roots = Roots::of_the_system();
        if url.scheme_str() == Some("https")
            && let Some(trouble) = roots.trouble()
        {
            log::line(Level::Warn, format_args!("--source {url}: {trouble}"));
        }
        Getter {
            agent: fetch::agent(roots),
            url,
            token_file,
        }
    }

    /// What is there, or `None` if it is still what has this tag. With a key it is signed.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub(super) fn get(&self, etag: Option<&str>, key: Option<&Key>) -> Result<Option<Got>, String> {
        let Some((headers, bytes)) = self.ask(&self.url, etag, limits::IMAGE_BYTES_MAX)? else {
            return Ok(None);
        };
        let mut got = Got {
            bytes,
            etag: headers
                .get(ETAG)
                .and_then(|tag| tag.to_str().ok())
                .map(str::to_owned),
            signature: Vec::new(),
        };
        if let Some(key) = key {
            got.signature = match headers.get(SIGNATURE) {
                Some(signature) => signature.as_bytes().to_vec(),
                None => self.signature()?,
            };
            if !key.verifies(&got.bytes, &got.signature) {
                return Err("the signature is not one of the key over what was got".to_owned());
            }
        }
        Ok(Some(got))
    }

    fn signature(&self) -> Result<Vec<u8>, String> {
        let url = beside(&self.url).ok_or("its signature has no URL")?;
        match self.ask(&url, None, limits::SIGNATURE_BYTES_MAX) {
            Ok(Some((_, signature))) => Ok(signature),
            Ok(None) => Err("its signature cannot be had".to_owned()),
            Err(why) => Err(format!("its signature cannot be had: {why}")),
        }
    }

    fn ask(
        &self,
        url: &Uri,
        etag: Option<&str>,
        bytes_max: usize,
    ) -> Result<Option<(HeaderMap, Vec<u8>)>, String> {
        let mut request = Request::get(url).header(USER_AGENT, concat!("gavel/", env!("CARGO_PKG_VERSION")));
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(path) = &self.token_file {
            // Read each time: a mounted secret may be exchanged.
            let token = files::text(path, limits::TOKEN_BYTES_MAX)
                .map_err(|error| format!("open {}: {}", path.display(), crate::error::reason(&error)))?;
            let value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
                .map_err(|_| format!("{}: no token", path.display()))?;
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(()).map_err(|error| error.to_string())?;
        let time = Duration::from_secs(limits::SOURCE_SECONDS_MAX);
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(Some(time))
            .build();
        let (parts, body) = self
            .agent
            .run(request)
            .map_err(|error| words::of(&error))?
            .into_parts();
        match parts.status.as_u16() {
            200 => {}
            304 if etag.is_some() => return Ok(None),
            status => {
                let target = parts
                    .headers
                    .get(LOCATION)
                    .and_then(|target| target.to_str().ok());
                return Err(match target.filter(|_| parts.status.is_redirection()) {
                    Some(target) => {
                        format!("the answer is {status} to {target}, and redirects are not followed")
                    }
                    None => format!("the answer is {status}, not 200"),
                });
            }
        }
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        let bytes = body
            .into_with_config()
            .limit(limit)
            .read_to_vec()
            .map_err(|error| words::of(&error))?;
        Ok(Some((parts.headers, bytes)))
    }
}

/// The URL of the signature: `.sig` behind the path, before the query.
fn beside(url: &Uri) -> Option<Uri> {
    let mut parts = url.clone().into_parts();
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    parts.path_and_query = Some(format!("{}.sig{query}", url.path()).parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_lies_beside_the_content() {
        for (url, want) in [
            ("http://a/b.yml", "http://a/b.yml.sig"),
            ("https://a:1/b?c=d", "https://a:1/b.sig?c=d"),
        ] {
            assert_eq!(beside(&url.parse().unwrap()).unwrap().to_string(), want);
        }
    }
}
