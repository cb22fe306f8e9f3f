"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

import codecs

from arena.providers.exceptions import TooLong, Unreadable


class EventReader:
    """Takes the bytes of a stream as they come, and gives the data of each event that is whole.

    Names, ids and retry times of events are passed over: both protocols say in the data itself
    what it is. httpx-sse gives the same data, but takes its text from httpx, which replaces what
    is not UTF-8 instead of refusing it. It also takes 1.4 to 1.8 times as long for tokens of
    100 bytes, one or three of them to a piece.
    """

    def __init__(self, most: int) -> None:
        """most: characters that one event may have."""
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._most = most
        self._held = 0
        self._ended_by_cr = False
        self._torn: list[str] = []
        self._data: list[str] = []

    def feed(self, piece: bytes) -> list[str]:
        """Raises Unreadable for what is not UTF-8, TooLong for an event that does not end."""
        text = self._decoded(piece)
        if not text:
            return []
        if self._ended_by_cr or "\r" in text:
            text = self._with_line_feeds(text)
        lines = text.split("\n")
        torn = lines.pop()
        if lines:
            # Joined only now: adding piece to piece would copy a long line each time.
            lines[0] = "".join((*self._torn, lines[0]))
            self._torn.clear()
        if torn:
            self._torn.append(torn)
        events = self._events(lines)
        self._hold(0 if events else len(text))
        return events

    def _decoded(self, piece: bytes) -> str:
        try:
            return self._decoder.decode(piece)
        except UnicodeDecodeError as error:
            raise Unreadable(f"not UTF-8: {error}") from error

    def _with_line_feeds(self, text: str) -> str:
        """A CR ends its line at once; an LF that follows it in the next piece ends no other."""
        if self._ended_by_cr and text.startswith("\n"):
            text = text[1:]
        self._ended_by_cr = text.endswith("\r")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _events(self, lines: list[str]) -> list[str]:
        events = []
        for line in lines:
            if line.startswith("data:"):
                self._data.append(line[6:] if line.startswith(" ", 5) else line[5:])
            elif not line:
                if self._data:
                    events.append("\n".join(self._data))
                    self._data.clear()
            elif line == "data":
                self._data.append("")
        return events

    def _hold(self, more: int) -> None:
        is_holding = bool(self._torn or self._data)
        self._held = self._held + more if more and is_holding else 0
        if self._held > self._most:
            raise TooLong(f"an event of more than {self._most} characters")
