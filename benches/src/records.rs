//! What the access record of a decision costs the thread that decides, which makes a frame and puts it into a ring: in
//! process, and in a served process by the time that its worker spends on a processor.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gavel_runtime::decision::{Decision, Stamp};
use gavel_server::audit::{self, FullPolicy, Output, Render, Sink};
use gavel_server::limits::AUDIT_RING_BYTES_MIN;
use gavel_server::metrics::Counters;

use gavel_benches::corpus::{self, Example};
use gavel_benches::measure::median;
use gavel_benches::server::{Server, Start};

/// Requests of one round, one after the other.
const REQUESTS: u32 = 5_000;

/// The largest share, over all requests of an example, by which a record makes a decision longer, in time on a processor:
/// what other processes and the audit thread take does not count.
///
/// # Errors
/// A domain that does not compile, or no audit thread.
pub(crate) fn in_process(example: &Example, rounds: usize, round_ns: u64) -> Result<f64, String> {
    let image = corpus::image(example)?;
    let mut decider = corpus::decider(&image);
    let counters = Arc::<Counters>::default();
    let (audit, mut sinks) = audit::start(
        &[Arc::clone(&counters)],
        |_| AUDIT_RING_BYTES_MIN,
        FullPolicy::Drop,
        Output::stream(Box::new(std::io::sink()), "nowhere"),
        // The text of a record is made on another thread; here only the frames are taken away.
        || -> Box<dyn Render> { Box::new(Discard) },
        || {},
    )
    .map_err(|error| error.to_string())?;
    let sink = sinks.first_mut().ok_or("no sink")?;
    let mut worst: f64 = 0.0;
    for (name, body) in &example.requests {
        let mut without_ns = Vec::new();
        let mut shares = Vec::new();
        let mut calls = 1_000;
        for round in 0..=rounds {
            let plain = spent_by(calls, || {
                black_box(corpus::decide(&mut decider, &image, black_box(body)).map(|d| d.granted)).ok();
            })?;
            let recorded = spent_by(calls, || {
                let decision = corpus::decide(&mut decider, &image, black_box(body));
                black_box(decision.map(|decision| record(&decision, body, sink))).ok();
            })?;
            if round == 0 {
                // It warms up and says how many calls fill a round.
                calls = (round_ns as f64 / plain.max(1.0)) as u64 + 1;
                continue;
            }
            without_ns.push(plain);
            shares.push(recorded / plain - 1.0);
        }
        let share = median(&mut shares);
        println!(
            "{}/{name}: decision {:.0} ns, its record {:.1}% more",
            example.name,
            median(&mut without_ns),
            share * 100.0
        );
        worst = worst.max(share);
    }
    drop(sinks);
    if !audit.finish().complete {
        return Err("the audit thread lost records".to_owned());
    }
    println!(
        "{}: {} records did not fit the ring",
        example.name,
        counters.records_lost.get()
    );
    Ok(worst)
}

/// Makes no text of frames.
struct Discard;

impl Render for Discard {
    fn render(&mut self, _: &[u8], _: &mut Vec<u8>) -> bool {
        true
    }
}

/// ns of this thread on a processor for one call, over `calls` of them.
fn spent_by(calls: u64, mut run: impl FnMut()) -> Result<f64, String> {
    let before = spent_ns()?;
    for _ in 0..calls {
        run();
    }
    Ok((spent_ns()? - before) as f64 / calls as f64)
}

/// Time that this thread has spent on a processor.
fn spent_ns() -> Result<u64, String> {
    // The kernel brings the number up to date when it schedules.
    std::thread::yield_now();
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").map_err(|error| error.to_string())?;
    let spent = times.split_whitespace().next().unwrap_or_default();
    spent.parse().map_err(|_| format!("no time in {times}"))
}

fn record(decision: &Decision<'_>, body: &[u8], sink: &mut Sink) -> bool {
    let stamp = Stamp {
        wall_ns: 1_700_000_000_000_000_000,
        random: [7; 16],
    };
    sink.submit(|frame| decision.encode(body, stamp, frame))
}

/// The share by which a record makes the worker's time for a request longer: requests against probes, which leave none.
///
/// # Errors
/// A server that does not start or answer.
pub(crate) fn served(binary: &Path, domain: &Path, body: &[u8], rounds: usize) -> Result<f64, String> {
    let anywhere = Start {
        core: None,
        records: None,
        flags: &[],
    };
    let server = Server::start_as(&anywhere, binary, domain, body)?;
    let mut client = Client::connect(server.port)?;
    let (request, probe) = (message("/decision", body), message("/decision?probe=true", body));
    let mut shares = Vec::new();
    for round in 0..=rounds {
        let without_ns = cost_ns(&server, &mut client, &probe)?;
        let with_ns = cost_ns(&server, &mut client, &request)?;
        // The first round warms up.
        if round > 0 {
            println!("served: {without_ns:.0} ns of the worker for a probe, {with_ns:.0} ns with a record");
            shares.push(with_ns / without_ns - 1.0);
        }
    }
    Ok(median(&mut shares))
}

fn message(target: &str, body: &[u8]) -> Vec<u8> {
    let mut message = format!(
        "POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    message.extend_from_slice(body);
    message
}

fn cost_ns(server: &Server, client: &mut Client, message: &[u8]) -> Result<f64, String> {
    let before = server.worker_ns()?;
    for _ in 0..REQUESTS {
        client.ask(message)?;
    }
    Ok((server.worker_ns()? - before) as f64 / f64::from(REQUESTS))
}

/// One connection that stays open.
struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Client {
    fn connect(port: u16) -> Result<Client, String> {
        let run = || -> std::io::Result<TcpStream> {
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            Ok(stream)
        };
        Ok(Client {
            stream: run().map_err(|error| error.to_string())?,
            answer: vec![0; 4096],
        })
    }

    /// Sends and waits for the line end behind the answer's body.
    fn ask(&mut self, message: &[u8]) -> Result<(), String> {
        self.stream
            .write_all(message)
            .map_err(|error| error.to_string())?;
        loop {
            let read = self
                .stream
                .read(&mut self.answer)
                .map_err(|error| error.to_string())?;
            match self.answer.get(..read) {
                Some([]) | None => return Err("the server closed the connection".to_owned()),
                Some(bytes) if bytes.ends_with(b"}\n") => return Ok(()),
                Some(_) => {}
            }
        }
    }
}
