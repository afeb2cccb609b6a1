//! The served clinic: start, memory, throughput on one processor against the same server with a constant answer, and
//! against peers that are servers.

use std::path::Path;
use std::time::{Duration, Instant};

use gavel_benches::corpus::Example;
use gavel_benches::load::{self, Ask, Bare, BareServed, Content, Dawdle, Expected, Job, Pace, Target};
use gavel_benches::measure::{in_turns, median};
use gavel_benches::peers::served::Served;
use gavel_benches::peers::{cerbos, opa};
use gavel_benches::process::{Cores, Process};
use gavel_benches::server::{Server, Start};

use crate::effort::Effort;
use crate::outcome::Report;
use crate::record_file::Records;

/// The request that is put to servers.
pub(crate) const REQUEST: &str = "nurse-reads";

/// What comes back.
pub(crate) const ALLOWED: &str = "{\"allow\":true}";

/// Connections under load.
const CONNECTIONS: usize = 32;

/// Decisions per second of the reference on one core, as measured beside its own tests.
const REFERENCE_PER_S: f64 = 1_300.0;

/// Servers of the clinic under measurement.
pub(crate) struct Bench {
    /// Where they run.
    pub(crate) cores: Cores,
    /// Decides, with records to a file.
    pub(crate) real: Server,
    /// Answers with a constant, with records to a file.
    pub(crate) constant: Server,
    /// The request, with the answer that it must have.
    pub(crate) body: Vec<u8>,
    _records: [Records; 2],
}

impl Bench {
    /// Starts both.
    ///
    /// # Errors
    /// A server that does not start, no file for records.
    pub(crate) fn start(binary: &Path, example: &Example) -> Result<Bench, String> {
        let cores = Cores::find();
        let body = body(example)?;
        let records = [Records::new("real")?, Records::new("constant")?];
        let [real, constant] = &records;
        let how = |records: &Records, flags: &'static [&'static str]| {
            let start = Start {
                core: cores.server,
                records: Some(&records.path),
                flags,
            };
            Server::start_as(&start, binary, &example.domain, &body)
        };
        Ok(Bench {
            cores,
            real: how(real, &[])?,
            constant: how(constant, &["--constant-deny"])?,
            body: body.clone(),
            _records: records,
        })
    }

    /// A load on the server that decides.
    pub(crate) fn on_real(&self) -> Job {
        self.job(self.real.port, ALLOWED)
    }

    /// The same on the other.
    pub(crate) fn on_constant(&self) -> Job {
        self.job(self.constant.port, "{\"allow\":false}")
    }

    /// The same on a server that reads no request and answers each, and dawdles if it shall, with that server.
    ///
    /// # Errors
    /// No port for it.
    pub(crate) fn on_bare(&self, dawdle: Option<Dawdle>) -> Result<(Job, BareServed), String> {
        let bare = Bare::bind()?;
        let job = self.job(bare.port, ALLOWED);
        let request_bytes = job.asks.iter().map(|ask| ask.message.len()).sum();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ALLOWED}",
            ALLOWED.len()
        );
        Ok((
            job,
            bare.serve(self.cores.server, request_bytes, answer.into_bytes(), dawdle),
        ))
    }

    fn job(&self, port: u16, answer: &str) -> Job {
        self.asking(port, "/decision", &self.body, answer)
    }

    /// A load of one second with a body and the answer that it must have.
    pub(crate) fn asking(&self, port: u16, path: &str, body: &[u8], answer: &str) -> Job {
        let target = Target::local(port, path);
        let expected = Expected {
            status: 200,
            body: Content::Is(answer.as_bytes().to_vec()),
        };
        let ask = Ask::new(&target, &[], Some(body), expected);
        Job {
            connections: CONNECTIONS,
            core: self.cores.load,
            time: Duration::from_secs(1),
            warmup: Duration::from_millis(200),
            ..Job::new(target, vec![ask])
        }
    }
}

fn body(example: &Example) -> Result<Vec<u8>, String> {
    let found = example.requests.iter().find(|(name, _)| name == REQUEST);
    found
        .map(|(_, body)| body.clone())
        .ok_or(format!("{} has no request {REQUEST}", example.name))
}

/// What a server does at its limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saturation {
    /// Right answers a second.
    pub(crate) rate: f64,
    /// ns of all of its threads for one.
    spent_ns: f64,
    /// How much of its processor it used.
    busy: f64,
}

/// Puts a load on a server that keeps it at its limit.
///
/// # Errors
/// A wrong answer, or a process that is gone.
pub(crate) fn saturate(job: &Job, process: &Process, seconds: u32) -> Result<Saturation, String> {
    let job = Job {
        pace: Pace::Closed,
        time: Duration::from_secs(seconds.into()),
        ..job.clone()
    };
    let (before, began) = (process.spent_ns()?, Instant::now());
    let outcome = load::run(&job, began)?.checked()?;
    let spent = (process.spent_ns()? - before) as f64;
    Ok(Saturation {
        rate: outcome.rate(),
        spent_ns: spent / outcome.right as f64,
        busy: spent / began.elapsed().as_nanos() as f64,
    })
}

