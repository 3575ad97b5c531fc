"""Stdout and stderr of a report's kernels, instead of ipykernel's, so that no output is lost."""

import os
import sys
import time

from ipykernel.iostream import OutStream

PATIENCE = 2.0  # longest wait in seconds for a child process that keeps printing


class WholeStream(OutStream):
    """Waits for the output of child processes before a cell ends or shows something.

    A thread reads the pipe to which children write. Without the wait, their last lines would
    appear in the next cell, or never. ZeroMQ's limit of 1,000 waiting messages is also removed, so
    that a slow reader loses none.
    """

    def __init__(self, session, pub_thread, name, **options):
        self._reading = False
        pub_thread.schedule(lambda: setattr(pub_thread.socket, "sndhwm", 0))  # in its own thread
        if sys.platform in ("linux", "darwin"):
            options["watchfd"] = "force"  # even if the environment disables it
        super().__init__(session, pub_thread, name, **options)

    def _watch_pipe_fd(self):
        import select

        poll = select.poll()
        poll.register(self._fid, select.POLLIN)
        while self._should_watch:
            poll.poll()
            self._reading = True  # before the pipe is emptied, so that `_waiting` stays true
            read = os.read(self._fid, 2**16)
            if not read or not self._should_watch:
                return
            self.write(read.decode(errors="replace"))
            os.write(self._original_stdstream_copy, read)
            self._reading = False

    def flush(self):
        """Send what this process and its children have written so far."""
        end = time.monotonic() + PATIENCE
        while self._is_master_process() and self._waiting() and time.monotonic() < end:
            time.sleep(0.001)
        super().flush()

    def _waiting(self) -> bool:
        import array
        import fcntl
        import termios

        if not self._should_watch or not self.watch_fd_thread.is_alive():
            return False
        count = array.array("i", [0])
        fcntl.ioctl(self._fid, termios.FIONREAD, count)
        return bool(count[0]) or self._reading
