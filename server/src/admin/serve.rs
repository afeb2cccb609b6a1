//! The thread of the admin port: binds, accepts, speaks HTTP/1.1.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use super::gate::Gate;
use super::overview::Overview;
use super::routes;
use super::seats::{Seat, Seats, Stage};
use crate::error::{Failure, reason_and_limit};
use crate::limits;
use crate::log::{self, Level};
use crate::metrics::Carrier;
use crate::start::listen;
use crate::tls::{self, Certificates, Files};

/// Where the admin port is, and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Address; port 0 for any.
    pub address: SocketAddr,
    /// A file with the token.
    pub token_file: Option<PathBuf>,
    /// How many of the last access records are kept to be shown.
    pub decisions: usize,
    /// Certificates, if it speaks TLS.
    pub tls: Option<Files>,
}

/// A bound port that nobody accepts from yet.
pub struct Bound {
    listener: TcpListener,
    gate: Gate,
    /// With what connections begin.
    pub certificates: Option<Arc<Certificates>>,
    /// Where it is, and who can reach it.
    pub name: String,
}

impl Options {
    /// Binds the port.
    ///
    /// # Errors
    /// The address is taken or not ours, others could reach it and there is no token, or a certificate that cannot be read.
    pub fn bind(&self) -> Result<Bound, Failure> {
        let is_local = self.address.ip().is_loopback();
        if !is_local && self.token_file.is_none() {
            return Err(Failure::Operator(format!(
                "--admin {}: other machines can reach this address: --admin-token-file must name a file with a token",
                self.address
            )));
        }
        let gate = Gate::new(self.token_file.clone())?;
        let certificates = self.tls.clone().map(Certificates::load).transpose();
        let certificates = certificates.map_err(Failure::Operator)?.map(Arc::new);
        let (listener, address) = listen::bind_one(Some(self.address.ip()), self.address.port())?;
        let token = if gate.has_token() {
            "with the token"
        } else {
            "without a token"
        };
        let (who, secured) = (
            listen::who_reaches(address.ip()),
            Certificates::words(&certificates),
        );
        Ok(Bound {
            listener,
            gate,
            certificates,
            name: format!("admin on {address}{secured} ({who}, {token})"),
        })
    }
}

/// Starts to serve.
///
/// # Errors
/// No thread can be started, or its socket cannot be watched.
pub fn start(bound: Bound, overview: Arc<Overview>) -> Result<(), Failure> {
    let failed = Failure::refused("admin thread");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(&failed)?;
    thread::Builder::new()
        .name("admin".to_owned())
        .spawn(move || {
            let local = LocalSet::new();
            local.block_on(&runtime, async {
                let shared = Shared {
                    overview,
                    gate: bound.gate,
                    certificates: bound.certificates,
                    seats: Rc::default(),
                };
                if let Err(error) = accept(bound.listener, shared).await {
                    log::line(Level::Error, format_args!("the admin port is closed: {error}"));
                }
            });
        })
        .map_err(failed)?;
    Ok(())
}

/// What the connections share.
struct Shared {
    overview: Arc<Overview>,
    gate: Gate,
    certificates: Option<Arc<Certificates>>,
    seats: Rc<Seats>,
}

async fn accept(listener: TcpListener, shared: Shared) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let shared = Rc::new(shared);
    let permits = Arc::new(Semaphore::new(limits::ADMIN_CONNECTIONS_MAX));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                log::line(
                    Level::Warn,
                    format_args!(
                        "no connection to the admin port could be accepted: {}",
                        reason_and_limit(&error)
                    ),
                );
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        if permits.available_permits() == 0 {
            shared.seats.free_one();
        }
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return Ok(());
        };
        let (shared, taken) = (Rc::clone(&shared), shared.seats.take());
        tokio::task::spawn_local(async move {
            connection(stream, &shared, &taken.seat).await;
            drop(taken);
            drop(permit);
        });
    }
}

async fn connection(stream: TcpStream, shared: &Shared, seat: &Seat) {
    let carrier = Carrier::of_address(shared.certificates.is_some());
    let _entered = shared.overview.admin_open.enter(carrier);
    tokio::select! {
        () = begin(stream, shared, seat) => {}
        () = seat.wanted.notified() => {}
    }
}

/// Begins TLS where it is spoken, and serves.
async fn begin(stream: TcpStream, shared: &Shared, seat: &Seat) {
    let Some(certificates) = &shared.certificates else {
        return speak(stream, shared, seat).await;
    };
    match tls::accept(stream, certificates).await {
        Some(stream) => speak(stream, shared, seat).await,
        None => shared.overview.admin_handshakes_failed.add(1),
    }
}

/// Serves one connection, for a bounded time. How it ended concerns nobody.
async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared, seat: &Seat) {
    let service = service_fn(|request| async move {
        seat.stage.set(Stage::Asking);
        let answer = routes::answer(request, &shared.overview, &shared.gate).await;
        seat.stage.set(Stage::Answered);
        Ok::<_, Infallible>(answer)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(limits::HEAD_BYTES_MAX)
        .header_read_timeout(Duration::from_secs(limits::IDLE_SECONDS))
        .serve_connection(TokioIo::new(stream), service);
    let time = Duration::from_secs(limits::ADMIN_CONNECTION_SECONDS);
    let _ = tokio::time::timeout(time, connection).await;
}