/// Start and memory.
///
/// # Errors
/// A server that does not start.
pub(crate) fn resting(
    binary: &Path,
    example: &Example,
    effort: &Effort,
    report: &mut Report,
) -> Result<(), String> {
    let body = body(example)?;
    let mut starts = Vec::new();
    for _ in 0..effort.load_rounds {
        starts.push(Server::start(binary, &example.domain, &body, &[])?.start_ms);
    }
    report.figure("start_ms", median(&mut starts));
    let server = Server::start(binary, &example.domain, &body, &[])?;
    let idle_mib = server.rss_mib()?;
    report.figure("rss_idle_mib", idle_mib);
    let target = Target::local(server.port, "/decision");
    let expected = Expected {
        status: 200,
        body: Content::Has("allow".to_owned()),
    };
    let ask = Ask::new(&target, &[], Some(&body), expected);
    let held = load::hold(&target, &ask, effort.idle_connections)?;
    let held_mib = server.rss_mib()?;
    report.note(format!(
        "{} connections, each used once and then idle: {held_mib:.1} MiB, without them {idle_mib:.1} MiB",
        held.len()
    ));
    let each_kib = (held_mib - idle_mib) * 1024.0 / held.len() as f64;
    report.figure("rss_kib_per_idle_connection", each_kib);
    Ok(())
}

/// Throughput at the limit; gives the rate of the server that decides.
///
/// # Errors
/// A server that answers wrong.
pub(crate) fn throughput(bench: &Bench, effort: &Effort, report: &mut Report) -> Result<f64, String> {
    let (mut shares, mut spent, mut rates, mut busy) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..effort.load_rounds {
        let (constant, real) = in_turns(
            round,
            || saturate(&bench.on_constant(), &bench.constant.process, effort.load_seconds),
            || saturate(&bench.on_real(), &bench.real.process, effort.load_seconds),
        );
        let (constant, real) = (constant?, real?);
        println!(
            "closed loop: {:.0} requests/s, with a constant answer {:.0}; {:.1} us of processor each, {:.1}; busy {:.2}, {:.2}",
            real.rate,
            constant.rate,
            real.spent_ns / 1000.0,
            constant.spent_ns / 1000.0,
            real.busy,
            constant.busy
        );
        shares.push(real.rate / constant.rate);
        spent.push(constant.spent_ns / real.spent_ns);
        rates.push(real.rate);
        busy.push(real.busy.min(constant.busy));
    }
    report.note(bench.cores.text());
    let least = busy.iter().copied().fold(f64::INFINITY, f64::min);
    if least < 0.95 {
        report.note(format!(
            "a server had {least:.2} of its processor only: the load generator or other processes were the limit, and shares by processor time count"
        ));
    }
    let rate = median(&mut rates);
    report.figure("http.share_of_constant", median(&mut shares));
    report.figure("http.share_of_constant.cpu", median(&mut spent));
    report.figure("http.requests_per_s_one_core", rate);
    report.figure("http.over_reference", rate / REFERENCE_PER_S);
    Ok(rate)
}

/// Peers that are servers, started on the same processor, their answers compared; why others are left out.
pub(crate) fn peers(example: &Example, cores: Cores, report: &mut Report) -> Vec<(&'static str, Served)> {
    let mut running = Vec::new();
    for (figure, started) in [
        ("http.over_opa_server", opa::start(example, cores.server)),
        ("http.over_cerbos_server", cerbos::start(example, cores.server)),
    ] {
        match started {
            Ok(peer) => {
                if let Some(how) = peer.caution {
                    report.note(format!("{figure}: {how}"));
                }
                running.push((figure, peer));
            }
            Err(why) => report.note(format!("skipped: {figure} ({why})")),
        }
    }
    running
}

/// A load on a peer.
///
/// # Errors
/// It is not asked this.
pub(crate) fn on_peer(bench: &Bench, peer: &Served) -> Result<Job, String> {
    Ok(Job {
        asks: vec![peer.ask(REQUEST)?],
        target: peer.target(),
        ..bench.on_real()
    })
}

/// Throughput over that of each peer, in turns; gives the peers' rates.
///
/// # Errors
/// A wrong answer.
pub(crate) fn over_peers(
    bench: &Bench,
    peers: &[(&'static str, Served)],
    effort: &Effort,
    report: &mut Report,
) -> Result<Vec<f64>, String> {
    let mut rates = Vec::new();
    for (figure, peer) in peers {
        let job = on_peer(bench, peer)?;
        let (mut ratios, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..effort.load_rounds {
            let (real, rival) = in_turns(
                round,
                || saturate(&bench.on_real(), &bench.real.process, effort.load_seconds),
                || saturate(&job, &peer.process, effort.load_seconds),
            );
            let (real, rival) = (real?, rival?);
            println!(
                "closed loop: {:.0} requests/s, {} {:.0}; busy {:.2}, {:.2}",
                real.rate, peer.name, rival.rate, real.busy, rival.busy
            );
            ratios.push(real.rate / rival.rate);
            theirs.push(rival.rate);
        }
        report.figure(figure, median(&mut ratios));
        rates.push(median(&mut theirs));
    }
    Ok(rates)
}
