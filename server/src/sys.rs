//! System calls that the standard library does not offer.
#![expect(unsafe_code, reason = "the only file of this crate that calls C")]

use std::io;
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::{FromRawFd as _, IntoRawFd, RawFd};

/// Keeps the kernel from backing this process with huge pages: the allocator asks for them, and a process that lives in a
/// few megabytes would pay for two megabytes around every page that it touches.
pub fn small_pages() {
    // SAFETY: `prctl` takes integers only; a kernel that does not know the option says so, and nothing changes.
    let _ = unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
}

/// A file that would grow beyond the process's limit is an error of the write; the signal for it would end the process.
pub fn ignore_file_size_signal() {
    // SAFETY: `signal` with `SIG_IGN` installs no handler and takes integers only.
    let _ = unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// Gives back memory that the process took for a short while, such as that of a compilation: what the allocator keeps, and
/// the pages of code that were mapped. What is called again comes back from the page cache.
pub fn release_memory() {
    // SAFETY: `mi_collect` takes a flag and may be called from any thread at any time; the allocator is mimalloc's.
    unsafe { libmimalloc_sys::mi_collect(true) };
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for (start, end) in maps.lines().filter_map(code_of) {
        let code = std::ptr::without_provenance_mut(start);
        // SAFETY: the kernel names these as private mappings of a file that are executable and not writable: nobody has
        // written to their pages, so each is the file's when it is used again.
        let _ = unsafe { libc::madvise(code, end - start, libc::MADV_DONTNEED) };
    }
}

/// Start and end of the mapping that a line of `/proc/self/maps` tells of, if it is code of a file.
fn code_of(line: &str) -> Option<(usize, usize)> {
    let mut columns = line.split_ascii_whitespace();
    let (start, end) = columns.next()?.split_once('-')?;
    let (access, path) = (columns.next()?, columns.nth(3)?);
    let address = |text| usize::from_str_radix(text, 16).ok();
    (access == "r-xp" && path.starts_with('/')).then_some((address(start)?, address(end)?))
}

/// From now on this thread gets a core only where the threads that serve leave one, or a small part of one.
pub fn step_back() {
    const NICE: libc::c_int = 10;
    // SAFETY: `setpriority` takes integers only; 0 is the calling thread, and a refusal changes nothing.
    let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
}

/// From now on this thread runs soon after it wakes, also where others keep its core busy: it asks for turns of 0.1 ms, the
/// shortest that Linux has, and whoever wants a short turn gets it early. It gets no more time than before. Linux before 6.12
/// gives the same turns to all, a policy that somebody chose for this process (`chrt`) stays, and a refusal changes nothing.
pub fn short_turns() {
    const TURN_NS: u64 = 100_000;
    let mut attr = MaybeUninit::<libc::sched_attr>::zeroed();
    let size = size_of::<libc::sched_attr>();
    // SAFETY: `attr` has room for the `size` bytes that the kernel may write, and it writes no more; 0 is the calling thread.
    let failed = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, attr.as_mut_ptr(), size, 0) };
    // SAFETY: the struct is integers only, and all of it was zeroed.
    let mut attr = unsafe { attr.assume_init() };
    if failed != 0 || attr.sched_policy != libc::SCHED_OTHER.unsigned_abs() {
        return;
    }
    attr.sched_runtime = TURN_NS;
    // SAFETY: the kernel reads the `size` bytes that `attr` says it has; 0 is the calling thread.
    let _ = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) };
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

/// The socket that `stream` owned.
#[must_use]
pub fn stream_of(stream: impl IntoRawFd) -> TcpStream {
    let fd = stream.into_raw_fd();
    // SAFETY: `into_raw_fd` gave up the ownership of an open descriptor, which is taken here and nowhere else.
    unsafe { TcpStream::from_raw_fd(fd) }
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

/// Whether [`ticks`] counts anything and may be called: whoever started the process can have forbidden it, and it would die.
#[must_use]
pub fn has_ticks() -> bool {
    let mut allowed: libc::c_int = 0;
    // SAFETY: `prctl` writes one integer to a valid place; a kernel that does not know the option says so and writes nothing.
    let _ = unsafe { libc::prctl(libc::PR_GET_TSC, &raw mut allowed) };
    cfg!(target_arch = "x86_64") && allowed == libc::PR_TSC_ENABLE
}

/// The counter of this processor; 0 where there is none that a program may read. What it means, [`crate::clock`] finds out.
#[inline(always)]
#[must_use]
pub fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: every processor of this architecture has the instruction; it touches no memory. A process that may not run it
        // ends there, as it would by any other refusal: `has_ticks` tells.
        unsafe { std::arch::x86_64::_rdtsc() }
    }
    #[cfg(not(target_arch = "x86_64"))]
    0
}

/// Nanoseconds of the kernel's clock that never goes back; its start means nothing. [`crate::clock`] has a cheaper one.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_files_is_let_go() {
        for (line, want) in [
            (
                "1000-3000 r-xp 00001000 fe:00 99  /usr/bin/x",
                Some((0x1000, 0x3000)),
            ),
            ("1000-3000 r--p 00001000 fe:00 99  /usr/bin/x", None),
            ("1000-3000 rwxp 00001000 fe:00 99  /usr/bin/x", None),
            ("1000-3000 r-xs 00001000 fe:00 99  /usr/bin/x", None),
            ("1000-3000 r-xp 00000000 00:00 0", None),
            ("1000-3000 r-xp 00000000 00:00 0  [vdso]", None),
            ("", None),
        ] {
            assert_eq!(code_of(line), want, "{line}");
        }
    }

    #[test]
    fn the_process_goes_on_after_its_code_was_let_go() {
        release_memory();
        assert_eq!(code_of("1-2 r-xp 0 0 0 /x"), Some((1, 2)));
    }
}
