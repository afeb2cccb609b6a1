//! Connections that are open at this moment, by what carries them.

use crate::metrics::counter::Counter;

/// What carries a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// TCP.
    Tcp,
    /// TLS over TCP, from the first byte of the handshake on.
    Tls,
    /// A unix socket.
    Unix,
}

impl Carrier {
    /// All, in the order of their numbers.
    pub const ALL: [Carrier; 3] = [Carrier::Tcp, Carrier::Tls, Carrier::Unix];

    /// One word for metrics and status.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Carrier::Tcp => "tcp",
            Carrier::Tls => "tls",
            Carrier::Unix => "unix",
        }
    }

    /// What carries connections at an address.
    #[must_use]
    pub const fn of_address(over_tls: bool) -> Carrier {
        if over_tls { Carrier::Tls } else { Carrier::Tcp }
    }
}

/// The open connections of one thread. It counts, others read.
#[derive(Debug, Default)]
pub struct Open([Counter; Carrier::ALL.len()]);

/// A connection that is counted, until this is dropped; on the owning thread.
#[derive(Debug)]
#[must_use]
pub struct Entered<'a> {
    open: &'a Open,
    carrier: Carrier,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if let Some(counter) = self.open.0.get(self.carrier as usize) {
            counter.take(1);
        }
    }
}

impl Open {
    /// One more, which is gone with what this returns, be it by a panic; only the owning thread may call this.
    pub fn enter(&self, carrier: Carrier) -> Entered<'_> {
        if let Some(counter) = self.0.get(carrier as usize) {
            counter.add(1);
        }
        Entered { open: self, carrier }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self, carrier: Carrier) -> u64 {
        self.0.get(carrier as usize).map_or(0, Counter::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_carrier_has_its_count() {
        let open = Open::default();
        let [first, second, _third] =
            [Carrier::Tcp, Carrier::Unix, Carrier::Tcp].map(|carrier| open.enter(carrier));
        let counts = || Carrier::ALL.map(|carrier| open.count(carrier));
        assert_eq!(counts(), [2, 0, 1]);
        drop(first);
        drop(second);
        assert_eq!(counts(), [1, 0, 0]);
    }

    #[test]
    fn who_panics_is_gone() {
        let open = Open::default();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _entered = open.enter(Carrier::Tls);
            assert_eq!(open.count(Carrier::Tls), 0, "on purpose");
        }));
        assert!(panicked.is_err());
        assert_eq!(open.count(Carrier::Tls), 0);
    }
}
