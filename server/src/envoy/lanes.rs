//! Threads that may wait: mappers that use `http.send` run here, so that a serving thread never does.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::envoy::mapper::{Input, Machine, MapError};
use crate::fetch::Network;
use crate::limits;
use crate::publish::Revision;

/// A request on its way to a lane.
struct Job {
    attributes: Option<Vec<u8>>,
    /// Whose mapper.
    revision: Arc<Revision>,
    porc: oneshot::Sender<Result<Vec<u8>, MapError>>,
}

/// The way to all lanes. They end when the last of these is dropped.
#[derive(Clone)]
pub(super) struct Lanes(mpsc::Sender<Job>);

impl Lanes {
    /// Starts them, with one network for all.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn start(network: &Arc<Network>) -> io::Result<Lanes> {
        let (sender, jobs) = mpsc::channel(limits::MAPPER_QUEUE_MAX);
        let jobs = Arc::new(Mutex::new(jobs));
        for index in 0..limits::MAPPER_LANES {
            let (network, jobs) = (Arc::clone(network), Arc::clone(&jobs));
            thread::Builder::new()
                .name(format!("mapper-{index}"))
                .stack_size(limits::STACK_BYTES)
                .spawn(move || {
                    let mut machine = Machine::with_network(network);
                    while let Some(job) = next(&jobs) {
                        // Who asked may be gone: before, because it waited too long, or while it was worked on.
                        if !job.porc.is_closed() {
                            let porc = map(&mut machine, &job.revision, job.attributes.as_deref());
                            let _ = job.porc.send(porc);
                        }
                    }
                })?;
        }
        Ok(Lanes(sender))
    }

    /// The PORC for a request.
    pub(super) async fn map(
        &self,
        revision: Arc<Revision>,
        attributes: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, MapError> {
        let (porc, done) = oneshot::channel();
        let job = Job {
            attributes,
            revision,
            porc,
        };
        // Full means that the hosts which mappers ask are slower than requests come.
        self.0.try_send(job).map_err(|_| MapError::Overloaded)?;
        done.await.unwrap_or(Err(MapError::Fault))
    }
}

/// Waits for the next request; one lane does, the others wait for the lock.
fn next(jobs: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    jobs.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .blocking_recv()
}

fn map(machine: &mut Machine, revision: &Revision, attributes: Option<&[u8]>) -> Result<Vec<u8>, MapError> {
    let Some(Ok(mapper)) = &revision.loaded.lens else {
        return Err(MapError::Fault);
    };
    machine.map(mapper, attributes.map_or(Input::Null, Input::Object), None)
}
