//! The status page: one page, one script and one style sheet. They hold no data, so that they need no token; what they show
//! they fetch.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response};
use http_body_util::Full;

use super::routes::Body;
use crate::http::response::PAGE_POLICY;

/// The file at a path, if there is one.
pub(super) fn file(path: &str) -> Option<Response<Body>> {
    let (media_type, text) = match path {
        "/" => ("text/html; charset=utf-8", include_str!("page/index.html")),
        "/page.css" => ("text/css; charset=utf-8", include_str!("page/page.css")),
        "/page.js" => ("text/javascript; charset=utf-8", include_str!("page/page.js")),
        "/why.js" => ("text/javascript; charset=utf-8", include_str!("page/why.js")),
        _ => return None,
    };
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_asks_nobody_else() {
        for text in [
            include_str!("page/index.html"),
            include_str!("page/page.css"),
            include_str!("page/page.js"),
            include_str!("page/why.js"),
        ] {
            for word in [
                "http:",
                "https:",
                "//cdn",
                "@import",
                "innerHTML",
                "style=",
                "onclick",
                "eval(",
            ] {
                assert!(!text.contains(word), "{word}");
            }
        }
    }
}
