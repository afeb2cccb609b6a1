//! `gavel serve`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::admin;
use crate::cli::args::Global;
use crate::cli::doors::Doors;
use crate::cli::serve_args::ServeArgs;
use crate::cli::served::Served;
use crate::config::{self, Found, Setting, Settings};
use crate::envoy::{self, Protocol};
use crate::error::Failure;
use crate::limits;
use crate::log::{self, Level};
use crate::opa::{DEFAULT_DECISION, Decision};
use crate::serve::bounds::Bounds;
use crate::start::server::{self, Options};
use crate::sys;
use crate::terminal::stderr_is_watched;

/// Serves until a signal comes.
///
/// # Errors
/// Wrong flags, domains that do not load, or a server that does not start.
pub(crate) fn run(args: &ServeArgs, global: &Global, found: &Found) -> Result<(), Failure> {
    let doors = Doors::of(args)?;
    let mut options = options(args, &doors)?;
    args.audit.check()?;
    check_source_flags(args)?;
    let body_bytes_max = args
        .max_body_bytes
        .unwrap_or(limits::ENVOY_BODY_BYTES_MAX_DEFAULT);
    let path_prefix = path_prefix(args, &doors)?;
    choose_log_format(&found.settings);
    config::tell_of_strangers();
    if doors.envoy.is_empty() {
        tell_of_idle_flags(args);
    }
    if doors.port.is_none() && doors.socket.is_none() {
        tell_of_no_decisions(args);
    } else {
        tell_of_clear_text(args);
    }
    if args.host.is_some() && doors.has_no_port() {
        tell_of_no_effect("where nothing has a port", &[("--host", true)]);
    }
    sys::small_pages();
    if !doors.envoy.is_empty() {
        options.envoy = Some(envoy::Options {
            doors: doors.envoy,
            body_bytes_max,
            connections_max: doors.envoy_connections,
            path_prefix,
            network: args.domains.network.network(),
            tls: doors.envoy_tls,
        });
    }
    if global.trace {
        let text = "decisions are traced on standard error: they are slow and their input is shown";
        log::line(Level::Warn, format_args!("{text}"));
    }
    match &found.file {
        Some(path) => {
            let path = path.display();
            log::line(Level::Info, format_args!("the configuration is that of {path}"));
        }
        None => options.without_file = Some(config::why_none()),
    }
    let served = Served::new(args, (global, found), options.envoy.is_some())?;
    options.retrace = Some(served.retrace());
    let first = served.first_wish();
    sys::ignore_file_size_signal();
    server::run(&options, served.loading(), first, args.audit.output()?)
}

/// Flags that were given, though they say nothing where this is so.
fn tell_of_no_effect(why: &str, flags: &[(&str, bool)]) {
    for (flag, _) in flags.iter().filter(|(_, is_given)| *is_given) {
        log::line(Level::Warn, format_args!("{flag} has no effect {why}"));
    }
}

/// Whoever names a key believes that what is served is checked with it. That these flags need `--source` is said where they
/// are declared, but not asked for where `--bundle` stands, which excludes it.
fn check_source_flags(args: &ServeArgs) -> Result<(), Failure> {
    let given = [
        ("--source-key", args.source_key.is_some()),
        ("--source-token-file", args.source_token_file.is_some()),
        ("--source-poll", args.source_poll != limits::SOURCE_POLL_SECONDS),
        ("--cache-dir", args.cache_dir.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) if args.source.is_none() => Err(Failure::Usage(format!(
            "{flag} is for what --source has, and the policies come from --bundle"
        ))),
        _ => Ok(()),
    }
}

/// Flags of the decision API do nothing where only Envoy is served.
fn tell_of_no_decisions(args: &ServeArgs) {
    let in_flight = limits::IN_FLIGHT_PER_WORKER_DEFAULT;
    tell_of_no_effect(
        "where the decision API is not served",
        &[
            ("--public-url", args.public_url.is_some()),
            ("--max-connections", args.max_connections.is_some()),
            ("--max-in-flight", args.max_in_flight != in_flight),
            (
                "--max-requests-per-connection",
                args.max_requests_per_connection > 0,
            ),
        ],
    );
}

