"""Whether this kernel gives a process a ring of io_uring, found out by asking it, so that tests know which driver has to come out."""

import ctypes
import errno
import os
import resource

IO_URING_SETUP = 425  # The same on amd64 and arm64.
ENTRIES = 256
PARAMETERS_BYTES = 120  # struct io_uring_params


def refusal(uid=None, memlock=None):
    """Name of the error for a user with a limit on locked memory, None where the ring is got. Without them: as this process."""
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return errno.errorcode.get(status, str(status)) if status else None
    status = 255
    try:
        if memlock is not None:
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (memlock, memlock))
        if uid is not None:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        libc = ctypes.CDLL(None, use_errno=True)
        got = libc.syscall(IO_URING_SETUP, ENTRIES, ctypes.create_string_buffer(PARAMETERS_BYTES))
        status = 0 if got >= 0 else ctypes.get_errno()
    finally:
        # The child has nothing else to do, whatever happened.
        os._exit(status)
