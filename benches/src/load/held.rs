//! Connections that are opened, used once and then left alone: what an idle client costs a server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::answer::{Step, read_answer};
use super::job::{Ask, Target};

/// Opens so many connections and puts one request over each.
///
/// # Errors
/// A connection that cannot be opened, or a wrong answer.
pub fn hold(target: &Target, ask: &Ask, count: usize) -> Result<Vec<TcpStream>, String> {
    (0..count)
        .map(|at| used(target, ask).map_err(|problem| format!("connection {at}: {problem}")))
        .collect()
}

fn used(target: &Target, ask: &Ask) -> Result<TcpStream, String> {
    let mut stream = TcpStream::connect(target.address).map_err(|error| error.to_string())?;
    let whole = exchange(&mut stream, ask).map_err(|error| error.to_string())?;
    match read_answer(&whole) {
        Step::Whole(answer)
            if ask
                .expected
                .is_met(answer.status, whole.get(answer.body.clone()).unwrap_or_default()) =>
        {
            Ok(stream)
        }
        other => Err(format!("{other:?}")),
    }
}

/// Sends, and reads until an answer is whole or cannot be read.
fn exchange(stream: &mut TcpStream, ask: &Ask) -> std::io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(&ask.message)?;
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    while read_answer(&bytes) == Step::Partial {
        match stream.read(&mut part)? {
            0 => break,
            read => bytes.extend_from_slice(part.get(..read).unwrap_or_default()),
        }
    }
    Ok(bytes)
}
