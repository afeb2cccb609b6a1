//! Policies that change while they are served: loaded beside what serves, published only when all of it is valid.
//!
//! `ask.rs` is who asks for it and what comes of it, `reloader.rs` the thread that loads, `loading.rs` one load over files
//! that may change meanwhile, `fingerprint.rs` what files hold, `watch.rs` the thread that notices a change, `standing.rs`
//! what became of the last reloads.

mod ask;
mod fingerprint;
mod loading;
mod reloader;
mod standing;
mod watch;

pub use ask::{Ask, Cause, Outcome, Report};
pub use fingerprint::Fingerprint;
pub use loading::{Attempt, Load, Loading, Wish, label};
pub(crate) use reloader::THREAD;
pub use reloader::{Reloader, start};
pub use standing::Standing;
pub use watch::watch;
