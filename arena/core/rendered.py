"""HTML that was made a short while ago, for pages that are opened again."""

import threading
import time
import zlib
from collections import OrderedDict
from hashlib import blake2b

MOST_BYTES = 32 << 20
KEPT_SECONDS = 600.0


class Rendered:
    """HTML by the digest of all that it was made of, in the memory of this process alone.

    It is compressed, and takes MOST_BYTES at most; where room is needed the oldest goes first.
    Whoever looks for it must have the text, so nobody finds that of an erased one, and it is gone
    KEPT_SECONDS after it was made, however often it was read. Redis may write what it holds to a
    disk, from which no erasure would take it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.entries: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self.bytes = 0
        self.timer: threading.Timer | None = None

    def get(self, key: bytes) -> str | None:
        with self.lock:
            if (entry := self.entries.get(key)) is None:
                return None
        return zlib.decompress(entry[1]).decode()

    def put(self, key: bytes, html: str) -> None:
        packed = zlib.compress(html.encode(), 1)
        with self.lock:
            self.drop(key)
            self.entries[key] = (time.monotonic() + KEPT_SECONDS, packed)
            self.bytes += len(packed)
            while self.bytes > MOST_BYTES:
                self.drop(next(iter(self.entries)))
            self.watch()

    def sweep(self) -> None:
        """Drop what is too old; entries lie in the order in which they came."""
        with self.lock:
            now = time.monotonic()
            while self.entries and next(iter(self.entries.values()))[0] <= now:
                self.drop(next(iter(self.entries)))
            self.timer = None
            self.watch()

    # -- With the lock held ------------------------------------------------------------------

    def drop(self, key: bytes) -> None:
        _, packed = self.entries.pop(key, (0.0, b""))
        self.bytes -= len(packed)

    def watch(self) -> None:
        """Wake when the oldest entry's time is over, in a process that nobody asks too."""
        if self.timer is None and self.entries:
            until = next(iter(self.entries.values()))[0]
            self.timer = threading.Timer(max(0.0, until - time.monotonic()), self.sweep)
            self.timer.daemon = True
            self.timer.start()


def digest(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode(), digest_size=32).digest()
