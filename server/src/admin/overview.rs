//! What is known of the process: set by the threads that know it, read by whoever asks.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use super::recent::Recent;
use crate::audit::Monitor;
use crate::io::DriverReport;
use crate::metrics::{Carrier, Counter, Counters, Open};
use crate::publish::Publisher;
use crate::reload::Reloader;
use crate::tls::Certificates;
use crate::why::Why;

/// How far the life of the process has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// Policies are loaded, threads are started: nobody can connect yet.
    Starting = 0,
    /// Requests are decided.
    Ready,
    /// The process was told to end. Requests are decided as long as they come.
    Draining,
}

impl Stage {
    /// One word for answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Stage::Starting => "starting",
            Stage::Ready => "ready",
            Stage::Draining => "draining",
        }
    }
}

/// What the command line settled.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Threads that serve decisions over HTTP.
    pub workers: usize,
    /// Threads that serve Envoy.
    pub envoy_threads: usize,
    /// What happens when records come too fast, in the flag's words.
    pub audit_full: String,
    /// Files are watched.
    pub watch: bool,
    /// The URL that policies come from.
    pub source: Option<String>,
    /// Bounds that the command line may change, by name.
    pub limits: Vec<(&'static str, u64)>,
}

/// What serves.
pub struct Service {
    /// What is served.
    pub publisher: Arc<Publisher>,
    /// What each thread counts.
    pub counters: Vec<Arc<Counters>>,
    /// How the audit is doing.
    pub audit: Monitor,
    /// Who is served where.
    pub doors: Vec<String>,
    /// Certificates that are shown, by what is served over them.
    pub certificates: Vec<(&'static str, Arc<Certificates>)>,
}

/// Everything that the admin port may tell.
pub struct Overview {
    stage: AtomicU8,
    /// When the process started.
    pub started: SystemTime,
    /// What the command line settled.
    pub facts: Facts,
    /// Set before the first load.
    pub reloader: OnceLock<Reloader>,
    /// Set once policies are loaded and addresses bound.
    pub service: OnceLock<Service>,
    /// Set once the threads run that have a choice of drivers.
    pub driver: OnceLock<DriverReport>,
    /// Set once policies are loaded.
    pub why: OnceLock<Why>,
    /// Set before anything is decided, if the last records are kept.
    pub recent: OnceLock<Arc<Recent>>,
    /// Connections to the admin port, counted by its thread.
    pub admin_open: Open,
    /// Those that ended in the TLS handshake, counted by the same.
    pub admin_handshakes_failed: Counter,
}

impl Overview {
    /// Of a process that starts.
    #[must_use]
    pub fn new(facts: Facts) -> Overview {
        Overview {
            stage: AtomicU8::new(Stage::Starting as u8),
            started: SystemTime::now(),
            facts,
            reloader: OnceLock::new(),
            service: OnceLock::new(),
            driver: OnceLock::new(),
            why: OnceLock::new(),
            recent: OnceLock::new(),
            admin_open: Open::default(),
            admin_handshakes_failed: Counter::default(),
        }
    }

    /// Open connections by what they are served and what carries them.
    #[must_use]
    pub fn open(&self) -> [(&'static str, [(Carrier, u64); Carrier::ALL.len()]); 3] {
        let (decisions, envoy) = self.threads();
        let sum = |threads: &[Arc<Counters>]| {
            Carrier::ALL.map(|carrier| {
                let open = threads.iter().map(|thread| thread.open.count(carrier));
                (carrier, open.sum())
            })
        };
        let admin = Carrier::ALL.map(|carrier| (carrier, self.admin_open.count(carrier)));
        [
            ("decisions", sum(decisions)),
            ("envoy", sum(envoy)),
            ("admin", admin),
        ]
    }

    /// Connections that ended in the TLS handshake, by what they were to be served.
    #[must_use]
    pub fn handshakes_failed(&self) -> [(&'static str, u64); 3] {
        let (decisions, envoy) = self.threads();
        let sum = |threads: &[Arc<Counters>]| {
            let failed = threads.iter().map(|thread| thread.handshakes_failed.get());
            failed.sum()
        };
        [
            ("decisions", sum(decisions)),
            ("envoy", sum(envoy)),
            ("admin", self.admin_handshakes_failed.get()),
        ]
    }

    /// What the threads count that serve decisions, and those that serve Envoy.
    fn threads(&self) -> (&[Arc<Counters>], &[Arc<Counters>]) {
        let counters = self.service.get().map(|service| service.counters.as_slice());
        counters
            .and_then(|counters| counters.split_at_checked(self.facts.workers))
            .unwrap_or_default()
    }

    /// How far it has come.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Starting,
            1 => Stage::Ready,
            _ => Stage::Draining,
        }
    }

    /// It has come so far.
    pub fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
    }
}
