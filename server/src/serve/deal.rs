//! Which core serves a new connection.
//!
//! Each core accepts from a socket of its own, over which the kernel spreads connections by a hash. Few of them, such as a
//! sidecar's, land unevenly and stay for hours. So while they are few, the core that accepts one gives it to the core
//! that has the fewest. The lock of a seat is taken for connections that change hands, never for a request.

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits;

/// One core's seat at the table.
#[derive(Debug)]
pub struct Seat {
    /// Connections that the core has or was given.
    open: AtomicUsize,
    /// Connections that wait for it; none once it takes no more.
    given: Mutex<Option<Vec<TcpStream>>>,
    /// A byte here tells it to look.
    bell: UnixStream,
}

/// What one core knows of all.
#[derive(Debug)]
pub struct Dealer {
    all: Arc<[Arc<Seat>]>,
    own: Arc<Seat>,
    heard: Option<UnixStream>,
}

impl Dealer {
    /// Seats for so many cores.
    ///
    /// # Errors
    /// No socket pair is to be had.
    pub fn seats(cores: usize) -> std::io::Result<Vec<Dealer>> {
        let mut bells = Vec::with_capacity(cores);
        let mut seats = Vec::with_capacity(cores);
        for _ in 0..cores {
            let (bell, heard) = UnixStream::pair()?;
            bell.set_nonblocking(true)?;
            bells.push(heard);
            seats.push(Arc::new(Seat {
                open: AtomicUsize::new(0),
                given: Mutex::new(Some(Vec::new())),
                bell,
            }));
        }
        let all: Arc<[Arc<Seat>]> = seats.into();
        let dealer = |(own, heard): (&Arc<Seat>, UnixStream)| Dealer {
            all: Arc::clone(&all),
            own: Arc::clone(own),
            heard: Some(heard),
        };
        Ok(all.iter().zip(bells).map(dealer).collect())
    }

    /// The end of this core's bell that it listens to; once.
    pub fn bell(&mut self) -> Option<UnixStream> {
        self.heard.take()
    }

    /// The core that should have a new connection, if it is another one.
    #[must_use]
    pub fn other(&self) -> Option<&Seat> {
        let all: usize = self.all.iter().map(|seat| seat.open()).sum();
        if all >= self.all.len() * limits::DEALT_CONNECTIONS_PER_WORKER {
            return None;
        }
        let fewest = self.all.iter().min_by_key(|seat| seat.open())?;
        (fewest.open() < self.own.open()).then_some(fewest)
    }

    /// What this core was given since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<TcpStream> {
        let mut given = self.own.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// What this core was given since the last time; from now on it is given nothing.
    #[must_use]
    pub fn close(&self) -> Vec<TcpStream> {
        let mut given = self.own.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.take().unwrap_or_default()
    }

    /// Counts a connection that this core accepted and keeps.
    pub fn entered(&self) {
        self.own.open.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection of this core, accepted or given, is closed.
    pub fn left(&self) {
        self.own.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Seat {
    fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Gives a connection to this core.
    ///
    /// # Errors
    /// It takes no more; the connection comes back.
    pub fn give(&self, stream: TcpStream) -> Result<(), TcpStream> {
        {
            let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(given) = given.as_mut() else {
                return Err(stream);
            };
            // Before the core can see it, so that it is not counted out before it was counted in.
            self.open.fetch_add(1, Ordering::Relaxed);
            given.push(stream);
        }
        // A pipe that is full holds enough bytes to wake the core.
        let _ = (&self.bell).write(b"c");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn connection() -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        TcpStream::connect(listener.local_addr().unwrap()).unwrap()
    }

    fn accept(dealer: &Dealer) {
        match dealer.other() {
            Some(other) => other.give(connection()).unwrap(),
            None => dealer.entered(),
        }
    }

    #[test]
    fn few_connections_are_spread_evenly_whoever_accepts_them() {
        let dealers = Dealer::seats(3).unwrap();
        (0..6).for_each(|_| accept(&dealers[0]));
        (0..3).for_each(|_| accept(&dealers[2]));
        let open: Vec<usize> = dealers.iter().map(|dealer| dealer.own.open()).collect();
        assert_eq!(open, [3, 3, 3]);
        let given: Vec<usize> = dealers.iter().map(|dealer| dealer.take().len()).collect();
        assert_eq!((given.iter().sum::<usize>(), given[1]), (6, 3));
        dealers[1].left();
        assert!(dealers[1].other().is_none() && dealers[0].other().is_some());
    }

    #[test]
    fn many_connections_stay_where_they_are() {
        let dealers = Dealer::seats(2).unwrap();
        (0..2 * limits::DEALT_CONNECTIONS_PER_WORKER).for_each(|_| dealers[0].entered());
        assert!(dealers[0].other().is_none());
        dealers[0].left();
        assert!(dealers[0].other().is_some());
    }

    #[test]
    fn a_core_that_ends_takes_what_it_was_given_and_no_more() {
        let dealers = Dealer::seats(2).unwrap();
        accept(&dealers[0]);
        accept(&dealers[0]);
        assert_eq!(dealers[1].close().len(), 1);
        let seat = Arc::clone(&dealers[1].own);
        assert!(seat.give(connection()).is_err());
        assert!(dealers[1].take().is_empty());
    }
}
