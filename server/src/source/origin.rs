//! What the operator named, and what was got there last.

use std::path::{Path, PathBuf};

use http::Uri;

use super::cache::Cache;
use super::get::{Getter, Got};
use super::signature::Key;
use crate::error::Failure;
use crate::log::{self, Level};

/// Where policies come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `http://` or `https://`.
    pub url: String,
    /// The public key that content must be signed with.
    pub key_file: Option<PathBuf>,
    /// A token for the source.
    pub token_file: Option<PathBuf>,
    /// Where the last valid content is kept.
    pub cache_dir: Option<PathBuf>,
}

/// A source and what is known of it.
pub struct Origin {
    url: String,
    getter: Getter,
    key: Option<Key>,
    cache: Option<Cache>,
    /// The tag of what is served.
    etag: Option<String>,
    /// What is served, byte for byte.
    served: Option<Vec<u8>>,
    /// Something was served before.
    begun: bool,
}

/// Content that may become policies.
pub struct Content {
    got: Got,
    from_cache: bool,
}

impl Content {
    /// What it is.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.got.bytes
    }
}

impl Origin {
    /// # Errors
    /// A URL that is none, a key that is none, or a folder that is none.
    pub fn new(options: Options) -> Result<Origin, Failure> {
        let url: Uri = options
            .url
            .parse()
            .map_err(|error| Failure::Usage(format!("--source {}: {error}", options.url)))?;
        let wrong = |why: &str| Failure::Usage(format!("--source {}: {why}", options.url));
        match url.scheme_str() {
            Some("https") => {}
            Some("http") => {
                if options.key_file.is_none() {
                    let text = "without https and without --source-key, whoever is on the way decides what is served";
                    log::line(Level::Warn, format_args!("--source {}: {text}", options.url));
                }
                if options.token_file.is_some() {
                    let text = "without https, the token of --source-token-file is sent in clear text";
                    log::line(Level::Warn, format_args!("--source {}: {text}", options.url));
                }
            }
            _ => return Err(wrong("it must begin with http:// or https://")),
        }
        if url
            .authority()
            .is_none_or(|authority| authority.as_str().contains('@'))
        {
            return Err(wrong(
                "it needs a host, and no user: --source-token-file shows a token",
            ));
        }
        if let Some(path) = options.cache_dir.as_ref().filter(|path| is_no_folder(path)) {
            let path = path.display();
            return Err(Failure::Operator(format!("--cache-dir {path} is no folder")));
        }
        Ok(Origin {
            getter: Getter::new(url, options.token_file),
            key: options.key_file.as_deref().map(Key::read).transpose()?,
            cache: options.cache_dir.map(Cache::at),
            url: options.url,
            etag: None,
            served: None,
            begun: false,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What is there, or `None` if it is what is served and only something else is wanted. At the start, where the source
    /// does not answer, it is what was kept.
    ///
    /// # Errors
    /// Why nothing can be had.
    pub fn fetch(&mut self, only_if_changed: bool) -> Result<Option<Content>, Failure> {
        let etag = self.etag.as_deref().filter(|_| only_if_changed);
        match self.getter.get(etag, self.key.as_ref()) {
            Ok(None) => Ok(None),
            Ok(Some(got)) if only_if_changed && self.served.as_ref() == Some(&got.bytes) => {
                self.etag = got.etag;
                Ok(None)
            }
            Ok(Some(got)) => Ok(Some(Content {
                got,
                from_cache: false,
            })),
            Err(why) => self
                .kept(Failure::Operator(format!("{}: {why}", self.url)))
                .map(Some),
        }
    }

    /// At the start: what was kept, in place of content that is not valid.
    ///
    /// # Errors
    /// `failure`, where there is nothing that could be better.
    pub fn kept_instead(&self, content: &Content, failure: Failure) -> Result<Content, Failure> {
        if content.from_cache {
            return Err(failure);
        }
        self.kept(failure)
    }

    fn kept(&self, failure: Failure) -> Result<Content, Failure> {
        let Some(cache) = self.cache.as_ref().filter(|_| !self.begun) else {
            return Err(failure);
        };
        let got = cache
            .take(&self.url, self.key.as_ref())
            .map_err(|useless| Failure::Operator(format!("{failure}; {useless}")))?;
        let path = cache.path();
        log::line(
            Level::Warn,
            format_args!("{failure}: what was kept in {} is tried", path.display()),
        );
        Ok(Content {
            got,
            from_cache: true,
        })
    }

    /// The content is valid, and is served from now on.
    pub fn accept(&mut self, content: Content) {
        self.begun = true;
        let Content { got, from_cache } = content;
        if !from_cache
            && let Some(cache) = &self.cache
            && let Err(why) = cache.keep(&self.url, &got)
        {
            let path = cache.path();
            log::line(
                Level::Warn,
                format_args!("{}: what is served could not be kept: {why}", path.display()),
            );
        }
        self.etag = got.etag;
        self.served = Some(got.bytes);
    }
}

/// Whether something else stands there; what is missing is made once there is something to keep.
fn is_no_folder(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_dir())
}
