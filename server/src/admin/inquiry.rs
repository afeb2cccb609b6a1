//! `POST /why`: a PORC in, or the attributes of a request of Envoy, the explanation of the decision out. Bounded in bytes and
//! time.

use std::time::Duration;

use bytes::Buf as _;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::overview::Overview;
use crate::limits;
use crate::why::Question;

/// Status and document of the answer. `?from=envoy`: the body is what a mapper has as input.
pub(super) async fn answer(
    query: &str,
    body: Incoming,
    headers: &HeaderMap,
    overview: &Overview,
) -> (StatusCode, Value) {
    let said = |status, text: &str| (status, json!({"message": text}));
    let question = match query {
        "" => Question::Porc,
        "from=envoy" => Question::Attributes,
        _ => return said(StatusCode::BAD_REQUEST, "the only parameter is from=envoy"),
    };
    let Some(why) = overview.why.get() else {
        return said(StatusCode::SERVICE_UNAVAILABLE, overview.stage().word());
    };
    let length = headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    let is_long = length
        .and_then(|length| length.parse::<u64>().ok())
        .is_some_and(|length| length > limits::WHY_BODY_BYTES_MAX as u64);
    let most = format!("a PORC may have {} bytes here", limits::WHY_BODY_BYTES_MAX);
    if is_long {
        return said(StatusCode::PAYLOAD_TOO_LARGE, &most);
    }
    let time = Duration::from_secs(limits::BODY_SECONDS);
    let read = timeout(time, Limited::new(body, limits::WHY_BODY_BYTES_MAX).collect()).await;
    let body = match read {
        Err(_) => return said(StatusCode::REQUEST_TIMEOUT, "the body took too long"),
        Ok(Err(_)) => return said(StatusCode::PAYLOAD_TOO_LARGE, &most),
        Ok(Ok(body)) => body.to_bytes(),
    };
    let answered = why.ask(question(body.chunk().to_vec()));
    match timeout(Duration::from_secs(limits::WHY_SECONDS_MAX), answered).await {
        Ok(Ok(Ok(explanation))) => (StatusCode::OK, explanation),
        Ok(Ok(Err(refusal))) => said(StatusCode::BAD_REQUEST, &refusal),
        Ok(Err(_)) => said(StatusCode::INTERNAL_SERVER_ERROR, "the explanation failed"),
        Err(_) => said(
            StatusCode::SERVICE_UNAVAILABLE,
            "the policies take long to compile for this: ask again in a while",
        ),
    }
}
