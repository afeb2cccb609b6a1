//! Bound sockets that nobody accepts from yet, and who can connect to them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::envoy;
use crate::error::Failure;
use crate::io::Bound;
use crate::start::listen::{self, SocketFile};
use crate::start::server::Options;
use crate::tls::Certificates;

/// A unix socket for the decision API.
#[derive(Clone, Debug)]
pub struct LocalSocket {
    /// Where it is.
    pub path: PathBuf,
    /// Who may connect, as file permissions.
    pub mode: u32,
    /// User and group that the file is given to.
    pub owner: Option<(Option<u32>, Option<u32>)>,
    /// Users whose processes are served; all if empty.
    pub users: Arc<[u32]>,
}

/// All of them.
pub(crate) struct Doors {
    /// For each worker its sockets.
    pub(crate) workers: Vec<Vec<Bound>>,
    /// Address of the decision API.
    pub(crate) address: Option<SocketAddr>,
    /// With what connections to that address begin.
    pub(crate) certificates: Option<Arc<Certificates>>,
    pub(crate) envoy: Option<envoy::Bound>,
    /// The file of the unix socket, which goes with the process.
    pub(crate) file: Option<SocketFile>,
    reach: Vec<String>,
}

impl Doors {
    /// Binds everything.
    ///
    /// # Errors
    /// What cannot be bound, or a certificate that cannot be read.
    pub(crate) fn open(options: &Options) -> Result<Doors, Failure> {
        let certificates = options.tls.clone().map(Certificates::load).transpose();
        let certificates = certificates.map_err(Failure::Operator)?.map(Arc::new);
        let listeners = match options.port {
            Some(port) => listen::bind(options.host, port, options.threads)?,
            None => Vec::new(),
        };
        let address = listeners.first().and_then(|l| l.local_addr().ok());
        let mut workers: Vec<Vec<Bound>> = listeners
            .into_iter()
            .map(|listener| vec![Bound::Tcp(listener)])
            .collect();
        let mut reach = Vec::new();
        if let Some(address) = address {
            let who = listen::who_reaches(address.ip());
            reach.push(match &certificates {
                None => format!("decisions on {address} ({who})"),
                Some(tls) if tls.asks_clients() => {
                    format!("decisions on {address} over TLS ({who}, with a certificate)")
                }
                Some(_) => format!("decisions on {address} over TLS ({who})"),
            });
        }
        let mut file = None;
        if let Some(socket) = &options.socket {
            file = Some(local(socket, &mut workers, options.threads)?);
            let (path, mode) = (socket.path.display(), socket.mode);
            reach.push(match &*socket.users {
                [] => format!("decisions on unix:{path} (mode {mode:o})"),
                users => format!("decisions on unix:{path} (mode {mode:o}, users {users:?})"),
            });
        }
        let envoy = options
            .envoy
            .as_ref()
            .map(|envoy| envoy.bind(options.host))
            .transpose()?;
        reach.extend(envoy.iter().flat_map(|envoy| &envoy.reach).cloned());
        Ok(Doors {
            workers,
            address,
            certificates,
            envoy,
            file,
            reach,
        })
    }

    /// All certificates that are shown, by what is served over them.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = (&'static str, Arc<Certificates>)> {
        let envoy = self.envoy.as_ref().and_then(|envoy| envoy.certificates.clone());
        let decisions = self.certificates.clone();
        let (decisions, envoy) = (
            decisions.map(|own| ("decisions", own)),
            envoy.map(|own| ("envoy", own)),
        );
        decisions.into_iter().chain(envoy)
    }

    /// What is served where, and who can connect.
    pub(crate) fn reach(&self) -> impl Iterator<Item = String> {
        self.reach.iter().cloned()
    }
}

/// Binds a unix socket, from which all workers accept.
fn local(socket: &LocalSocket, workers: &mut Vec<Vec<Bound>>, threads: usize) -> Result<SocketFile, Failure> {
    let (listener, file) = listen::bind_unix(&socket.path, socket.mode, socket.owner)?;
    workers.resize_with(threads, Vec::new);
    let bound = Bound::Unix(listener, Arc::clone(&socket.users));
    for worker in workers {
        let clone = bound.try_clone();
        worker.push(clone.map_err(Failure::refused("unix socket"))?);
    }
    Ok(file)
}
