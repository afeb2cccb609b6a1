//! Other engines on the same decisions, each as its own documentation recommends for speed; `benches/README.md` says how.
//!
//! Every peer answers all requests before it is timed, and a difference ends the report. Each gets an easier job than ours:
//! annotations are merged and resources looked up before it sees a request.

pub mod cedar;
pub mod cerbos;
pub mod clinic;
pub mod opa;
pub mod regorus;
pub mod served;
