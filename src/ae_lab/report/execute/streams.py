"""What a report's kernels use in place of ipykernel's own stdout and stderr: none of it is lost."""

import os
import sys
import time

from ipykernel.iostream import OutStream

PATIENCE = 2.0  # seconds for a child that never stops printing


class WholeStream(OutStream):
    """Waits, before a cell ends or shows something, for what child processes have printed.

    A child writes to a pipe that a thread reads; without the wait its last lines would come in the
    next cell, or never. And no message is dropped because the reader is slower: ZeroMQ's limit of
    1,000 that wait is lifted.
    """

    def __init__(self, session, pub_thread, name, **options):
        self._reading = False
        pub_thread.schedule(lambda: setattr(pub_thread.socket, "sndhwm", 0))  # in its own thread
        if sys.platform in ("linux", "darwin"):
            options["watchfd"] = "force"  # whatever the environment says
        super().__init__(session, pub_thread, name, **options)

    def _watch_pipe_fd(self):
        import select

        poll = select.poll()
        poll.register(self._fid, select.POLLIN)
        while self._should_watch:
            poll.poll()
            self._reading = True  # before the pipe is emptied: one of the two is always seen
            read = os.read(self._fid, 2**16)
            if not read or not self._should_watch:
                return
            self.write(read.decode(errors="replace"))
            os.write(self._original_stdstream_copy, read)
            self._reading = False

    def flush(self):
        """Send what was written so far, by this process and by its children."""
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
