//! ext_authz over gRPC: `envoy.service.auth.v3.Authorization/Check`, and `grpc.health.v1.Health/Check`.
//!
//! tonic frames messages and statuses. A message that cannot be had (too large, cut off, too slow) is answered with a
//! denial, not with a gRPC error: an Envoy with `failure_mode_allow` would let the request pass on an error.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use gavel_runtime::decision::ReasonCode;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use hyper::body::Incoming;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder, Streaming};
use tonic::server::{ClientStreamingService, Grpc};
use tonic::{Code, Status};

use crate::envoy::attributes;
use crate::envoy::body::Metered;
use crate::envoy::seats::Seat;
use crate::envoy::thread::Shared;
use crate::envoy::wire::{Payload, fields, put_varint};
use crate::limits;

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const SERVICE: &[u8] = b"envoy.service.auth.v3.Authorization";

/// Answers one call.
pub(super) async fn answer(
    request: Request<Incoming>,
    shared: Rc<Shared>,
    seat: Arc<Seat>,
) -> Response<Body> {
    let is_grpc = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if !is_grpc {
        return unsupported_media_type();
    }
    let method = match request.uri().path() {
        CHECK => Method::Check,
        HEALTH => Method::Health,
        _ => return Status::unimplemented("unknown service or method").into_http(),
    };
    let request = request.map(|body| Metered::new(body, &shared.meter));
    Grpc::new(Whole)
        .max_decoding_message_size(shared.message_bytes_max)
        .client_streaming(Handler { method, shared, seat }, request)
        .await
}

fn unsupported_media_type() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

#[derive(Clone, Copy)]
enum Method {
    Check,
    Health,
}

/// Takes the one message of a call by itself, so that a message that cannot be had is still answered.
struct Handler {
    method: Method,
    shared: Rc<Shared>,
    seat: Arc<Seat>,
}

impl ClientStreamingService<Bytes> for Handler {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>>>>;

    fn call(&mut self, request: tonic::Request<Streaming<Bytes>>) -> Self::Future {
        let (method, shared, seat) = (self.method, Rc::clone(&self.shared), Arc::clone(&self.seat));
        Box::pin(async move {
            let mut stream = request.into_inner();
            let message = message(&mut stream).await;
            let _call = seat.call();
            let answer = match method {
                Method::Check => check(&shared, message).await,
                Method::Health => health(&shared, &message?)?,
            };
            // With it goes what the message counts for among the bytes that this thread holds.
            drop(stream);
            Ok(tonic::Response::new(answer))
        })
    }
}

/// The message of a call, within its time.
async fn message(stream: &mut Streaming<Bytes>) -> Result<Bytes, Status> {
    let patience = Duration::from_secs(limits::ENVOY_REQUEST_SECONDS);
    match tokio::time::timeout(patience, stream.message()).await {
        Ok(Ok(Some(message))) => Ok(message),
        Ok(Ok(None)) => Err(Status::internal("the call has no message")),
        Ok(Err(status)) => Err(status),
        Err(_) => Err(Status::deadline_exceeded("the message took too long")),
    }
}

async fn check(shared: &Shared, message: Result<Bytes, Status>) -> Bytes {
    let allow = match message {
        Ok(message) => {
            let mut json = Vec::with_capacity(message.len());
            match attributes::to_json(&message, &mut json) {
                Ok(present) => shared.judge.allows(present.then_some(json)).await,
                Err(unreadable) => shared.denies(&unreadable.to_string()).await,
            }
        }
        Err(status) => {
            let why = format!("the CheckRequest cannot be had: {}", status.message());
            shared.denies(&why).await
        }
    };
    shared.answers.of(allow)
}

impl Shared {
    async fn denies(&self, why: &str) -> bool {
        self.judge.denies(ReasonCode::InvalidParameter, why).await;
        false
    }
}

/// `HealthCheckResponse` for a `HealthCheckRequest`: of the whole server, or of the one service.
fn health(shared: &Shared, request: &[u8]) -> Result<Bytes, Status> {
    const SERVICE_FIELD: u32 = 1;
    const STATUS_FIELD: u32 = 1;
    const SERVING: u64 = 1;
    const NOT_SERVING: u64 = 2;
    let mut service: &[u8] = &[];
    for field in fields(request) {
        let field = field.map_err(|_| Status::invalid_argument("no HealthCheckRequest"))?;
        if let (SERVICE_FIELD, Payload::Bytes(bytes)) = (field.number, field.payload) {
            service = bytes;
        }
    }
    if !service.is_empty() && service != SERVICE {
        return Err(Status::new(Code::NotFound, "unknown service"));
    }
    let status = if shared.is_leaving() { NOT_SERVING } else { SERVING };
    let mut response = Vec::new();
    put_varint(&mut response, STATUS_FIELD, status);
    Ok(Bytes::from(response))
}

/// Messages as the bytes that they are.
struct Whole;

impl Codec for Whole {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Whole;
    type Decoder = Whole;

    fn encoder(&mut self) -> Whole {
        Whole
    }

    fn decoder(&mut self) -> Whole {
        Whole
    }
}

impl Encoder for Whole {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Whole {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, input: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(input.copy_to_bytes(input.remaining())))
    }
}
