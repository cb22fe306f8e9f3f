"""Pictures as strangers send them: each as the bytes of a file."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

# What a camera, an editor or a spy left in a file, and nobody may find in what is kept.
MARKER = b"MARKER-of-whoever-took-it"
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ORIENTATION = 0x0112


def drawn(size: tuple[int, int] = (48, 32), mode: str = "RGB") -> Image.Image:
    """Red on its left half and blue on its right one."""
    picture = Image.new("RGB", size, (220, 20, 20))
    picture.paste((20, 20, 220), (size[0] // 2, 0, *size))
    return picture.convert(mode)


def photograph(size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Of too many colours for a drawing."""
    bands = [Image.effect_noise(size, 90) for _ in range(3)]
    return Image.merge("RGB", bands)


def saved(picture: Image.Image, form: str = "PNG", **how: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **how)
    return file.getvalue()


def png(size: tuple[int, int] = (48, 32), mode: str = "RGB") -> bytes:
    return saved(drawn(size, mode))


def turned(orientation: int, form: str) -> bytes:
    """With the note that it was taken with the camera held so, and the marker beside it."""
    notes = Image.Exif()
    notes[ORIENTATION] = orientation
    notes[0x010E] = MARKER.decode()
    return saved(drawn(), form, exif=notes)


def moving(form: str) -> bytes:
    frames = [drawn(), photograph((48, 32))]
    return saved(frames[0], form, save_all=True, append_images=frames[1:])


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


# -- By hand, byte by byte -------------------------------------------------------------------


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def with_chunks(data: bytes, *chunks: bytes) -> bytes:
    """A PNG with these right after its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises a picture of that size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    content = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + content + chunk(b"IEND")


def scans_without_end(size: int = 6000, scans: int = 60_000) -> bytes:
    """A JPEG of a few megabytes that takes hours: each scan goes over all of its pixels again."""
    whole = saved(Image.new("L", (size, size)), "JPEG", progressive=True)
    last = whole.rfind(b"\xff\xda")
    return whole[:last] + whole[last : last + 30] * scans + b"\xff\xd9"
