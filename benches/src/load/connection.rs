//! One connection of the load generator: a socket that never blocks, what is unanswered on it, bytes on their way.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use rustls::ClientConnection;
use socket2::{Domain, Protocol, Socket, Type};

use super::answer::{Step, read_answer};
use super::secure::{self, Trust};

/// Bytes that one read takes at most; answers are a few hundred.
const READ_BYTES: usize = 64 * 1024;

/// A request that was sent, or has to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// When it was due.
    pub(super) due_ns: u64,
    /// When it left; timeouts count from here.
    pub(super) sent_ns: u64,
    /// Which of the job's requests.
    pub(super) ask: usize,
}

/// Why a connection is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// The server said so with its last answer.
    Said,
    /// The server closed it, or it broke.
    Closed,
    /// An answer that cannot be read.
    Broken(&'static str),
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// The socket; absent between two attempts.
    pub(super) stream: Option<TcpStream>,
    /// TLS over it.
    session: Option<Box<ClientConnection>>,
    /// It can be written to.
    pub(super) is_open: bool,
    /// It waits among those that take a request.
    pub(super) is_ready: bool,
    /// Since when it takes one.
    pub(super) ready_ns: u64,
    /// Unanswered, the oldest first.
    pub(super) sent: VecDeque<Sent>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Connection {
    /// None yet.
    pub(super) fn closed() -> Connection {
        Connection {
            stream: None,
            session: None,
            is_open: false,
            is_ready: false,
            ready_ns: 0,
            sent: VecDeque::new(),
            input: Vec::new(),
            output: Vec::new(),
        }
    }

    /// Begins to connect; the socket becomes writable when it is connected.
    pub(super) fn begin(&mut self, address: SocketAddr, trust: Option<&Trust>) -> Result<&TcpStream, String> {
        self.session = match trust {
            Some(trust) => Some(Box::new(trust.session()?)),
            None => None,
        };
        self.input.clear();
        self.output.clear();
        self.is_open = false;
        let socket = connecting(address).map_err(|error| error.to_string())?;
        Ok(self.stream.insert(socket.into()))
    }

    /// Goes on with the handshake of a connected socket as far as bytes are here. True once requests can be sent.
    pub(super) fn shake_hands(&mut self) -> Result<bool, Gone> {
        let (Some(session), Some(stream)) = (&mut self.session, &self.stream) else {
            return Ok(true);
        };
        secure::flush(session, stream)?;
        while session.is_handshaking() && secure::take(session, stream)? {
            secure::flush(session, stream)?;
        }
        Ok(!session.is_handshaking())
    }

    /// Sends what can be sent at once; the rest goes when the socket has room.
    pub(super) fn send(&mut self, message: &[u8], sent: Sent) -> Result<(), Gone> {
        self.sent.push_back(sent);
        if let (Some(session), Some(stream)) = (&mut self.session, &self.stream) {
            secure::seal(session, message)?;
            return secure::flush(session, stream);
        }
        if !self.output.is_empty() {
            self.output.extend_from_slice(message);
            return Ok(());
        }
        let written = self.write(message)?;
        self.output
            .extend_from_slice(message.get(written..).unwrap_or_default());
        Ok(())
    }

    /// Goes on with what could not be sent.
    pub(super) fn flush(&mut self) -> Result<(), Gone> {
        if let (Some(session), Some(stream)) = (&mut self.session, &self.stream) {
            return secure::flush(session, stream);
        }
        if self.output.is_empty() {
            return Ok(());
        }
        let output = std::mem::take(&mut self.output);
        let written = self.write(&output)?;
        self.output
            .extend_from_slice(output.get(written..).unwrap_or_default());
        Ok(())
    }

    fn write(&self, mut bytes: &[u8]) -> Result<usize, Gone> {
        let mut stream = self.stream.as_ref().ok_or(Gone::Closed)?;
        let whole = bytes.len();
        while !bytes.is_empty() {
            match stream.write(bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Err(Gone::Closed),
            }
        }
        Ok(whole - bytes.len())
    }

    /// Reads what is there and hands every whole answer on, with the request that it belongs to.
    pub(super) fn receive(
        &mut self,
        scratch: &mut Vec<u8>,
        mut answered: impl FnMut(Sent, u16, &[u8]),
    ) -> Result<(), Gone> {
        if self.session.is_some() {
            return self.receive_sealed(answered);
        }
        scratch.resize(READ_BYTES, 0);
        loop {
            let mut stream = self.stream.as_ref().ok_or(Gone::Closed)?;
            let read = match stream.read(scratch) {
                Ok(0) => return Err(Gone::Closed),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(Gone::Closed),
            };
            let bytes = scratch.get(..read).unwrap_or_default();
            // The usual case is one whole answer, which is read where it lies.
            if self.input.is_empty() {
                let used = take(&mut self.sent, bytes, &mut answered)?;
                self.input
                    .extend_from_slice(bytes.get(used..).unwrap_or_default());
            } else {
                self.input.extend_from_slice(bytes);
                let used = take(&mut self.sent, &self.input, &mut answered)?;
                self.input.drain(..used);
            }
            if read < READ_BYTES {
                // Less than asked for: there is no more, and the next bytes wake us.
                return Ok(());
            }
        }
    }

    /// The same over TLS.
    fn receive_sealed(&mut self, mut answered: impl FnMut(Sent, u16, &[u8])) -> Result<(), Gone> {
        loop {
            let (Some(session), Some(stream)) = (&mut self.session, &self.stream) else {
                return Err(Gone::Closed);
            };
            let has_more = secure::take(session, stream)?;
            let is_over = secure::open(session, &mut self.input)?;
            let used = take(&mut self.sent, &self.input, &mut answered)?;
            self.input.drain(..used);
            if is_over {
                return Err(Gone::Closed);
            }
            if !has_more {
                return Ok(());
            }
        }
    }
}

/// A socket that begins to connect.
fn connecting(address: SocketAddr) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_nodelay(true)?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
            Err(error)
        }
        _ => Ok(socket),
    }
}

/// Hands on the answers that the bytes begin with; says how many bytes they are.
fn take(
    sent: &mut VecDeque<Sent>,
    bytes: &[u8],
    answered: &mut impl FnMut(Sent, u16, &[u8]),
) -> Result<usize, Gone> {
    let mut used = 0;
    while let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty()) {
        let answer = match read_answer(rest) {
            Step::Partial => break,
            Step::Broken(problem) => return Err(Gone::Broken(problem)),
            Step::Whole(answer) => answer,
        };
        let Some(request) = sent.pop_front() else {
            return Err(Gone::Broken("an answer that nobody asked for"));
        };
        answered(
            request,
            answer.status,
            rest.get(answer.body.clone()).unwrap_or_default(),
        );
        used += answer.body.end;
        if answer.closes {
            return Err(Gone::Said);
        }
    }
    Ok(used)
}
