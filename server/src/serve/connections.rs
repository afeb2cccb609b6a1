//! The open connections of one core with their deadlines, and the sweep that ends the late ones.
//!
//! Time is counted in ticks of about a second, so that a request costs no clock call. Only descriptors are held here;
//! an entry leaves before its descriptor is closed, so the sweep never touches a descriptor that means something else.

use std::os::fd::RawFd;

use crate::limits;
use crate::sys::{self, Half};

/// What a connection waits for; it decides how it ends when the process drains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// For a request of which no byte is here.
    Idle,
    /// For the rest of a request, or for its answer to be taken.
    Busy,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    fd: RawFd,
    deadline: u64,
    waits: Waits,
}

/// Place of a connection in [`Connections`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(usize);

/// All connections of one core.
#[derive(Debug, Default)]
pub struct Connections {
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    tick: u64,
}

impl Connections {
    /// Open connections.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Adds a connection, idle until it says otherwise.
    pub fn enter(&mut self, fd: RawFd) -> Place {
        let entry = Some(Entry {
            fd,
            deadline: u64::MAX,
            waits: Waits::Idle,
        });
        match self.free.pop() {
            Some(at) => {
                if let Some(slot) = self.entries.get_mut(at) {
                    *slot = entry;
                }
                Place(at)
            }
            None => {
                self.entries.push(entry);
                Place(self.entries.len() - 1)
            }
        }
    }

    /// Forgets a connection; call before its descriptor is closed.
    pub fn leave(&mut self, place: Place) {
        if let Some(slot) = self.entries.get_mut(place.0)
            && slot.take().is_some()
        {
            self.free.push(place.0);
        }
    }

    /// The tick by which something that may take `seconds` must be done.
    #[must_use]
    pub fn deadline(&self, seconds: u64) -> u64 {
        // The current tick is partly over.
        self.tick + seconds + 1
    }

    /// Says what a connection waits for and until when.
    pub fn set(&mut self, place: Place, waits: Waits, deadline: u64) {
        if let Some(Some(entry)) = self.entries.get_mut(place.0) {
            entry.waits = waits;
            entry.deadline = deadline;
        }
    }

    /// A second has passed: shuts down the connections that are past their deadline and counts them.
    pub fn sweep(&mut self) -> u64 {
        self.tick += 1;
        let mut late = 0;
        for entry in self.entries.iter_mut().flatten() {
            if entry.deadline <= self.tick {
                // What already arrived on an idle connection is still read and answered.
                let half = match entry.waits {
                    Waits::Idle => Half::Read,
                    Waits::Busy => Half::Both,
                };
                sys::shutdown(entry.fd, half);
                entry.deadline = u64::MAX;
                late += 1;
            }
        }
        late
    }

    /// Ends the idle connections of a draining process. What already arrived on them is still read and answered.
    ///
    /// A client that asked a moment ago is probably about to ask again: its connection has until the next tick, so that its
    /// request is answered, with `Connection: close`, instead of meeting a closed door.
    pub fn end_idle(&mut self) {
        let asked_lately = self.tick + limits::IDLE_SECONDS;
        for entry in self.entries.iter_mut().flatten() {
            if entry.waits != Waits::Idle {
                continue;
            }
            if entry.deadline >= asked_lately {
                entry.deadline = self.tick + 1;
            } else {
                sys::shutdown(entry.fd, Half::Read);
            }
        }
    }
}
