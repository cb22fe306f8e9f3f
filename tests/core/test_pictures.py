"""A stranger's picture comes out as pixels and nothing else, or is refused in words."""

import io
import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st
from PIL import Image

from arena.core import pictures, pixels
from arena.core.exceptions import TooMany
from arena.core.pictures import BadPicture, picture_anew
from tests.pictures import (
    HTML,
    MARKER,
    SVG,
    chunk,
    claiming,
    drawn,
    moving,
    opened,
    photograph,
    png,
    saved,
    scans_without_end,
    turned,
    with_chunks,
)

RED, BLUE = (220, 20, 20), (20, 20, 220)


def is_near(colour: Any, other: tuple[int, ...]) -> bool:
    return all(abs(one - two) < 12 for one, two in zip(colour, other, strict=True))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_it_works(form: str) -> None:
    picture = picture_anew(saved(drawn(), form))
    image = opened(picture.data)

    assert picture.media_type == ("image/png" if form == "PNG" else "image/jpeg")
    assert (picture.width, picture.height) == image.size == (48, 32)
    assert Image.MIME[image.format or ""] == picture.media_type
    assert is_near(image.getpixel((5, 5)), RED)
    assert is_near(image.getpixel((43, 5)), BLUE)


# -- What is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [b"", b"MZ" + b"\0" * 500, SVG, HTML, saved(drawn(), "GIF"), saved(drawn(), "BMP"),
     saved(drawn(), "TIFF"), HTML + png(), b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n"],
    ids=["empty", "executable", "svg", "html", "gif", "bmp", "tiff", "polyglot", "pdf", "cut"],
)  # fmt: skip
def test_only_three_kinds_are_taken_whatever_their_name(data: bytes) -> None:
    with pytest.raises(BadPicture, match="That is no PNG, JPEG or WebP picture"):
        picture_anew(data)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_moving_ones_are_refused(form: str) -> None:
    with pytest.raises(BadPicture, match="That picture moves"):
        picture_anew(moving(form))


