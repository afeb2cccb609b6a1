//! What is served where, from the flags of `serve`: ports, unix sockets, TLS.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::serve_args::ServeArgs;
use crate::cli::tls_args::TlsWords;
use crate::envoy::{Address, Protocol};
use crate::error::Failure;
use crate::limits;
use crate::start::doors::LocalSocket;
use crate::tls::{Files, HTTP1};

/// The decision API's address and unix socket, and those of Envoy.
pub(super) struct Doors {
    /// Address of the decision API; none for all interfaces.
    pub(super) host: Option<IpAddr>,
    /// Port of the decision API, if it has one.
    pub(super) port: Option<u16>,
    /// Unix socket of the decision API, if it has one.
    pub(super) socket: Option<LocalSocket>,
    /// Certificates for the port of the decision API.
    pub(super) tls: Option<Files>,
    pub(super) envoy: Vec<(Protocol, Address)>,
    /// Certificates for Envoy's ports.
    pub(super) envoy_tls: Option<Files>,
    /// Connections of Envoys that there may be.
    pub(super) envoy_connections: usize,
}

fn usage(text: impl Into<String>) -> Failure {
    Failure::Usage(text.into())
}

impl Doors {
    pub(super) fn of(args: &ServeArgs) -> Result<Doors, Failure> {
        const PORT_DEFAULT: u16 = 9000;
        let main = match args.protocol.as_str() {
            "generic" => None,
            "envoy" => Some(Protocol::Grpc),
            "envoy-http" => Some(Protocol::Http),
            other => return Err(usage(format!("unsupported protocol: {other}"))),
        };
        let mut doors = Doors {
            host: args.host,
            port: None,
            socket: None,
            tls: None,
            envoy: Vec::new(),
            envoy_tls: None,
            envoy_connections: limits::ENVOY_CONNECTIONS_MAX_DEFAULT,
        };
        match main {
            None if args.listen.is_empty() => doors.port = Some(args.port.unwrap_or(PORT_DEFAULT)),
            None => doors.listen(args)?,
            Some(_) if !args.listen.is_empty() => {
                return Err(usage(
                    "--listen is for the decision API; Envoy has --port, --host and --envoy-socket",
                ));
            }
            Some(protocol) => {
                let port = args.port.or(args.envoy_socket.is_none().then_some(PORT_DEFAULT));
                let address = port.map(|port| (protocol, Address::Port(port)));
                doors.envoy.extend(address);
            }
        }
        if doors.socket.is_none() && args.socket.is_asked_for() {
            return Err(usage(
                "--socket-mode, --socket-owner and --socket-user are for the unix socket of --listen unix:PATH",
            ));
        }
        doors.tls(args)?;
        doors.envoy(args, main)?;
        doors.envoy_tls(args)?;
        doors.envoy_connections(args)?;
        Ok(doors)
    }

    /// Addresses and paths after `--listen`.
    fn listen(&mut self, args: &ServeArgs) -> Result<(), Failure> {
        for place in &args.listen {
            if let Some(path) = place.strip_prefix("unix:") {
                if path.is_empty() || self.socket.is_some() {
                    return Err(usage(format!(
                        "--listen {place}: one unix socket can be named, with its path"
                    )));
                }
                self.socket = Some(local_socket(args, path)?);
                continue;
            }
            let address: SocketAddr = place
                .parse()
                .map_err(|_| usage(format!("--listen {place}: it must be an IP address and a port, as in 127.0.0.1:9000 or [::]:9000, or unix:PATH")))?;
            if self.port.is_some() || args.port.is_some() || args.host.is_some() {
                return Err(usage(format!(
                    "--listen {place}: one address can be named, by one --listen or by --host and --port"
                )));
            }
            (self.host, self.port) = (Some(address.ip()), Some(address.port()));
        }
        if self.port.is_none() {
            self.port = args.port;
        }
        Ok(())
    }

