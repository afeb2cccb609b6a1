//! Work that needs a deep stack: what the compiler nests, and what checks it, is recursive.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crate::error::Failure;
use crate::limits;
use crate::reload;

/// Runs `work` on a thread whose stack fits the compiler's nesting limits, whatever stack this thread has; on this one, if it is
/// the reloader's, which has such a stack: a start would wait for each new thread and the memory that it takes.
///
/// # Errors
/// A thread that does not start, and a panic of `work`, which leaves what it borrows as it was then.
pub(crate) fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    let failed = |cause: &str| Failure::Operator(format!("the compiling thread {cause}"));
    if thread::current().name() == Some(reload::THREAD) {
        return catch_unwind(AssertUnwindSafe(work)).map_err(|_| failed("died"));
    }
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("compile".to_owned())
            .stack_size(limits::STACK_BYTES);
        let running = thread
            .spawn_scoped(scope, work)
            .map_err(|e| failed(&format!("did not start: {e}")))?;
        running.join().map_err(|_| failed("died"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_on_either_thread() {
        for name in ["compile", reload::THREAD] {
            let thread = thread::Builder::new().name(name.to_owned());
            let running = thread.spawn(|| on_a_deep_stack::<()>(|| panic!("as asked for")));
            let failure = running.unwrap().join().unwrap().unwrap_err();
            assert_eq!(failure.to_string(), "the compiling thread died");
        }
    }
}