@pytest.mark.parametrize("size", [(6400, 6400), (50_000, 50_000), (2**31 - 1, 2**31 - 1)])
def test_too_many_pixels_are_refused_by_the_header(size: tuple[int, int]) -> None:
    with pytest.raises(BadPicture, match="more than 40 million pixels"):
        picture_anew(claiming(*size))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_files_cut_short_are_refused(form: str) -> None:
    whole = saved(photograph(), form)

    with pytest.raises(BadPicture, match="That picture is damaged"):
        picture_anew(whole[: len(whole) // 2])


def test_a_file_made_to_take_hours_takes_seconds() -> None:
    with pytest.raises(BadPicture, match="more time or memory"):
        picture_anew(scans_without_end())


def test_more_memory_than_its_share_is_refused() -> None:
    """The limit holds: a picture that is taken elsewhere needs more than is left here."""
    little = PROGRAM_OF_LITTLE_MEMORY.format(program=str(pictures.PROGRAM))
    done = subprocess.run(
        [sys.executable, "-I", "-c", little], input=png((4000, 4000)), capture_output=True, env={}
    )

    assert done.stdout == b'{"fault": "costly"}\n'


PROGRAM_OF_LITTLE_MEMORY = """
import runpy, sys
program = runpy.run_path({program!r})
program["confine"].__globals__["MEMORY_BYTES"] = 120_000_000
program["main"](sys.stdin.buffer, sys.stdout.buffer)
"""


def test_the_reader_knows_none_of_our_secrets(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "told.py"
    program.write_text("import os, sys; sys.exit(str(dict(os.environ)))")
    monkeypatch.setenv("SECRET_KEY", "CANARY")
    monkeypatch.setattr(pictures, "PROGRAM", program)

    with pytest.raises(RuntimeError) as told:
        picture_anew(png())
    assert "CANARY" not in str(told.value)


def test_only_so_many_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "WAIT_SECONDS", 0.01)
    with pictures.place(), pictures.place(), pytest.raises(TooMany, match="again in a minute"):
        picture_anew(png())

    assert picture_anew(png()).width == 48


# -- What is left of what came in ------------------------------------------------------------


def annotated(form: str) -> bytes:
    """With the marker wherever such a file can hold one."""
    profile = MARKER * 10
    if form == "PNG":
        text = chunk(b"tEXt", b"Comment\0" + MARKER) + chunk(b"juNk", MARKER)
        whole = with_chunks(saved(drawn(), form, icc_profile=profile), text)
        return whole + MARKER + HTML
    if form == "JPEG":
        whole = saved(photograph(), form, comment=MARKER, icc_profile=profile, xmp=MARKER)
        return whole[:2] + b"\xff\xe1\x00" + bytes([len(MARKER) + 2]) + MARKER + whole[2:] + MARKER
    return saved(photograph(), form, icc_profile=profile, xmp=MARKER, exif=b"Exif\0\0" + MARKER)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_nothing_but_pixels_is_kept(form: str) -> None:
    source = annotated(form)
    assert MARKER in source
    made = picture_anew(source).data

    assert MARKER not in made
    assert b"script" not in made
    image = opened(made)
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [(1, (48, 32), (5, 5)), (2, (48, 32), (43, 5)), (3, (48, 32), (43, 5)), (4, (48, 32), (5, 5)),
     (5, (32, 48), (5, 5)), (6, (32, 48), (5, 5)), (7, (32, 48), (5, 43)), (8, (32, 48), (5, 43))],
)  # fmt: skip
def test_it_stands_upright(
    form: str, orientation: int, size: tuple[int, int], red_at: tuple[int, int]
) -> None:
    source = turned(orientation, form)
    assert MARKER in source
    picture = pixels.made_anew(source)
    image = opened(picture.data)

    assert (picture.width, picture.height) == image.size == size
    assert is_near(image.getpixel(red_at), RED)
    assert MARKER not in picture.data


def test_notes_that_cannot_be_read_are_no_fault_of_the_picture() -> None:
    broken = saved(drawn(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")

    assert picture_anew(broken).width == 48


@pytest.mark.parametrize(
    ("size", "expected"),
    [((4096, 1024), (2048, 512)), ((1000, 3000), (683, 2048)), ((9000, 2), (2048, 1)),
     ((2048, 2048), (2048, 2048)), ((1, 1), (1, 1))],
)  # fmt: skip
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_the_longer_side_is_bounded(
    form: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    picture = pixels.made_anew(saved(drawn(size), form))

    assert (picture.width, picture.height) == expected == opened(picture.data).size


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_mode_of_a_png_is_seen_as_it_is(mode: str) -> None:
    source = saved(drawn(mode=mode))
    image = opened(pixels.made_anew(source).data).convert("RGB")

    assert is_near(image.getpixel((5, 5)), opened(source).convert("RGB").getpixel((5, 5)))  # type: ignore[arg-type]


def test_sixteen_bits_of_grey_keep_their_light() -> None:
    grey = Image.frombytes("I;16", (16, 16), (40_000).to_bytes(2, "little") * 256)
    image = opened(pixels.made_anew(saved(grey)).data)

    assert is_near(image.getpixel((8, 8)), (156, 156, 156))


def test_cmyk_becomes_rgb() -> None:
    image = opened(pixels.made_anew(saved(drawn(mode="CMYK"), "JPEG")).data)

    assert image.mode == "RGB"
    assert is_near(image.getpixel((5, 5)), RED)


def test_a_drawing_keeps_its_transparency() -> None:
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    picture = pixels.made_anew(saved(clear, "WEBP", lossless=True))

    assert picture.media_type == "image/png"
    assert opened(picture.data).getpixel((3, 3))[3] == 0  # type: ignore[index]


def test_a_large_one_with_transparency_is_laid_on_white() -> None:
    noise = photograph((2048, 1024)).convert("RGBA")
    noise.paste((0, 0, 0, 0), (0, 0, 100, 100))
    picture = pixels.made_anew(saved(noise))

    assert picture.media_type == "image/jpeg"
    assert is_near(opened(picture.data).getpixel((20, 20)), (255, 255, 255))


def test_the_noisiest_picture_is_small_enough_for_every_server() -> None:
    noise = Image.frombytes("RGB", (2048, 2048), random.Random(1).randbytes(3 * 2048 * 2048))
    picture = pixels.made_anew(saved(noise, "JPEG", quality=95))

    assert len(picture.data) <= pixels.MOST_BYTES
    assert len(picture.data) * 4 / 3 < 5 * 2**20


def test_a_photograph_with_its_preview_is_no_moving_picture() -> None:
    both = saved(photograph(), "MPO", save_all=True, append_images=[drawn()])

    assert pixels.made_anew(both).media_type == "image/jpeg"


# -- Anything at all -------------------------------------------------------------------------

VALID = [
    png(), png(mode="P"), png(mode="LA"), saved(photograph(), "JPEG"),
    saved(photograph(), "JPEG", progressive=True), saved(photograph(), "WEBP"),
    saved(photograph(), "WEBP", lossless=True), turned(6, "JPEG"), moving("PNG"), moving("WEBP"),
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """One of the valid files with some bytes changed, left out, or put in."""
    data = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1))
        how = draw(st.sampled_from(("change", "cut", "insert")))
        if how == "change":
            data[at] = draw(st.integers(0, 255))
        elif how == "cut":
            del data[at : at + draw(st.integers(1, 40))]
        else:
            data[at:at] = draw(st.binary(max_size=40))
        data = data or bytearray(b"\0")
    return bytes(data)


@given(st.one_of(st.binary(max_size=400), mutated()))
@of_hypothesis(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.filterwarnings("ignore")  # Pillow warns of what it finds in broken files
def test_every_file_is_a_picture_or_refused(data: bytes) -> None:
    """In this process, which dies of whatever would have killed the reader."""
    try:
        picture = pixels.made_anew(data)
    except pixels.Refused as refused:
        assert refused.fault in pictures.FAULTS
        return
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    assert max(image.size) <= pixels.LONG_SIDE
    assert len(picture.data) <= pixels.MOST_BYTES
