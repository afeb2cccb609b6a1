//! Binds what Envoy connects to, starts the threads, and ends them.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, watch};

use crate::audit::Sink;
use crate::envoy::accept::{Dealer, Door, Listener, Manner};
use crate::envoy::lanes::Lanes;
use crate::envoy::thread::{self as worker, Setup, Stage};
use crate::error::Failure;
use crate::fetch::Network;
use crate::limits;
use crate::metrics::Counters;
use crate::publish::{Post, Revision};
use crate::serve::desk::Desk;
use crate::start::listen::{self, SocketFile};
use crate::sys;
use crate::tls::{Certificates, Files};

/// How Envoy asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC, `envoy.service.auth.v3`.
    Grpc,
    /// Plain HTTP.
    Http,
}

/// Where Envoy connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A TCP port; 0 for any.
    Port(u16),
    /// A unix socket.
    Socket(PathBuf),
}

/// What is served to Envoy.
#[derive(Clone)]
pub struct Options {
    /// Where, and what is spoken there.
    pub doors: Vec<(Protocol, Address)>,
    /// Largest body of a request that is decided over.
    pub body_bytes_max: usize,
    /// Connections that there may be at a time.
    pub connections_max: usize,
    /// What stands in front of each path over HTTP.
    pub path_prefix: String,
    /// What mappers may ask with `http.send`, if they may.
    pub network: Option<Arc<Network>>,
    /// Certificates for the ports, if they speak TLS.
    pub tls: Option<Files>,
}

/// Bound sockets that nobody accepts from yet.
pub struct Bound {
    doors: Vec<(Protocol, Listener)>,
    files: Vec<SocketFile>,
    names: Vec<String>,
    /// With what connections to ports begin.
    pub certificates: Option<Arc<Certificates>>,
    /// What is served where, and who can connect.
    pub reach: Vec<String>,
}

impl Options {
    /// Binds all sockets.
    ///
    /// # Errors
    /// An address is taken, not ours, or not allowed; or a certificate that cannot be read.
    pub fn bind(&self, host: Option<IpAddr>) -> Result<Bound, Failure> {
        let certificates = self.tls.clone().map(Certificates::load).transpose();
        let certificates = certificates.map_err(Failure::Operator)?.map(Arc::new);
        let secured = Certificates::words(&certificates);
        let mut bound = Bound {
            doors: Vec::new(),
            files: Vec::new(),
            names: Vec::new(),
            certificates,
            reach: Vec::new(),
        };
        for (protocol, address) in &self.doors {
            let (listener, name, who) = match address {
                Address::Port(port) => {
                    let (listener, address) = listen::bind_one(host, *port)?;
                    let who = listen::who_reaches(address.ip());
                    (Listener::Tcp(listener), format!("{address}{secured}"), who)
                }
                Address::Socket(path) => {
                    let (listener, file) = listen::bind_unix(path, crate::limits::UNIX_SOCKET_MODE, None)?;
                    bound.files.push(file);
                    let who = "its owner and group";
                    (Listener::Unix(listener), path.display().to_string(), who)
                }
            };
            bound.reach.push(format!("{protocol} on {name} ({who})"));
            bound.names.push(format!("{protocol} on {name}"));
            bound.doors.push((*protocol, listener));
        }
        Ok(bound)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Grpc => "Envoy gRPC",
            Protocol::Http => "Envoy HTTP",
        })
    }
}

/// The threads that serve Envoy. Once it is dropped they wait for nothing more and end.
pub struct Crew {
    stage: watch::Sender<Stage>,
    /// What is served where, for the log.
    pub names: Vec<String>,
    /// The sockets in the file system go when the server does.
    _files: Vec<SocketFile>,
}

/// What a thread decides with, and what it counts.
pub struct Place {
    /// The policies and the mapper, and where newer ones come from.
    pub policies: (Arc<Revision>, Arc<Post>),
    /// Where its records go.
    pub sink: Sink,
    /// What it counts.
    pub counters: Arc<Counters>,
}

/// What a thread says.
#[derive(Debug)]
pub enum Word {
    /// It serves, or it does not.
    Started(Result<(), String>),
    /// It ended, by whatever way.
    Ended,
}

/// Starts one thread for each of `places`, which tells `tell` with its number how it fares.
///
/// # Errors
/// No thread can be started.
pub fn start(
    options: &Options,
    bound: Bound,
    places: Vec<Place>,
    tell: impl Fn(usize, Word) + Send + Clone + 'static,
) -> Result<Crew, Failure> {
    let failed = Failure::refused("threads for Envoy");
    let lanes = match &options.network {
        Some(network) => Some(Lanes::start(network).map_err(&failed)?),
        None => None,
    };
    let (stage, watched) = watch::channel(Stage::Serving);
    let (senders, inboxes): (Vec<_>, Vec<_>) = places.iter().map(|_| mpsc::unbounded_channel()).unzip();
    let dealer = Arc::new(Dealer::new(senders, options.connections_max));
    let certificates = bound.certificates;
    let door = |(protocol, listener)| Door {
        listener,
        manner: Manner {
            protocol,
            certificates: certificates.clone(),
        },
        dealer: Arc::clone(&dealer),
    };
    let mut doors: Vec<Door> = bound.doors.into_iter().map(door).collect();
    // The channels end with the doors.
    drop(dealer);
    for (index, (place, inbox)) in places.into_iter().zip(inboxes).enumerate() {
        let (lanes, stage) = (lanes.clone(), watched.clone());
        let ended = Ended(index, tell.clone());
        let doors = std::mem::take(&mut doors);
        let (body_bytes_max, path_prefix) = (options.body_bytes_max, options.path_prefix.clone());
        thread::Builder::new()
            .name(format!("envoy-{index}"))
            .stack_size(limits::STACK_BYTES)
            .spawn(move || {
                sys::short_turns();
                let counters = Arc::clone(&place.counters);
                let setup = Setup {
                    desk: Desk::new(place.policies, place.sink, place.counters, false),
                    lanes,
                    counters,
                    body_bytes_max,
                    path_prefix,
                    inbox,
                    doors,
                    stage,
                };
                worker::run(setup, |outcome| (ended.1)(index, Word::Started(outcome)));
            })
            .map_err(&failed)?;
    }
    Ok(Crew {
        stage,
        names: bound.names,
        _files: bound.files,
    })
}

/// Dropped however its thread ends, also by a panic.
struct Ended<T: Fn(usize, Word)>(usize, T);

impl<T: Fn(usize, Word)> Drop for Ended<T> {
    fn drop(&mut self) {
        (self.1)(self.0, Word::Ended);
    }
}

impl Crew {
    /// Says that the process will end, and serves on.
    pub fn leave(&self) {
        self.stage.send_replace(Stage::Leaving);
    }

    /// Takes no new connections, finishes what is in flight.
    pub fn drain(&self) {
        self.stage.send_replace(Stage::Draining);
    }
}
