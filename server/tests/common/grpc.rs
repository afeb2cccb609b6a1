//! A gRPC client over any stream: calls with bytes, answers in bytes.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, BufMut as _, Bytes};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Request, Status};

pub(crate) const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
pub(crate) const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// One connection.
pub(crate) struct GrpcClient {
    runtime: Runtime,
    sender: SendRequest<Body>,
}

impl GrpcClient {
    /// Over a TCP connection to this port.
    pub(crate) fn tcp(port: u16) -> GrpcClient {
        GrpcClient::over(async move { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap() })
    }

    /// Over TLS to this port, as a client of `localhost`.
    pub(crate) fn tls(port: u16, config: std::sync::Arc<rustls::ClientConfig>) -> GrpcClient {
        GrpcClient::over(async move {
            let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let connector = tokio_rustls::TlsConnector::from(config);
            connector
                .connect("localhost".try_into().unwrap(), stream)
                .await
                .unwrap()
        })
    }

    /// Over a unix socket.
    pub(crate) fn unix(path: &std::path::Path) -> GrpcClient {
        GrpcClient::over(async move { tokio::net::UnixStream::connect(path).await.unwrap() })
    }

    fn over<S>(connect: impl Future<Output = S>) -> GrpcClient
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_io()
            .enable_time()
            .build()
            .unwrap();
        let sender = runtime.block_on(async {
            let stream = TokioIo::new(connect.await);
            let (sender, connection) = handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            sender
        });
        GrpcClient { runtime, sender }
    }

    /// One call.
    pub(crate) fn call(&self, path: &'static str, message: Vec<u8>) -> Result<Bytes, Status> {
        let mut grpc = tonic::client::Grpc::new(Channel(self.sender.clone()));
        let request = Request::new(Bytes::from(message));
        self.runtime.block_on(async {
            grpc.unary(request, http::uri::PathAndQuery::from_static(path), Whole)
                .await
                .map(tonic::Response::into_inner)
        })
    }

    /// Whether a request with this HTTP part passes; the answer must be one or the other.
    pub(crate) fn allows(&self, request: Vec<u8>) -> bool {
        let answer = self.call(CHECK, request).unwrap();
        let has = |text: &[u8]| answer.windows(text.len()).any(|part| part == text);
        let (allowed, denied) = (has(b"allowed"), has(b"permission denied"));
        assert_ne!(allowed, denied, "{answer:?}");
        allowed
    }

    /// The status of a call that fails.
    pub(crate) fn fails(&self, path: &'static str, message: Vec<u8>) -> Code {
        self.call(path, message).unwrap_err().code()
    }
}

/// A field with bytes.
pub(crate) fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![u8::try_from(number << 3 | 2).unwrap()];
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap());
    out.extend_from_slice(bytes);
    out
}

/// A CheckRequest that says `word`, with a path and a body.
pub(crate) fn request(word: &str, path: &[u8], body: &[u8]) -> Vec<u8> {
    let header = [field(1, b"x-word"), field(2, word.as_bytes())].concat();
    let http = [
        field(2, b"GET"),
        field(3, &header),
        field(4, path),
        field(11, body),
    ]
    .concat();
    field(1, &field(4, &field(2, &http)))
}

struct Channel(SendRequest<Body>);

impl GrpcService<Body> for Channel {
    type ResponseBody = Incoming;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Incoming>, hyper::Error>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        *request.uri_mut() = format!("http://gate{path}").parse().unwrap();
        let mut sender = self.0.clone();
        Box::pin(async move {
            sender.ready().await?;
            sender.send_request(request).await
        })
    }
}

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