/// What clients are told to ask at an address of another machine goes there in clear text, unless something in front adds TLS.
fn tell_of_clear_text(args: &ServeArgs) {
    let Some(url) = args
        .public_url
        .as_deref()
        .filter(|url| url.starts_with("http://"))
    else {
        return;
    };
    if !is_of_this_machine(url) {
        let text = "without https, clients that follow AuthZEN's metadata ask in clear text";
        log::line(Level::Warn, format_args!("--public-url {url}: {text}"));
    }
}

fn is_of_this_machine(url: &str) -> bool {
    let url = url.parse::<http::Uri>().unwrap_or_default();
    let host = url.host().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Flags for mappers do little where no mapper is asked. The reference takes `--name` there, too.
fn tell_of_idle_flags(args: &ServeArgs) {
    let why = "without Envoy (--protocol, --envoy-port, --envoy-socket) no mapper is asked";
    if args.name.as_ref().is_some_and(|name| !name.is_empty()) {
        log::line(Level::Warn, format_args!("{why}: --name has no effect"));
    }
    if !args.domains.network.allow_net.is_empty() {
        let text = "--allow-net only lets domains load whose mappers call http.send";
        log::line(Level::Warn, format_args!("{why}: {text}"));
    }
}

/// The prefix without a slash at its end.
fn path_prefix(args: &ServeArgs, doors: &Doors) -> Result<String, Failure> {
    let Some(prefix) = &args.envoy_path_prefix else {
        return Ok(String::new());
    };
    if !doors
        .envoy
        .iter()
        .any(|(protocol, _)| *protocol == Protocol::Http)
    {
        let text = "--envoy-path-prefix is for --protocol envoy-http";
        return Err(Failure::Usage(text.to_owned()));
    }
    if !prefix.starts_with('/') {
        return Err(Failure::Usage(format!(
            "--envoy-path-prefix {prefix}: it must begin with a slash"
        )));
    }
    Ok(prefix.trim_end_matches('/').to_owned())
}

/// AuthZEN wants an address without query and fragment.
fn public_url(url: &str) -> Result<Arc<str>, Failure> {
    let wrong = |why: &str| Err(Failure::Usage(format!("--public-url {url}: {why}")));
    let Some(rest) = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
    else {
        return wrong("it must begin with https:// or http://");
    };
    if rest.is_empty() || rest.starts_with('/') {
        return wrong("it names no host");
    }
    if rest.contains(['?', '#', '@']) || !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("it must be an address without user, query and fragment");
    }
    Ok(url.trim_end_matches('/').into())
}

fn bounds(args: &ServeArgs, over_tls: bool) -> Result<Bounds, Failure> {
    let body_bytes = args.max_body_bytes.unwrap_or(limits::BODY_BYTES_MAX_DEFAULT);
    if body_bytes > limits::BODY_BYTES_MAX_CEILING {
        let most = limits::BODY_BYTES_MAX_CEILING;
        return Err(Failure::Usage(format!("--max-body-bytes may be at most {most}")));
    }
    let connections = args.max_connections.unwrap_or(match over_tls {
        true => limits::CONNECTIONS_PER_WORKER_DEFAULT_TLS,
        false => limits::CONNECTIONS_PER_WORKER_DEFAULT,
    });
    let at_least_one = [
        ("--max-body-bytes", body_bytes),
        ("--max-connections", connections),
        ("--max-in-flight", args.max_in_flight),
    ];
    if let Some((flag, _)) = at_least_one.into_iter().find(|(_, value)| *value == 0) {
        return Err(Failure::Usage(format!("{flag} must be at least 1")));
    }
    Ok(Bounds {
        body_bytes,
        connections,
        in_flight: args.max_in_flight,
        requests_per_connection: Some(args.max_requests_per_connection).filter(|most| *most > 0),
    })
}

