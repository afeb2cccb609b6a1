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

impl Open {
    /// One more; only the owning thread may call this.
    pub fn entered(&self, carrier: Carrier) {
        if let Some(counter) = self.0.get(carrier as usize) {
            counter.add(1);
        }
    }

    /// One that was counted is gone; only the owning thread may call this.
    pub fn left(&self, carrier: Carrier) {
        if let Some(counter) = self.0.get(carrier as usize) {
            counter.take(1);
        }
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
        for carrier in [Carrier::Tcp, Carrier::Unix, Carrier::Tcp] {
            open.entered(carrier);
        }
        open.left(Carrier::Tcp);
        assert_eq!(Carrier::ALL.map(|carrier| open.count(carrier)), [1, 0, 1]);
    }
}
