"""One file over the network, with patience that ends."""

import time
import urllib.request
from pathlib import Path

SILENT_SECONDS = 20  # the longest that a server may say nothing
TOTAL_SECONDS = 300  # the longest that one file may take
LARGEST = 60_000_000  # bytes; MNIST has 55,000,000 unpacked


def fetch(address: str, path: Path) -> Path:
    """Write what stands at ``address`` to ``path``; a server that hangs or never ends is left.

    Raises
    ------
    OSError
        If the server is not there, answers with an error, says nothing for 20 seconds, takes
        more than 300, sends more than 60 MB, or less than it promised.
    """
    end, received = time.monotonic() + TOTAL_SECONDS, 0
    with urllib.request.urlopen(address, timeout=SILENT_SECONDS) as answer, path.open("wb") as file:
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
