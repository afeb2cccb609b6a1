//! One thread for Envoy: its runtime, the connections that are dealt to it, and where it decides.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, LocalSet};

use crate::envoy::accept::{self, Accepted, Door, Manner, Socket};
use crate::envoy::answer::Answers;
use crate::envoy::body::Meter;
use crate::envoy::head::{Heads, Watched};
use crate::envoy::judge::Judge;
use crate::envoy::lanes::Lanes;
use crate::envoy::seats::Taken;
use crate::envoy::steer::{Ends, steer};
use crate::envoy::{Protocol, grpc, http};
use crate::error::reason_and_limit;
use crate::limits;
use crate::log::{self, Level};
use crate::metrics::{Carrier, Counters};
use crate::serve::desk::Desk;
use crate::tls;

/// How far the life of the server has come. When nobody is left who could say it, nothing is waited for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Connections are accepted.
    Serving,
    /// As before, but the health service says no.
    Leaving,
    /// Requests in flight are finished, then connections end.
    Draining,
}

/// What a thread is started with.
pub(super) struct Setup {
    pub(super) desk: Desk,
    pub(super) lanes: Option<Lanes>,
    pub(super) counters: Arc<Counters>,
    pub(super) body_bytes_max: usize,
    pub(super) path_prefix: String,
    /// Connections that are dealt to this thread.
    pub(super) inbox: mpsc::UnboundedReceiver<Accepted>,
    /// The first thread alone: what it accepts from, and to whom it deals.
    pub(super) doors: Vec<Door>,
    pub(super) stage: watch::Receiver<Stage>,
}

/// What the requests of one thread share.
pub(super) struct Shared {
    pub(super) judge: Judge,
    pub(super) answers: Answers,
    pub(super) meter: Meter,
    pub(super) body_bytes_max: usize,
    pub(super) message_bytes_max: usize,
    pub(super) path_prefix: String,
    counters: Arc<Counters>,
    stage: watch::Receiver<Stage>,
}

impl Shared {
    /// Whether the process will end.
    pub(super) fn is_leaving(&self) -> bool {
        *self.stage.borrow() > Stage::Serving
    }
}

/// Runs the thread until it is drained. `started` hears once how it went.
pub(super) fn run(setup: Setup, started: impl FnOnce(Result<(), String>)) {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build();
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(error) => return started(Err(reason_and_limit(&error))),
    };
    let mut desk = setup.desk;
    let (acks, bell) = desk.acks().unzip();
    let shared = Rc::new(Shared {
        judge: Judge::new(setup.lanes, desk, acks),
        answers: Answers::new(),
        meter: Meter::new(limits::envoy_held_bytes(setup.body_bytes_max)),
        body_bytes_max: setup.body_bytes_max,
        message_bytes_max: limits::envoy_message_bytes(setup.body_bytes_max),
        path_prefix: setup.path_prefix,
        counters: setup.counters,
        stage: setup.stage,
    });
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        for door in setup.doors {
            let Ok(()) = accept::open(door, shared.stage.clone()) else {
                return started(Err("the listening socket cannot be used".to_owned()));
            };
        }
        if let Some(bell) = bell {
            tokio::task::spawn_local(hear(bell, Rc::clone(&shared)));
        }
        let ticking = tokio::task::spawn_local(tick(Rc::clone(&shared)));
        started(Ok(()));
        serve(setup.inbox, &shared).await;
        ticking.abort();
        shared.judge.finish();
    });
}

/// Once a second.
async fn tick(shared: Rc<Shared>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        shared.judge.refresh();
        // A bell that could not be rung, for want of memory, would leave them waiting for ever.
        shared.judge.ring();
    }
}

