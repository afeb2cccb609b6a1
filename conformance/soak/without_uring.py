#!/usr/bin/env python3
"""Runs a command under a seccomp filter that forbids io_uring, as container runtimes do: without_uring.py COMMAND..."""

import ctypes
import os
import struct
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD, AT_LEAST, AT_MOST_ELSE, RETURN = 0x20, 0x35, 0x25, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ERRNO with EPERM
#: io_uring_setup, io_uring_enter, io_uring_register; the same on amd64 and arm64.
FIRST, LAST = 425, 427


def forbid():
    steps = ((LOAD, 0, 0, 0), (AT_LEAST, 0, 2, FIRST), (AT_MOST_ELSE, 1, 0, LAST), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW))
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    text = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a 16-bit count, padding, a pointer.
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(program), 0, 0)):
        if libc.prctl(*words):
            raise OSError(ctypes.get_errno(), "prctl")


forbid()
os.execvp(sys.argv[1], sys.argv[1:])
