//! What access records cost a served process at its limit: requests against probes, which leave none, in turns.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use gavel_benches::load::{self, Ask, Content, Expected, Job, Target};
use gavel_benches::measure::{in_turns, median};
use gavel_benches::process::{Cores, free_port};
use gavel_benches::server::{Server, Start};

use crate::effort::Effort;
use crate::outcome::Report;

/// Connections under load: enough that the worker always has something to do, since one that sleeps between two requests is
/// measured with its way out of that sleep.
const CONNECTIONS: usize = 32;

/// Loads in turns for each round of the report: the machine changes its speed every few seconds, and with it what two loads that
/// are no longer than that say of each other.
const TURNS: usize = 5;

/// The worker's time and that of all threads for a request, ns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) worker_ns: f64,
    pub(crate) all_ns: f64,
}

/// The share by which a record makes a request longer, for the worker and for all threads.
///
/// # Errors
/// A server that does not start or answer.
pub(crate) fn figures(
    binary: &Path,
    domain: &Path,
    body: &[u8],
    effort: &Effort,
    report: &mut Report,
) -> Result<(), String> {
    let cores = Cores::find();
    let admin = format!("127.0.0.1:{}", free_port()?);
    let how = Start {
        core: cores.server,
        records: None,
        flags: &["--admin", &admin],
    };
    let server = Server::start_as(&how, binary, domain, body)?;
    let [request, probe] = ["/decision", "/decision?probe=true"].map(|path| job(&server, path, body, cores));
    let (mut of_worker, mut of_all) = (Vec::new(), Vec::new());
    for round in 0..=effort.load_rounds * TURNS {
        let (without, with) = in_turns(round, || spent(&server, &probe), || spent(&server, &request));
        let (without, with) = (without?, with?);
        // The first round warms up.
        if round > 0 {
            println!("served, for a probe {without:?}, with a record {with:?}");
            of_worker.push(with.worker_ns / without.worker_ns - 1.0);
            of_all.push(with.all_ns / without.all_ns - 1.0);
        }
    }
    let lost = records_lost(&admin)?;
    if lost > 0 {
        report.note(format!("void: {lost} records of the served process were lost"));
        return Ok(());
    }
    report.figure("record.share_of_http_request", median(&mut of_worker));
    report.figure("record.share_of_http_request.with_line", median(&mut of_all));
    Ok(())
}

/// What the admin port says of lost records.
///
/// # Errors
/// It says nothing.
pub(crate) fn records_lost(admin: &str) -> Result<u64, String> {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(admin)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let metrics = ask().map_err(|error| error.to_string())?;
    let mut counts = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("gavel_audit_records_lost_total "));
    let count = counts.next().and_then(|count| count.trim().parse().ok());
    count.ok_or("the server does not tell of lost records".to_owned())
}

fn job(server: &Server, path: &str, body: &[u8], cores: Cores) -> Job {
    let target = Target::local(server.port, path);
    let expected = Expected {
        status: 200,
        body: Content::Is(b"{\"allow\":true}".to_vec()),
    };
    let ask = Ask::new(&target, &[], Some(body), expected);
    Job {
        connections: CONNECTIONS,
        core: cores.load,
        time: Duration::from_millis(200),
        warmup: Duration::from_millis(50),
        ..Job::new(target, vec![ask])
    }
}

/// What a server spends on an answer under a load.
///
/// # Errors
/// A wrong answer.
pub(crate) fn spent(server: &Server, job: &Job) -> Result<Spent, String> {
    let (worker_ns, all_ns) = (server.worker_ns()?, server.process.spent_ns()?);
    let outcome = load::run(job, Instant::now())?.checked()?;
    let right = outcome.right as f64;
    Ok(Spent {
        worker_ns: (server.worker_ns()? - worker_ns) as f64 / right,
        all_ns: (server.process.spent_ns()? - all_ns) as f64 / right,
    })
}
