//! A server of hyper that answers each HTTP/1 request with what it saw of it: one of the peers of `conformance/soak/smuggle.py`.
//!
//! Prints its port, then serves until it is killed. Not a product: no limits, no deadlines.
#![allow(
    clippy::print_stdout,
    reason = "the port is the one thing that this program tells"
)]

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Method, target and body in hexadecimal digits. A body that cannot be read is no request: the answer lacks `Seen`.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let line = format!("{} {}", request.method(), request.uri());
    let answer = match request.into_body().collect().await {
        Ok(body) => {
            let digits: String = body.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            Response::builder()
                .header("Seen", "1")
                .body(Full::new(Bytes::from(format!("{line} {digits}"))))
        }
        Err(_) => Response::builder().status(400).body(Full::default()),
    };
    Ok(answer.unwrap_or_default())
}

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(async move {
                let mut server = hyper::server::conn::http1::Builder::new();
                // Faults of a connection are its client's; the answers tell of them.
                drop(
                    server
                        .half_close(true)
                        .serve_connection(TokioIo::new(stream), service_fn(answer))
                        .await,
                );
            });
        }
    })
}
