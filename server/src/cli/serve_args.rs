//! Flags of `serve`, but for those about access records.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::cli::args::{DomainArgs, go_bool};
use crate::cli::audit_args::AuditArgs;
use crate::cli::tls_args::{AdminTlsArgs, EnvoyTlsArgs};
use crate::io::DriverChoice;
use crate::limits;
use crate::opa;

#[derive(Args, Debug)]
#[command(next_help_heading = "Service")]
pub(crate) struct ServeArgs {
    /// Port; 0 for any free one. 9000 if absent, or none if --envoy-socket says where Envoy connects.
    #[arg(long, value_name = "PORT", allow_hyphen_values = true, value_parser = port)]
    pub(crate) port: Option<u16>,
    /// Address; all interfaces if absent.
    #[arg(long, value_name = "IP")]
    pub(crate) host: Option<IpAddr>,
    /// Where the decision API is: ADDRESS:PORT instead of --host and --port, or unix:PATH (repeatable, one of each). With a
    /// unix socket alone there is no port.
    #[arg(long, value_name = "ADDRESS:PORT|unix:PATH")]
    pub(crate) listen: Vec<String>,
    #[command(flatten)]
    pub(crate) socket: SocketArgs,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    #[command(flatten)]
    pub(crate) envoy_tls: EnvoyTlsArgs,
    #[command(flatten)]
    pub(crate) admin_tls: AdminTlsArgs,
    /// What is spoken at --port: generic (POST /decision), envoy (ext_authz over gRPC) or envoy-http (ext_authz over HTTP).
    #[arg(long, short, default_value = "generic")]
    pub(crate) protocol: String,
    /// Another port, for Envoy over gRPC, besides --port.
    #[arg(long, value_name = "PORT", allow_hyphen_values = true, value_parser = port)]
    pub(crate) envoy_port: Option<u16>,
    /// Unix socket for Envoy: over HTTP with --protocol envoy-http, else over gRPC.
    #[arg(long, value_name = "PATH")]
    pub(crate) envoy_socket: Option<PathBuf>,
    /// What stands in front of each path over envoy-http: the filter's `path_prefix`.
    #[arg(long, value_name = "PATH")]
    pub(crate) envoy_path_prefix: Option<String>,
    /// Open connections of all Envoys together; at the bound one that asks for nothing has to go for each that comes.
    /// 1024 if absent.
    #[arg(long, value_name = "N")]
    pub(crate) envoy_max_connections: Option<usize>,
    /// Domain whose mapper is used for Envoy; needed if there are several.
    #[arg(long, short)]
    pub(crate) name: Option<String>,
    /// Cores to serve on; what the process may use if absent.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Kernel interface for sockets.
    #[arg(long, value_enum, default_value = "auto", env = "GAVEL_IO")]
    pub(crate) io: DriverChoice,
    /// Largest request body; 1 MiB if absent, 8 MiB for Envoy.
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_body_bytes: Option<usize>,
    /// Open connections of each thread; at the bound one that waits for its client is closed for each that comes. 10000 if
    /// absent, 2500 where TLS is spoken.
    #[arg(long, value_name = "N")]
    pub(crate) max_connections: Option<usize>,
    /// Requests that each thread works on at the same time (batches, answers that wait for their records); what is over gets
    /// 503 with Retry-After.
    #[arg(long, value_name = "N", default_value_t = limits::IN_FLIGHT_PER_WORKER_DEFAULT)]
    pub(crate) max_in_flight: usize,
    /// Answers after which a connection ends, so that clients find new instances; 0 for no bound.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) max_requests_per_connection: u64,
    /// Time for requests in flight after SIGTERM or SIGINT.
    #[arg(long, value_name = "SECONDS", default_value_t = limits::DRAIN_SECONDS_DEFAULT,
          value_parser = clap::value_parser!(u64).range(..=limits::DRAIN_SECONDS_MAX))]
    pub(crate) drain_seconds: u64,
    /// Time between SIGTERM or SIGINT and the end of the first connection: the process says that it is not ready and serves
    /// on, so that whoever sends requests can turn away.
    #[arg(long, value_name = "SECONDS", default_value_t = 0,
          value_parser = clap::value_parser!(u64).range(..=limits::DRAIN_SECONDS_MAX))]
    pub(crate) drain_delay: u64,
    /// Address and port for probes, metrics, status and reloads, or a port of 127.0.0.1; none if absent.
    #[arg(long, value_name = "[ADDRESS:]PORT", help_heading = "Administration")]
    pub(crate) admin: Option<String>,
    /// File with the token that must be shown at --admin, for all but probes. Needed where other machines can reach it.
    #[arg(long, value_name = "FILE", help_heading = "Administration")]
    pub(crate) admin_token_file: Option<PathBuf>,
    /// Keep so many of the last access records in memory, for the page at --admin; at most 1000, none if absent.
    #[arg(long, value_name = "COUNT", help_heading = "Administration")]
    pub(crate) admin_decisions: Option<usize>,
    /// The address that clients know the decision API by, for AuthZEN's metadata; without it there is none.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Serve OPA's data API, too: /v1/data and /v0/data, with all documents of policies and libraries.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_parser = go_bool, action = ArgAction::Set,
          help_heading = "OPA's data API")]
    pub(crate) opa: bool,
    /// The document that POST / answers with --opa, as behind /v1/data/; ?policy=MRN says whose, where several have it.
    #[arg(long, value_name = "PATH", default_value = opa::DEFAULT_DECISION, help_heading = "OPA's data API")]
    pub(crate) opa_default_decision: String,
    /// In place of --bundle: URL of a PolicyDomain or an image file, which is asked for again and again. At the start it is
    /// waited for.
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "bundle",
        help_heading = "Policies"
    )]
    pub(crate) source: Option<String>,
    /// Public Ed25519 key (PEM, or base64) that what --source has must be signed with: in the header Gavel-Signature, or at
    /// the URL with .sig behind its path.
    #[arg(long, value_name = "FILE", requires = "source", help_heading = "Policies")]
    pub(crate) source_key: Option<PathBuf>,
    /// File with a bearer token for --source.
    #[arg(long, value_name = "FILE", requires = "source", help_heading = "Policies")]
    pub(crate) source_token_file: Option<PathBuf>,
    /// Seconds between two questions to --source; more while it fails.
    #[arg(long, value_name = "SECONDS", requires = "source", default_value_t = limits::SOURCE_POLL_SECONDS,
          value_parser = clap::value_parser!(u64).range(1..=limits::SOURCE_POLL_SECONDS_MAX), help_heading = "Policies")]
    pub(crate) source_poll: u64,
    /// Folder in which the last valid content of --source is kept, for a start without it.
    #[arg(long, value_name = "FOLDER", requires = "source", help_heading = "Policies")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Reload when the files of the policies change.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_parser = go_bool, action = ArgAction::Set)]
    pub(crate) watch: bool,
    /// What the policies are called, or @FILE with it, read again at each load. Each access record then says by which
    /// revision it was decided, as with `audit.revision`.
    #[arg(long, value_name = "LABEL")]
    pub(crate) revision: Option<String>,
    /// Deny every request after the first without deciding, with the first one's record: what a benchmark compares with.
    #[arg(long, hide = true)]
    pub(crate) constant_deny: bool,
    /// Print the configuration that these flags, the environment and the configuration file make together, as such a file,
    /// and end.
    #[arg(long)]
    pub(crate) print_config: bool,
    #[command(flatten)]
    pub(crate) audit: AuditArgs,
    #[command(flatten)]
    pub(crate) domains: DomainArgs,
}

/// Who may connect to the unix socket of the decision API.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Unix socket")]
pub(crate) struct SocketArgs {
    /// Permissions of the socket's file in octal digits; 660 if absent: its owner and its group.
    #[arg(long, value_name = "MODE")]
    pub(crate) socket_mode: Option<String>,
    /// User and group that the socket's file is given to, in numbers.
    #[arg(long, value_name = "USER[:GROUP]")]
    pub(crate) socket_owner: Option<String>,
    /// User whose processes are served, in numbers (repeatable); all who may connect if absent.
    #[arg(long, value_name = "USER")]
    pub(crate) socket_user: Vec<u32>,
}

impl SocketArgs {
    /// Whether any of them is there.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.socket_mode.is_some() || self.socket_owner.is_some() || !self.socket_user.is_empty()
    }
}

/// TLS at the port of the decision API.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// Certificate chain in PEM, the service's own first. Read again when it changes.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its key in PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Authorities in PEM: clients must show a certificate of one of them.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// Name that a client's certificate must have, as URI (spiffe://…) or DNS name (repeatable); any if absent.
    #[arg(long, value_name = "NAME")]
    pub(crate) tls_client_name: Vec<String>,
}

fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| "a port is a number from 0 to 65535".to_owned())
}
