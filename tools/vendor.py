"""Refresh the browser libraries in arena/core/static/core/vendor from npm.

Each package is named by an exact version and the integrity npm recorded for it, so the same
bytes come back whenever this runs. To move to a newer version, change both in PACKAGES:
`npm view NAME@VERSION dist.integrity` prints the second.
"""

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "arena/core/static/core/vendor"

# collectstatic follows these comments and fails on maps that are not shipped.
SOURCE_MAP = re.compile(rb"^//# sourceMappingURL=.*\n?", re.MULTILINE)

# Every browser that the pages are made for reads WOFF2, so the older forms are not shipped.
OLD_FONTS = re.compile(rb',url\([^)]+\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)')
BINARY = {".woff2"}

KATEX_FONTS = (
    *("AMS-Regular", "Caligraphic-Bold", "Caligraphic-Regular", "Fraktur-Bold", "Fraktur-Regular"),
    *("Main-Bold", "Main-BoldItalic", "Main-Italic", "Main-Regular", "Math-BoldItalic"),
    *("Math-Italic", "SansSerif-Bold", "SansSerif-Italic", "SansSerif-Regular", "Script-Regular"),
    *("Size1-Regular", "Size2-Regular", "Size3-Regular", "Size4-Regular", "Typewriter-Regular"),
)


@dataclass(frozen=True)
class Edit:
    """A change to one stored file that its package has no setting for."""

    stored: str
    old: bytes
    """A regular expression."""
    new: bytes
    times: int


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    licence: str
    integrity: str
    files: dict[str, str]
    """Path inside the package to the name it is stored under."""
    edits: tuple[Edit, ...] = ()


PACKAGES = (
    Package(
        name="markdown-it",
        version="15.0.3",
        licence="MIT",
        integrity=(
            "sha512-+Az7Ojz3iRGu8KYMvJ6xVhvrxP3eE+vEtJX75Ow88XBpcQNV/0lGX5ZynIIBftREo4DC2jsveAMDaeltmm8QvQ=="
        ),
        files={
            "dist/browser/markdown-it.esm.min.mjs": "markdown-it.js",
            "LICENSE": "markdown-it.LICENSE.txt",
        },
    ),
    Package(
        name="dompurify",
        version="3.4.18",
        licence="Apache-2.0 or MPL-2.0",
        integrity=(
            "sha512-ofe3wI/uNm68HInABYFJYqQxRw1EaKAjNdrFVKqjUY+UZurvNd2L/HuQe097s/4RivWiZyP6tT7aoT8atjfhwg=="
        ),
        files={
            "dist/purify.es.mjs": "dompurify.js",
            "LICENSE": "dompurify.LICENSE.txt",
        },
    ),
    # The version that django-htmx 1.29 is made for.
    Package(
        name="htmx.org",
        version="2.0.10",
        licence="0BSD",
        integrity=(
            "sha512-kdeJe7ZVwaS6QMz/ebBIVtZdpwen6L0OQ5GOhPV9MKBb196TCZeZu4yA7ZIQsaLKv7EpXz+So7KSXNuHXhj7Cw=="
        ),
        files={"dist/htmx.min.js": "htmx.js", "LICENSE": "htmx.LICENSE.txt"},
    ),
    # The build that sets a global name: the package's module is not minified, and twice as large.
    Package(
        name="katex",
        version="0.19.1",
        licence="MIT",
        integrity=(
            "sha512-jG8uKntjSEcm2EpQOh0XturpPuuC9r3Sq5HLHdsFdWZT27E672SF19QEi+of0/YeOy15lDgRhKvr5614uRrEfA=="
        ),
        files={
            "dist/katex.min.js": "katex/katex.js",
            "dist/katex.min.css": "katex/katex.css",
            "LICENSE": "katex/LICENSE.txt",
            **{
                f"dist/fonts/KaTeX_{font}.woff2": f"katex/fonts/KaTeX_{font}.woff2"
                for font in KATEX_FONTS
            },
        },
        # The pages' policy allows the way it sets most styles, and refuses those as attributes.
        edits=(
            Edit(
                stored="katex/katex.js",
                old=rb"(\w)\.setAttribute\((\w),(this\.attributes\[\2\])\)",
                new=rb'"style"===\2?\1.style.cssText=\3:\1.setAttribute(\2,\3)',
                times=3,
            ),
            Edit(
                stored="katex/katex.js",
                old=rb"const r=t\[0\],n=t\[1\];e\.setAttribute\(r,n\)",
                new=rb'const r=t[0],n=t[1];"style"===r?e.style.cssText=n:e.setAttribute(r,n)',
                times=1,
            ),
        ),
    ),
    # The same library as the package highlight.js, built for browsers, with its common languages.
    Package(
        name="@highlightjs/cdn-assets",
        version="11.12.0",
        licence="BSD-3-Clause",
        integrity=(
            "sha512-KvOKXODaiFmId9xaq3xc5xCL66wVLUuOngDbO9B/kewbFTqdGbn2nJxNhN3H5R1cgDTVj6R8vH0zgiNDEGjpDw=="
        ),
        files={
            "es/highlight.min.js": "highlight.js",
            "LICENSE": "highlight.LICENSE.txt",
        },
    ),
    # Understands the challenges of the Python package altcha 2. Its modules name each other by
    # where they are, so they keep their folders.
    Package(
        name="altcha-lib",
        version="2.8.0",
        licence="MIT",
        integrity=(
            "sha512-at1DAqS8u6Z+XbPV2xQd/oATDTxYN83gITqIfsCSz7a2ENqUNIvn9h9xPuAbjeQ3JFqrW8KCjinphhm+bUrRzQ=="
        ),
        files={
            "dist/esm/v2/pow.js": "altcha/pow.js",
            "dist/esm/v2/helpers.js": "altcha/helpers.js",
            "dist/esm/v2/types.js": "altcha/types.js",
            "dist/esm/v2/workers/shared.js": "altcha/workers/shared.js",
            "dist/esm/v2/algorithms/web/pbkdf2.js": "altcha/algorithms/web/pbkdf2.js",
            "LICENSE.txt": "altcha/LICENSE.txt",
        },
    ),
    # Charts come to the browser compiled for Vega, so Vega-Lite need not.
    Package(
        name="vega",
        version="6.4.0",
        licence="BSD-3-Clause",
        integrity=(
            "sha512-rHXCq2LpEWCLMjXBEj7hocY9G0/i5TGYRayGGSj06VTF4+l2IG2Z7oeZKCjWbUh/7hTE/mVhbaOPB72wCElh6g=="
        ),
        files={"build/vega.min.js": "vega/vega.js", "LICENSE": "vega/LICENSE.txt"},
    ),
    # With the interpreter and the tooltips in it.
    Package(
        name="vega-embed",
        version="7.3.0",
        licence="BSD-3-Clause",
        integrity=(
            "sha512-wQ8s5GaSzqoKgmRfbRolgBrjE2CP7ZKHXqH7NijxMqPjpdWxSs4Dn8tvp9g0giQvh2cK+3p56sxjWWM0wNngGw=="
        ),
        files={
            "build/vega-embed.min.js": "vega/embed.js",
            "LICENSE": "vega/embed.LICENSE.txt",
        },
    ),
)