fn options(args: &ServeArgs, doors: &Doors) -> Result<Options, Failure> {
    let threads = match args.threads {
        Some(0) => return Err(Failure::Usage("--threads must be at least 1".to_owned())),
        Some(threads) => threads,
        None => thread::available_parallelism().map_or(1, usize::from),
    };
    Ok(Options {
        host: doors.host,
        port: doors.port,
        socket: doors.socket.clone(),
        tls: doors.tls.clone(),
        envoy: None,
        threads,
        driver: args.io,
        audit_full: args.audit.audit_full,
        bounds: bounds(args, doors.tls.is_some())?,
        public_url: args.public_url.as_deref().map(public_url).transpose()?,
        opa: opa(args, doors)?,
        drain: Duration::from_secs(args.drain_seconds),
        drain_delay: Duration::from_secs(args.drain_delay),
        poll: args
            .source
            .clone()
            .map(|url| (url, Duration::from_secs(args.source_poll))),
        admin: admin(args, doors)?,
        retrace: None,
        without_file: None,
        watch: args.watch,
        constant_deny: args.constant_deny,
    })
}

/// OPA's data API stands beside the decision API.
fn opa(args: &ServeArgs, doors: &Doors) -> Result<Option<Decision>, Failure> {
    let decision = &args.opa_default_decision;
    if !args.opa {
        let is_given = decision != DEFAULT_DECISION;
        tell_of_no_effect("without --opa", &[("--opa-default-decision", is_given)]);
        return Ok(None);
    }
    if doors.port.is_none() && doors.socket.is_none() {
        let text = "--opa: the data API is beside the decision API, which is not served";
        return Err(Failure::Usage(text.to_owned()));
    }
    let parsed = Decision::parse(decision);
    parsed
        .map(Some)
        .map_err(|why| Failure::Usage(format!("--opa-default-decision {decision}: {why}")))
}

/// Where the admin port is.
fn admin(args: &ServeArgs, doors: &Doors) -> Result<Option<admin::Options>, Failure> {
    let Some(listen) = &args.admin else {
        let tls = &args.admin_tls;
        tell_of_no_effect(
            "without --admin",
            &[
                ("--admin-token-file", args.admin_token_file.is_some()),
                ("--admin-decisions", args.admin_decisions.is_some()),
                ("--admin-tls-cert", tls.admin_tls_cert.is_some()),
                ("--admin-tls-key", tls.admin_tls_key.is_some()),
                ("--admin-tls-client-ca", tls.admin_tls_client_ca.is_some()),
                ("--admin-tls-client-name", !tls.admin_tls_client_name.is_empty()),
            ],
        );
        return Ok(None);
    };
    let address = match listen.parse::<u16>() {
        Ok(port) => Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)),
        Err(_) => listen.parse().ok(),
    };
    let address = address.ok_or_else(|| {
        let text = "it must be a port, or an IP address and a port, as in 127.0.0.1:9001 or [::]:9001";
        Failure::Usage(format!("--admin {listen}: {text}"))
    })?;
    let (decisions, most) = (args.admin_decisions.unwrap_or(0), limits::ADMIN_DECISIONS_MAX);
    if decisions > most {
        return Err(Failure::Usage(format!("--admin-decisions may be at most {most}")));
    }
    let meets = |host: Option<IpAddr>| {
        host.is_none_or(|host| host == address.ip() || host.is_unspecified() || address.ip().is_unspecified())
    };
    if address.port() != 0 && doors.port == Some(address.port()) && meets(doors.host) {
        let text = "the decision API has this port: each needs one of its own";
        return Err(Failure::Usage(format!("--admin {listen}: {text}")));
    }
    Ok(Some(admin::Options {
        address,
        token_file: args.admin_token_file.clone(),
        decisions,
        tls: args.admin_tls.words().files()?,
    }))
}

/// A log collector reads JSON, as the reference writes it; a person at a terminal reads text. Like the reference this
/// takes an unknown format for JSON, but says so.
fn choose_log_format(settings: &Settings) {
    let said = config::log_formatter(settings);
    let word = said.map(|said| said.value.as_str());
    log::set_json(word.map_or_else(|| !stderr_is_watched(), |word| word != Some("text")));
    if let Some(Setting { value, place }) = said.filter(|said| said.value != "text" && said.value != "json") {
        log::line(
            Level::Warn,
            format_args!("{place}: log.formatter: {value} is neither text nor json: the log is JSON"),
        );
    }
}
