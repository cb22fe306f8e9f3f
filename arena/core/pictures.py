"""Pictures from strangers: read in a process of their own, and made anew there."""

import json
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from arena.core.exceptions import BadInput, TooMany

log = logging.getLogger(__name__)

PROGRAM = Path(__file__).with_name("pixels.py")
# By the clock on the wall; the program itself stops earlier by the processor's.
SECONDS = 20.0
# So many at once in a process of the arena, each with the memory that `pixels` allows itself.
AT_ONCE = 2
WAIT_SECONDS = 10.0

FAULTS = {
    "unknown": gettext_noop(
        "That is no PNG, JPEG or WebP picture. Save it as one of these and attach that."
    ),
    "animated": gettext_noop(
        "That picture moves, and only still ones can be attached. Save one of its frames and "
        "attach that."
    ),
    "pixels": gettext_noop(
        "That picture has more than 40 million pixels. Make it smaller and attach it again."
    ),
    "damaged": gettext_noop(
        "That picture is damaged and could not be read. Save it anew and attach that."
    ),
    "costly": gettext_noop(
        "That picture takes more time or memory than is given to one. Save it anew, smaller, and "
        "attach that."
    ),
}

_places = threading.BoundedSemaphore(AT_ONCE)


class BadPicture(BadInput):
    """`fault`: which of FAULTS."""

    def __init__(self, fault: str) -> None:
        super().__init__(_(FAULTS[fault]))
        self.fault = fault


@dataclass(frozen=True)
class Picture:
    """A PNG or JPEG that holds pixels and nothing else of the file that it was made from."""

    media_type: str
    width: int
    height: int
    data: bytes


def picture_anew(data: bytes) -> Picture:
    """The picture in a stranger's file: upright, of bounded size, without metadata.

    Raises BadPicture, or TooMany while others are being read.
    """
    with place():
        done = made(data)
    head, _separator, content = done.partition(b"\n")
    said = json.loads(head)
    if "fault" in said:
        raise BadPicture(said["fault"])
    return Picture(**said, data=content)


@contextmanager
def place() -> Iterator[None]:
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise TooMany(
            _("Too many pictures are being read at this moment. Attach yours again in a minute."),
            retry_after=60.0,
        )
    try:
        yield
    finally:
        _places.release()


def made(data: bytes) -> bytes:
    """What the program says of `data`. Raises BadPicture where it was ended before it could."""
    try:
        done = subprocess.run(
            # Isolated, and without an environment: it needs nothing there, and keys are there.
            [sys.executable, "-I", "-B", str(PROGRAM)],
            input=data,
            capture_output=True,
            env={},
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BadPicture("costly") from error
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        log.warning("A picture of %d bytes ended its reader by %s.", len(data), name)
        raise BadPicture("costly")
    if done.returncode:
        raise RuntimeError(f"{PROGRAM.name} failed: {done.stderr.decode(errors='replace')[-500:]}")
    return done.stdout