    fn tls(&mut self, args: &ServeArgs) -> Result<(), Failure> {
        let tls = &args.tls;
        let words = TlsWords {
            prefix: "--tls",
            chain: tls.tls_cert.clone(),
            key: tls.tls_key.clone(),
            client_authorities: tls.tls_client_ca.clone(),
            client_names: tls.tls_client_name.clone(),
            protocols: HTTP1,
        };
        self.tls = words.files()?;
        if self.tls.is_some() && self.port.is_none() {
            return Err(usage(
                "--tls-cert is for the port of the decision API, and there is none; Envoy's have --envoy-tls-cert",
            ));
        }
        Ok(())
    }

    /// Whether there are unix sockets alone.
    pub(super) fn has_no_port(&self) -> bool {
        self.port.is_none() && !self.envoy_has_port()
    }

    fn envoy_has_port(&self) -> bool {
        let mut addresses = self.envoy.iter().map(|(_, address)| address);
        addresses.any(|address| matches!(address, Address::Port(_)))
    }

    fn envoy_tls(&mut self, args: &ServeArgs) -> Result<(), Failure> {
        self.envoy_tls = args.envoy_tls.words().files()?;
        if self.envoy_tls.is_some() && !self.envoy_has_port() {
            return Err(usage("--envoy-tls-cert is for Envoy's ports, and there is none"));
        }
        Ok(())
    }

    fn envoy_connections(&mut self, args: &ServeArgs) -> Result<(), Failure> {
        let Some(connections) = args.envoy_max_connections else {
            return Ok(());
        };
        if connections == 0 {
            return Err(usage("--envoy-max-connections must be at least 1"));
        }
        if self.envoy.is_empty() {
            return Err(usage(
                "--envoy-max-connections is for Envoy, which is served with --protocol, --envoy-port or --envoy-socket",
            ));
        }
        self.envoy_connections = connections;
        Ok(())
    }

    fn envoy(&mut self, args: &ServeArgs, main: Option<Protocol>) -> Result<(), Failure> {
        if let Some(path) = &args.envoy_socket {
            let protocol = main.unwrap_or(Protocol::Grpc);
            self.envoy.push((protocol, Address::Socket(path.clone())));
        }
        let Some(port) = args.envoy_port else {
            return Ok(());
        };
        if main == Some(Protocol::Grpc) {
            let text =
                "with --protocol envoy the port is --port; --envoy-port adds Envoy to another protocol";
            return Err(usage(text));
        }
        let is_this = |address: &Address| matches!(address, Address::Port(other) if *other == port);
        let is_taken = self.port == Some(port) || self.envoy.iter().any(|(_, address)| is_this(address));
        if is_taken && port != 0 {
            return Err(usage(format!(
                "--port and --envoy-port are both {port}: each needs a port of its own"
            )));
        }
        self.envoy.push((Protocol::Grpc, Address::Port(port)));
        Ok(())
    }
}

fn local_socket(args: &ServeArgs, path: &str) -> Result<LocalSocket, Failure> {
    let mode = match &args.socket.socket_mode {
        None => limits::UNIX_SOCKET_MODE,
        Some(text) => u32::from_str_radix(text, 8)
            .ok()
            .filter(|mode| *mode <= 0o777)
            .ok_or_else(|| {
                usage(format!(
                    "--socket-mode {text}: no mode in octal digits, such as 660"
                ))
            })?,
    };
    let owner = args.socket.socket_owner.as_deref().map(owner).transpose()?;
    Ok(LocalSocket {
        path: PathBuf::from(path),
        mode,
        owner,
        users: Arc::from(args.socket.socket_user.as_slice()),
    })
}

/// `USER`, `USER:GROUP` or `:GROUP`, in numbers: an image has no names.
fn owner(text: &str) -> Result<(Option<u32>, Option<u32>), Failure> {
    let (user, group) = text.split_once(':').unwrap_or((text, ""));
    let number = |word: &str| match word {
        "" => Ok(None),
        word => word.parse().map(Some),
    };
    match (number(user), number(group)) {
        (Ok(user), Ok(group)) if user.is_some() || group.is_some() => Ok((user, group)),
        _ => Err(usage(format!(
            "--socket-owner {text}: neither USER nor USER:GROUP in numbers"
        ))),
    }
}