class VendorError(Exception):
    """A package could not be fetched, or is not the one that was pinned."""


def fetch(package: Package, folder: Path) -> bytes:
    """The package's tarball, checked against its pinned integrity."""
    wanted = f"{package.name}@{package.version}"
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), wanted]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise VendorError("npm was not found: install Node.js to refresh the libraries.") from error
    except subprocess.CalledProcessError as error:
        raise VendorError(f"npm could not fetch {wanted}: {error.stderr.strip()}") from error
    tarball = (folder / done.stdout.split()[-1]).read_bytes()
    found = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    if found != package.integrity:
        raise VendorError(f"{wanted} is not the package that was pinned: it has {found}.")
    return tarball


def edited(package: Package, stored: str, content: bytes) -> bytes:
    """The file with the package's edits of it. Raises VendorError where one does not fit."""
    for edit in package.edits:
        if edit.stored != stored:
            continue
        content, times = re.subn(edit.old, edit.new, content)
        if times != edit.times:
            raise VendorError(f"{stored}: an edit fits {times} times and not {edit.times}.")
    return content


def shipped(content: bytes, suffix: str) -> bytes:
    """What is stored of a file: all of it, less what would name files that are not shipped."""
    if suffix in BINARY:
        return content
    if suffix == ".css":
        content = OLD_FONTS.sub(b"", content)
    return SOURCE_MAP.sub(b"", content).rstrip() + b"\n"


def unpack(package: Package, tarball: bytes) -> dict[str, str]:
    """Write the package's files; return the SHA-256 of each by its stored name."""
    digests = {}
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        for inside, stored in package.files.items():
            member = archive.extractfile(f"package/{inside}")
            if member is None:
                raise VendorError(f"{package.name} {package.version} has no file {inside}.")
            content = shipped(edited(package, stored, member.read()), Path(stored).suffix)
            (VENDOR / stored).parent.mkdir(exist_ok=True, parents=True)
            (VENDOR / stored).write_bytes(content)
            digests[stored] = hashlib.sha256(content).hexdigest()
    return digests


def main() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    versions = []
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            digests = unpack(package, fetch(package, Path(folder)))
            versions.append(
                {
                    "name": package.name,
                    "version": package.version,
                    "licence": package.licence,
                    "sha256": digests,
                }
            )
            print(f"{package.name} {package.version}")
    (VENDOR / "VERSIONS.json").write_text(json.dumps(versions, indent=2) + "\n")


if __name__ == "__main__":
    try:
        main()
    except VendorError as error:
        sys.exit(str(error))
