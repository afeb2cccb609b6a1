//! Bound sockets for all workers, or a reason why there are none.

use std::fs::{File, OpenOptions, TryLockError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::error::{Failure, reason, reason_and_limit};
use crate::limits;
use crate::log::{self, Level};

/// Binds one socket to an address, as [`bind`] does, and says which address it is. It does not block.
///
/// # Errors
/// As those of [`bind`].
pub fn bind_one(host: Option<IpAddr>, port: u16) -> Result<(TcpListener, SocketAddr), Failure> {
    let cannot = Failure::refused(format!("listen on port {port}"));
    let listener = bind(host, port, 1)?
        .pop()
        .ok_or_else(|| cannot(io::ErrorKind::AddrNotAvailable.into()))?;
    listener.set_nonblocking(true).map_err(&cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    Ok((listener, address))
}

/// Who can connect to an address, in words.
#[must_use]
pub fn who_reaches(address: IpAddr) -> &'static str {
    if address.is_loopback() {
        "this machine alone"
    } else if address.is_unspecified() {
        "whoever reaches this machine"
    } else {
        "whoever reaches that address"
    }
}

/// A socket in the file system, which goes when this is dropped.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and number of the file: another process may have put its own in its place.
    identity: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Between the look and the removal nobody may put another one there. One that cannot be had is left where it is.
        let Ok(_turn) = Turn::take(&self.path) else {
            return;
        };
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            // A file that cannot be removed is found stale by the next process.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The turn of this process to look at a socket's place and to change what is there: a file beside it, locked and removed
/// again, as Wayland's compositors and PostgreSQL have one. Two processes that find the same stale socket would else both
/// remove it, the second one the fresh socket of the first.
struct Turn(Option<(PathBuf, File)>);

impl Turn {
    /// Others need milliseconds.
    const PATIENCE: Duration = Duration::from_secs(5);
    const LOOK: Duration = Duration::from_millis(5);

    /// Waits for it, for a bounded time. One that another user left there keeps nobody from starting.
    fn take(socket: &Path) -> io::Result<Turn> {
        let mut path = socket.to_path_buf().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let begun = Instant::now();
        loop {
            let opened = Turn::open(&path);
            let file = match opened {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    let (path, why) = (path.display(), reason(&error));
                    let text = "the socket's place is looked at without its lock";
                    log::line(Level::Warn, format_args!("{path}: {why}: {text}"));
                    return Ok(Turn(None));
                }
                Err(error) => {
                    let text = format!("its lock {}: {}", path.display(), reason(&error));
                    return Err(io::Error::new(error.kind(), text));
                }
            };
            match file.try_lock() {
                // Who had it before may have removed the file that was opened here: then it keeps out nobody.
                Ok(()) if is_at(&file, &path) => return Ok(Turn(Some((path, file)))),
                Ok(()) | Err(TryLockError::WouldBlock) if begun.elapsed() < Turn::PATIENCE => {
                    thread::sleep(Turn::LOOK)
                }
                Ok(()) | Err(TryLockError::WouldBlock) => {
                    let text = format!("another process has {} locked", path.display());
                    return Err(io::Error::new(io::ErrorKind::TimedOut, text));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Opens the file that is locked, without waiting for anything that is none.
    fn open(path: &Path) -> io::Result<File> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        Ok(file)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some((path, _locked)) = &self.0 {
            // While it is locked. What cannot be removed is an empty file that the next process locks.
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether an open file is still the one of that name.
fn is_at(file: &File, path: &Path) -> bool {
    let opened = file.metadata().map(|file| (file.dev(), file.ino()));
    matches!((opened, identity(path)), (Ok(opened), Ok(named)) if opened == named)
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}

/// Binds a unix socket to which those may connect whom `mode` lets write to a file; `owner`: user and group that the file
/// is given to. It does not block.
///
/// A socket that nobody listens on any more, left by a process that died, is replaced. Nobody can connect before the file
/// has its owner and its mode.
///
/// # Errors
/// The path is something else, somebody listens there, or the folder is missing or not ours.
pub fn bind_unix(
    path: &Path,
    mode: u32,
    owner: Option<(Option<u32>, Option<u32>)>,
) -> Result<(UnixListener, SocketFile), Failure> {
    let cannot = |cause: &str| Failure::Operator(format!("listen on {}: {cause}", path.display()));
    let failed = |error: io::Error| cannot(&reason(&error));
    let no_place = |error: io::Error| cannot(&explain_place(path, &error));
    // Until somebody listens, so that a process that comes meanwhile sees that it is in use.
    let _turn = Turn::take(path).map_err(no_place)?;
    if let Ok(file) = fs::symlink_metadata(path) {
        if !file.file_type().is_socket() {
            return Err(cannot("there is a file that is no socket"));
        }
        match UnixStream::connect(path) {
            Ok(_) => return Err(cannot("the socket is in use by another process")),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
    let address = SockAddr::unix(path).map_err(failed)?;
    socket.bind(&address).map_err(no_place)?;
    let file = SocketFile {
        path: path.to_path_buf(),
        identity: identity(path).map_err(failed)?,
    };
    if let Some((user, group)) = owner {
        std::os::unix::fs::chown(path, user, group)
            .map_err(|error| cannot(&format!("owner: {}", reason(&error))))?;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(failed)?;
    socket.listen(limits::LISTEN_BACKLOG).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    Ok((socket.into(), file))
}

/// Binds one socket for each of `workers` to one address; with port 0 all get the same free port.
///
/// Without a host, and with `::`, all interfaces are meant, IPv6 too where the machine has it.
///
/// # Errors
/// The address is taken, not ours, or not allowed.
pub fn bind(host: Option<IpAddr>, port: u16, workers: usize) -> Result<Vec<TcpListener>, Failure> {
    let refused = |address: SocketAddr| move |error: io::Error| Failure::Operator(explain(address, &error));
    let (address, first) = claim_any(host, port, claim);
    let first = first.map_err(refused(address))?;
    if workers <= 1 {
        return Ok(vec![listen(first).map_err(refused(address))?]);
    }
    // Sockets that share a port would also share it with those of another process of the same user, silently. The
    // first one was bound without sharing, which proves that the port is free; now it makes room.
    let bound = first
        .local_addr()
        .map_err(refused(address))?
        .as_socket()
        .unwrap_or(address);
    drop(first);
    (0..workers)
        .map(|_| shared(bound).and_then(listen).map_err(refused(bound)))
        .collect()
}

/// Claims an address with `claim`, that of IPv4 in place of all where the machine has no other.
fn claim_any<T>(
    host: Option<IpAddr>,
    port: u16,
    claim: impl Fn(SocketAddr) -> io::Result<T>,
) -> (SocketAddr, io::Result<T>) {
    const ALL: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let address = SocketAddr::new(host.unwrap_or(ALL), port);
    match claim(address) {
        Err(error) if address.ip() == ALL && no_ipv6(&error) => {
            let instead = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
            if host.is_some() {
                let text = format_args!("this machine has no IPv6: {instead} in place of {address}");
                log::line(Level::Warn, text);
            }
            (instead, claim(instead))
        }
        outcome => (address, outcome),
    }
}

fn open(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // A restart must not wait for the last process's connections to fade.
    socket.set_reuse_address(true)?;
    // Connections have what the listening socket has.
    socket.set_send_buffer_size(limits::SEND_BUFFER_BYTES)?;
    // Answers are small and complete; without this option the second of two would wait for an acknowledgement. A socket
    // that refuses it still works.
    let _ = socket.set_nodelay(true);
    Ok(socket)
}

fn claim(address: SocketAddr) -> io::Result<Socket> {
    let socket = open(address)?;
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

fn shared(address: SocketAddr) -> io::Result<Socket> {
    let socket = open(address)?;
    socket.set_reuse_port(true)?;
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

fn listen(socket: Socket) -> io::Result<TcpListener> {
    socket.listen(limits::LISTEN_BACKLOG)?;
    Ok(socket.into())
}

fn no_ipv6(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL)
    )
}

/// Why no file can be made beside a path or there, and what has to be so.
fn explain_place(path: &Path, error: &io::Error) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).display();
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => "this user has to be allowed to write to it",
        io::ErrorKind::NotFound => "it has to be there",
        io::ErrorKind::ReadOnlyFilesystem => "it has to be one that can be written to",
        _ => return reason(error),
    };
    format!("{}: the folder {folder}: {advice}", reason(error))
}

fn explain(address: SocketAddr, error: &io::Error) -> String {
    let cause = match error.kind() {
        io::ErrorKind::AddrInUse => "the address is in use by another process",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address",
        io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE",
        _ => "cannot listen",
    };
    format!("listen on {address}: {cause} ({})", reason_and_limit(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_those_of_ipv4_where_there_are_no_others() {
        let without_ipv6 = |address: SocketAddr| match address {
            SocketAddr::V4(_) => Ok(()),
            SocketAddr::V6(_) => Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT)),
        };
        for host in [None, Some(Ipv6Addr::UNSPECIFIED.into())] {
            let (address, claimed) = claim_any(host, 7, without_ipv6);
            assert!(claimed.is_ok());
            assert_eq!(address.to_string(), "0.0.0.0:7");
        }
        let (address, claimed) = claim_any(Some(Ipv6Addr::LOCALHOST.into()), 7, without_ipv6);
        assert!(claimed.is_err());
        assert_eq!(address.to_string(), "[::1]:7");
    }
}
