//! Bound sockets for all workers, or a reason why there are none.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::error::Failure;
use crate::limits;

/// Binds one socket for each of `workers` to one address; with port 0 all get the same free port.
///
/// Without a host all interfaces are meant, IPv6 too where the machine has it.
///
/// # Errors
/// The address is taken, not ours, or not allowed.
pub fn bind(host: Option<IpAddr>, port: u16, workers: usize) -> Result<Vec<TcpListener>, Failure> {
    let refused = |address: SocketAddr| move |error: io::Error| Failure::Operator(explain(address, &error));
    let address = SocketAddr::new(host.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)), port);
    let (address, first) = match claim(address) {
        Err(error) if host.is_none() && no_ipv6(&error) => {
            let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
            (address, claim(address).map_err(refused(address))?)
        }
        outcome => (address, outcome.map_err(refused(address))?),
    };
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

fn open(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // A restart must not wait for the last process's connections to fade.
    socket.set_reuse_address(true)?;
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

fn explain(address: SocketAddr, error: &io::Error) -> String {
    let cause = match error.kind() {
        io::ErrorKind::AddrInUse => "the address is in use by another process",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address",
        io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE",
        _ => "cannot listen",
    };
    format!("listen on {address}: {cause} ({error})")
}
