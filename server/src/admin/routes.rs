//! Who asks for what, and the answer.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::exposition::MEDIA_TYPE;
use super::gate::{Barred, Gate};
use super::overview::{Overview, Stage};
use super::{inquiry, live, loaded, metrics_text, page, status};
use crate::reload::{Ask, Cause, Outcome, Wish, label};

/// What an answer carries.
pub(super) type Body = Full<Bytes>;

/// Answers one request. Bodies are looked at by `/why` only.
pub(super) async fn answer(request: Request<Incoming>, overview: &Overview, gate: &Gate) -> Response<Body> {
    let stage = overview.stage();
    let (request, body) = request.into_parts();
    let (path, method) = (request.uri.path(), &request.method);
    let is_probe = matches!(path, "/livez" | "/readyz" | "/startupz");
    let reads = *method == Method::GET || *method == Method::HEAD;
    if reads && let Some(file) = page::file(path) {
        return file;
    }
    if !is_probe && let Err(barred) = gate.check(method, &request.headers) {
        return refusal(barred);
    }
    let query = request.uri.query().unwrap_or_default();
    match path {
        "/livez" if reads => health(true, "alive"),
        "/readyz" if reads => health(stage == Stage::Ready, stage.word()),
        "/startupz" if reads => health(stage != Stage::Starting, stage.word()),
        "/metrics" if reads => text(MEDIA_TYPE, metrics_text::text(overview)),
        "/status" if reads => document(StatusCode::OK, &status::json(overview)),
        "/live.json" if reads => document(StatusCode::OK, &live::json(overview)),
        "/loaded.json" if reads => listed(query, overview),
        "/decisions.json" if reads => document(StatusCode::OK, &recent(overview)),
        "/why" if *method == Method::POST => {
            let (status, explanation) = inquiry::answer(query, body, &request.headers, overview).await;
            document(status, &explanation)
        }
        "/reload" if *method == Method::POST => reload(query, overview).await,
        "/reload" | "/why" => not_allowed("POST"),
        "/livez" | "/readyz" | "/startupz" | "/metrics" | "/status" | "/live.json" | "/loaded.json"
        | "/decisions.json" => not_allowed("GET, HEAD"),
        _ if page::file(path).is_some() => not_allowed("GET, HEAD"),
        _ => message(StatusCode::NOT_FOUND, "Not Found"),
    }
}

fn health(is_well: bool, word: &str) -> Response<Body> {
    let status = if is_well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    document(status, &json!({"status": word}))
}

/// A page of what is loaded.
fn listed(query: &str, overview: &Overview) -> Response<Body> {
    let listed = loaded::Wanted::of(query).and_then(|wanted| loaded::json(overview, &wanted));
    match listed {
        Ok(listed) => document(StatusCode::OK, &listed),
        Err(why) => message(StatusCode::BAD_REQUEST, &why),
    }
}

fn recent(overview: &Overview) -> Value {
    let recent = overview.recent.get().map(|recent| recent.json());
    recent.unwrap_or_else(|| json!({"kept": 0, "decisions": []}))
}

/// Reloads and waits for what comes of it. `?revision=LABEL` names what is loaded.
async fn reload(query: &str, overview: &Overview) -> Response<Body> {
    let wish = match wish(query) {
        Ok(wish) => wish,
        Err(why) => return message(StatusCode::BAD_REQUEST, &why),
    };
    let reloader = match overview.reloader.get() {
        Some(reloader) if overview.stage() != Stage::Draining => reloader,
        _ => return message(StatusCode::SERVICE_UNAVAILABLE, overview.stage().word()),
    };
    let (answer, answered) = oneshot::channel();
    let asked = reloader.ask(Ask {
        cause: Cause::Request,
        wish,
        answer: Some(answer),
    });
    match answered.await {
        Ok(report) if asked => {
            let status = match report.outcome {
                Outcome::Loaded(_) | Outcome::Unchanged(_) => StatusCode::OK,
                Outcome::Failed(_) => StatusCode::UNPROCESSABLE_ENTITY,
            };
            document(status, &status::report(&report))
        }
        _ => message(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the thread that loads policies died",
        ),
    }
}

fn wish(query: &str) -> Result<Wish, String> {
    let mut wish = Wish::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name != "revision" {
            return Err(format!("there is no parameter `{name}`, only `revision`"));
        }
        let value =
            crate::serve::api::unescape(value.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
        let value = value.ok_or("the label is no UTF-8, or is escaped wrongly")?;
        wish.label = Some(label(&value)?);
    }
    Ok(wish)
}

fn refusal(barred: Barred) -> Response<Body> {
    match barred {
        Barred::Token => {
            let mut response = message(StatusCode::UNAUTHORIZED, "a bearer token is needed");
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
            response
        }
        Barred::Foreign => message(
            StatusCode::FORBIDDEN,
            "asked by a page of another site, or under a name that is not this machine's",
        ),
    }
}

fn not_allowed(methods: &'static str) -> Response<Body> {
    let mut response = message(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    response
}

fn message(status: StatusCode, text: &str) -> Response<Body> {
    document(status, &json!({"message": text}))
}

fn document(status: StatusCode, json: &Value) -> Response<Body> {
    let mut response = text("application/json", format!("{json:#}\n"));
    *response.status_mut() = status;
    response
}

fn text(media_type: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
