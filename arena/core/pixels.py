"""A stranger's picture made anew. A program of its own, which `pictures` runs.

It stands alone, without Django and without the arena's keys in its environment: what it reads is
hostile, and the libraries that read it are written in C. A file made to take memory or time, or
to crash them, ends this process and nothing else.

From stdin it takes a file; to stdout it gives a line of JSON, and then the bytes of the new file.
"""

import io
import json
import resource
import sys
from dataclasses import dataclass
from typing import BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 40_000_000
LONG_SIDE = 2048
# Servers of models take no larger ones: the strictest has 5 MB for a picture in base 64.
MOST_BYTES = 3_750_000
# A larger PNG is a photograph, which loses nothing that anybody sees by becoming a JPEG.
MOST_BYTES_PNG = 2_000_000
QUALITIES = (85, 60)

# What a picture of MOST_PIXELS needs in each of the formats, and some more.
MEMORY_BYTES = 900_000_000
PROCESSOR_SECONDS = 5

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Refused(Exception):
    """`fault`: unknown, animated, pixels, damaged or costly."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True)
class Anew:
    """A file that holds pixels and nothing else. It is always PNG or JPEG: every server that
    looks at pictures reads these, and not all of them read WebP."""

    media_type: str
    width: int
    height: int
    data: bytes


def made_anew(data: bytes) -> Anew:
    """The picture in `data`: upright, in RGB, at most LONG_SIDE long and MOST_BYTES large.

    Its colours are taken for sRGB: a profile would be one more format of a stranger's to trust.
    Raises Refused.
    """
    try:
        return redrawn(opened(data))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("pixels") from error
    except MemoryError as error:
        raise Refused("costly") from error
    except Refused:
        raise
    except Exception as error:
        # Pillow raises all kinds of errors over a broken file, SyntaxError and IndexError too.
        raise Refused("damaged") from error


def opened(data: bytes) -> Image.Image:
    """The picture, of which no more than the header was read."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise Refused("unknown") from error
    if image.width * image.height > MOST_PIXELS:
        raise Refused("pixels")
    # A JPEG with several pictures is a photograph with its preview or depth; the first is it.
    if image.format in ("PNG", "WEBP") and getattr(image, "is_animated", False):
        raise Refused("animated")
    return image


def redrawn(image: Image.Image) -> Anew:
    shown = in_rgb(upright(image, shrunk(image)))
    # Pillow writes some of what a picture came with into the new file: profile and comment.
    shown.info = {}
    media_type, made = encoded(shown, is_drawing=image.format == "PNG")
    return Anew(media_type, *shown.size, made)


def shrunk(image: Image.Image) -> Image.Image:
    size = fitted(image.size)
    # A JPEG is read at an eighth, a quarter or half its size where that is enough.
    image.draft(None, size)
    if image.mode.startswith("I"):
        return grey(image).resize(size, Image.Resampling.LANCZOS)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    # `convert` to the mode that it has would copy it.
    colours = image if image.mode == mode else image.convert(mode)
    return colours.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def fitted(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height, made so much smaller that the longer is at most LONG_SIDE."""
    scale = min(1.0, LONG_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def grey(image: Image.Image) -> Image.Image:
    """Sixteen bits of grey in eight; `convert` would cut off all that is brighter."""
    return image.convert("I").point(lambda value: value / 256).convert("L")


def upright(image: Image.Image, shown: Image.Image) -> Image.Image:
    """`shown` turned as the camera that took `image` was held."""
    turn = UPRIGHT.get(orientation(image))
    return shown if turn is None else shown.transpose(turn)


def orientation(image: Image.Image) -> int:
    """As the picture's notes say; 1 where they say nothing, or nothing that can be read."""
    try:
        stated = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # of the same kinds as above, and the pixels are whole all the same
        return 1
    return stated if isinstance(stated, int) else 1


def in_rgb(image: Image.Image) -> Image.Image:
    """Without a channel of transparency in which everything is opaque."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
        return image
    return image.convert("RGB")


def encoded(image: Image.Image, is_drawing: bool) -> tuple[str, bytes]:
    """Media type and file: without loss where that stays small, else as a JPEG that does."""
    if is_drawing or image.mode == "RGBA":
        made = saved(image, "PNG")
        if len(made) <= MOST_BYTES_PNG:
            return "image/png", made
    plain = on_white(image)
    for quality in QUALITIES:
        made = saved(plain, "JPEG", quality=quality)
        if len(made) <= MOST_BYTES:
            return "image/jpeg", made
    raise Refused("costly")


def on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def saved(image: Image.Image, form: str, **how: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **how)
    return buffer.getvalue()


# -- As a program ----------------------------------------------------------------------------


def confine() -> None:
    """Let this process have so much memory and time, and write no file."""
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS knows this limit and refuses to set it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def main(source: BinaryIO, target: BinaryIO) -> None:
    confine()
    said: dict[str, str | int]
    try:
        anew = made_anew(source.read())
    except Refused as refused:
        said, made = {"fault": refused.fault}, b""
    else:
        said = {"media_type": anew.media_type, "width": anew.width, "height": anew.height}
        made = anew.data
    target.write(json.dumps(said).encode() + b"\n" + made)


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
