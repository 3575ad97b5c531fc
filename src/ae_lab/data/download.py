"""Download of one file, with limits on time and size, and what to say of one that failed."""

import time
import urllib.request
from pathlib import Path

SILENT_SECONDS = 20  # longest silence of the server
TOTAL_SECONDS = 300  # longest download of one file
LARGEST = 60_000_000  # bytes; MNIST has 55,000,000 unpacked


def fetch(address: str, path: Path) -> Path:
    """Download ``address`` to the file ``path`` and return ``path``; give up on a slow server.

    An ``OSError`` says that the server cannot be reached, answers with an error, sends us on from
    https to another protocol, is silent for 20 seconds, takes more than 300, sends more than 60 MB,
    or less than it announced.
    """
    end, received = time.monotonic() + TOTAL_SECONDS, 0
    opened = urllib.request.build_opener(_Redirects).open(address, timeout=SILENT_SECONDS)
    with opened as answer, path.open("wb") as file:
        while part := answer.read1(1 << 16):
            received += file.write(part)
            if received > LARGEST:
                raise OSError(f"more than {LARGEST:,} bytes came")
            if time.monotonic() > end:
                raise OSError(f"it took longer than {TOTAL_SECONDS} s")
        promised = int(answer.headers.get("Content-Length") or received)
    if received != promised:
        raise OSError(f"cut off after {received:,} of {promised:,} bytes")
    return path


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, *answer):
        if request.type == "https" and not answer[-1].startswith("https:"):
            raise OSError(f"it sends us on to {answer[-1]}, which anyone on the way can change")
        return super().redirect_request(request, *answer)


def first_line(error: Exception) -> str:
    """What an ``error`` says of itself, for a message of one line."""
    return (str(error) or type(error).__name__).splitlines()[0]
