//! System calls that the standard library does not offer.
#![expect(unsafe_code, reason = "the only file of this crate that calls C")]

use std::io;
use std::os::fd::RawFd;

/// Keeps the kernel from backing this process with huge pages: the allocator asks for them, and a process that lives in a
/// few megabytes would pay for two megabytes around every page that it touches.
pub fn small_pages() {
    // SAFETY: `prctl` takes integers only; a kernel that does not know the option says so, and nothing changes.
    let _ = unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
}

/// Gives back memory that the process took for a short while, such as that of a compilation.
pub fn release_memory() {
    // SAFETY: `mi_collect` takes a flag and may be called from any thread at any time; the allocator is mimalloc's.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

/// From now on this thread gets a core only where the threads that serve leave one, or a small part of one.
pub fn step_back() {
    const NICE: libc::c_int = 10;
    // SAFETY: `setpriority` takes integers only; 0 is the calling thread, and a refusal changes nothing.
    let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
}

/// Which halves of a connection to shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// No more input; what already arrived is still read.
    Read,
    /// No more output.
    Write,
    /// Both.
    Both,
}

/// Shuts down a socket without closing its descriptor, so that operations that wait on it complete.
///
/// A descriptor that is no connected socket any more is left alone by the kernel.
pub fn shutdown(fd: RawFd, half: Half) {
    let how = match half {
        Half::Read => libc::SHUT_RD,
        Half::Write => libc::SHUT_WR,
        Half::Both => libc::SHUT_RDWR,
    };
    // SAFETY: `shutdown` takes integers only and reports a bad descriptor as an error.
    let _ = unsafe { libc::shutdown(fd, how) };
}

/// Keeps the ending signals away from this thread and from the threads it starts, or lets them in again.
///
/// # Errors
/// What the kernel says.
pub fn mask_signals(masked: bool, signals: &[i32]) -> io::Result<()> {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initialises the set it is given.
    let _ = unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in signals {
        // SAFETY: the set was initialised above; a bad signal number is an error.
        let _ = unsafe { libc::sigaddset(set.as_mut_ptr(), *signal) };
    }
    let how = if masked {
        libc::SIG_BLOCK
    } else {
        libc::SIG_UNBLOCK
    };
    // SAFETY: the set is initialised and outlives the call; the old mask is not asked for.
    let failed = unsafe { libc::pthread_sigmask(how, set.as_ptr(), std::ptr::null_mut()) };
    if failed == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(failed))
    }
}

/// Nanoseconds of a clock that never goes back; its start means nothing.
#[must_use]
pub fn monotonic_ns() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the kernel writes one `timespec` to a valid place; this clock always exists.
    let _ = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
