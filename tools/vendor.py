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


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    licence: str
    integrity: str
    files: dict[str, str]
    """Path inside the package to the name it is stored under."""


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


def unpack(package: Package, tarball: bytes) -> dict[str, str]:
    """Write the package's files; return the SHA-256 of each by its stored name."""
    digests = {}
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        for inside, stored in package.files.items():
            member = archive.extractfile(f"package/{inside}")
            if member is None:
                raise VendorError(f"{package.name} {package.version} has no file {inside}.")
            content = SOURCE_MAP.sub(b"", member.read()).rstrip() + b"\n"
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
