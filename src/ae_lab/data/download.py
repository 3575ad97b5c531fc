"""Download of one file, with limits on time and size, and the reason for a failure."""

import time
import urllib.request
from pathlib import Path

SILENT_SECONDS = 20  # longest time without data from the server
TOTAL_SECONDS = 300  # longest download of one file
LARGEST = 60_000_000  # bytes; unpacked, MNIST has 55,000,000


def fetch(address: str, path: Path) -> Path:
    """Download ``address`` to the file ``path`` and return ``path``.

    An ``OSError`` is raised if the server cannot be reached, answers with an error, or redirects
    from https to another protocol. It is also raised if the server sends nothing for 20 seconds,
    needs more than 300 seconds, or sends more than 60 MB or less than it announced.
    """
    end, received = time.monotonic() + TOTAL_SECONDS, 0
    opened = urllib.request.build_opener(_Redirects).open(address, timeout=SILENT_SECONDS)
    with opened as answer, path.open("wb") as file:
        while part := answer.read1(1 << 16):
            received += file.write(part)
            if received > LARGEST:
                raise OSError(f"more than {LARGEST:,} bytes were sent")
            if time.monotonic() > end:
                raise OSError(f"it took longer than {TOTAL_SECONDS} s")
        promised = int(answer.headers.get("Content-Length") or received)
    if received != promised:
        raise OSError(f"cut off after {received:,} of {promised:,} bytes")
    return path


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, *answer):
        if request.type == "https" and not answer[-1].startswith("https:"):
            raise OSError(f"the server redirects to {answer[-1]}, which is not protected by https")
        return super().redirect_request(request, *answer)


def first_line(error: Exception) -> str:
    """The first line of the message of ``error``, or the name of its type."""
    return (str(error) or type(error).__name__).splitlines()[0]