/// Wakes the calls that wait for their records whenever something became of some.
async fn hear(bell: std::os::unix::net::UnixStream, shared: Rc<Shared>) {
    let opened = bell
        .set_nonblocking(true)
        .and_then(|()| tokio::net::UnixStream::from_std(bell));
    let Ok(bell) = opened else {
        log::line(
            Level::Error,
            format_args!("nothing is answered: the bell of the audit thread cannot be heard"),
        );
        return;
    };
    let mut rings = [0; 64];
    while bell.readable().await.is_ok() {
        match bell.try_read(&mut rings) {
            Ok(0) => return,
            Ok(_) => shared.judge.ring(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Serves connections until no more come and the last has ended, or until nothing is waited for any more.
async fn serve(mut inbox: mpsc::UnboundedReceiver<Accepted>, shared: &Rc<Shared>) {
    let mut stage = shared.stage.clone();
    let mut connections = JoinSet::new();
    let mut open = true;
    while open || !connections.is_empty() {
        tokio::select! {
            accepted = inbox.recv(), if open => match accepted {
                Some(accepted) => {
                    shared.counters.connections.add(1);
                    connections.spawn_local(connection(accepted, Rc::clone(shared)));
                }
                None => open = false,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = abandoned(&mut stage) => return,
        }
    }
}

/// Ends when nobody is left who could say a stage.
async fn abandoned(stage: &mut watch::Receiver<Stage>) {
    while stage.changed().await.is_ok() {}
}

async fn connection(accepted: Accepted, shared: Rc<Shared>) {
    let carrier = match &accepted.socket {
        Socket::Tcp(_) => Carrier::of_address(accepted.manner.certificates.is_some()),
        Socket::Unix(_) => Carrier::Unix,
    };
    let _entered = shared.counters.open.enter(carrier);
    begin(
        accepted.socket,
        accepted.manner,
        Rc::clone(&shared),
        &accepted.taken,
    )
    .await;
}

/// Begins TLS where it is spoken, and serves.
async fn begin(socket: Socket, manner: Manner, shared: Rc<Shared>, taken: &Taken) {
    let protocol = manner.protocol;
    match socket {
        Socket::Tcp(stream) => {
            let Ok(stream) = tokio::net::TcpStream::from_std(stream) else {
                return;
            };
            let Some(certificates) = manner.certificates else {
                return speak(stream, protocol, shared, taken).await;
            };
            // Nothing was asked before its end.
            let accepted = tokio::select! {
                accepted = tls::accept(stream, &certificates) => accepted,
                () = taken.seat.wanted() => return shared.counters.evicted.add(1),
            };
            match accepted {
                Some(stream) => speak(stream, protocol, shared, taken).await,
                None => shared.counters.handshakes_failed.add(1),
            }
        }
        Socket::Unix(stream) => {
            if let Ok(stream) = tokio::net::UnixStream::from_std(stream) {
                speak(stream, protocol, shared, taken).await;
            }
        }
    }
}

/// Serves one connection. How it ended concerns nobody: whoever sent it sees the same.
async fn speak<S>(stream: S, protocol: Protocol, shared: Rc<Shared>, taken: &Taken)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let heads = Rc::new(Heads::default());
    let ends = Ends {
        stage: shared.stage.clone(),
        taken,
        heads: &heads,
        counters: &shared.counters,
    };
    match protocol {
        Protocol::Grpc => {
            let service = service_fn(|request| {
                let unanswered = heads.asked();
                let (shared, seat) = (Rc::clone(&shared), Arc::clone(&taken.seat));
                async move {
                    let answer = grpc::answer(request, shared, seat).await;
                    drop(unanswered);
                    Ok::<_, Infallible>(answer)
                }
            });
            let connection = http2_settings().serve_connection(TokioIo::new(stream), service);
            // Pings find out who is not there.
            let overdue = std::future::pending();
            steer(connection, http2::Connection::graceful_shutdown, overdue, ends).await;
        }
        Protocol::Http => {
            let service = service_fn(|request| {
                let (unanswered, heads) = (heads.asked(), Rc::clone(&heads));
                let (shared, seat) = (Rc::clone(&shared), Arc::clone(&taken.seat));
                async move {
                    let mut answer = http::answer(request, shared, &seat).await;
                    drop(unanswered);
                    // hyper may hear of it only behind the answer.
                    if heads.is_last() {
                        answer
                            .headers_mut()
                            .insert(CONNECTION, HeaderValue::from_static("close"));
                    }
                    Ok::<_, Infallible>(answer)
                }
            });
            let stream = TokioIo::new(Watched::new(stream, &heads));
            let connection = http1_settings().serve_connection(stream, service);
            steer(
                connection,
                http1::Connection::graceful_shutdown,
                heads.overdue(),
                ends,
            )
            .await;
        }
    }
}

fn http2_settings() -> http2::Builder<OnThisThread> {
    let mut settings = http2::Builder::new(OnThisThread);
    settings
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::ENVOY_STREAMS_MAX)
        .max_header_list_size(limits::HEAD_BYTES_MAX as u32)
        .initial_stream_window_size(limits::ENVOY_STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::ENVOY_CONNECTION_WINDOW_BYTES)
        .keep_alive_interval(Duration::from_secs(limits::ENVOY_PING_SECONDS))
        .keep_alive_timeout(Duration::from_secs(limits::ENVOY_PONG_SECONDS));
    settings
}

fn http1_settings() -> http1::Builder {
    let mut settings = http1::Builder::new();
    settings
        .timer(TokioTimer::new())
        .max_buf_size(limits::ENVOY_HEAD_BYTES_MAX)
        .max_headers(limits::ENVOY_HEADERS_MAX)
        .header_read_timeout(Duration::from_secs(limits::IDLE_SECONDS));
    settings
}

/// Runs what HTTP/2 does beside its connection on the thread of the connection.
#[derive(Clone, Copy)]
struct OnThisThread;

impl<F: Future + 'static> hyper::rt::Executor<F> for OnThisThread {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
