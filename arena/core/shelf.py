"""What was read from texts that never change, kept in the memory of this process."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any


class Shelf:
    """Values by the digest of the text that each was read from.

    most: characters of the texts that may be kept; where room is needed, what nobody asked for
    the longest goes first. All who ask get the same value: nobody may change it.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.lock = threading.Lock()
        self.entries: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self.size = 0

    def get(self, digest: str, text: Callable[[], str], read: Callable[[str], Any]) -> Any:
        """The value of that digest, read from its text where it is not at hand."""
        with self.lock:
            if digest in self.entries:
                self.entries.move_to_end(digest)
                return self.entries[digest][0]
        found = text()
        value = read(found)
        self.put(digest, value, len(found))
        return value

    def __contains__(self, digest: str) -> bool:
        with self.lock:
            return digest in self.entries

    def put(self, digest: str, value: Any, size: int) -> None:
        if size > self.most:
            return
        with self.lock:
            _, before = self.entries.pop(digest, (None, 0))
            self.entries[digest] = value, size
            self.size += size - before
            while self.size > self.most:
                _, (_, gone) = self.entries.popitem(last=False)
                self.size -= gone

    def clear(self) -> None:
        """Forget everything; only memory is lost."""
        with self.lock:
            self.entries.clear()
            self.size = 0
