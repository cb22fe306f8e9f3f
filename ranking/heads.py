"""Heads: one signed line per publication, kept where the arena cannot rewrite it.

Whoever owns the arena could compute a whole other history whose hashes all fit. A line kept
elsewhere, that names the publication and the chain's head, makes that visible.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ranking.errors import SnapshotError, VerificationError
from ranking.snapshots import canonical

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

STATED = frozenset({"number", "snapshot", "previous", "head", "published_at"})


def head_line(statement: Mapping[str, Any], private_key: bytes | None = None) -> str:
    """The line of a statement: canonical JSON, without its end of line.

    private_key: an Ed25519 key as PEM; the line then carries `signature`, base64, over the
    canonical text of the rest. Raises SnapshotError where it is no such key.
    """
    if private_key is None:
        return canonical(statement)
    signature = _signed(canonical(statement).encode(), private_key)
    return canonical({**statement, "signature": base64.b64encode(signature).decode()})


def _signed(message: bytes, pem: bytes) -> bytes:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(pem, password=None)
    except (ImportError, ValueError, TypeError) as error:
        raise SnapshotError(f"The private key cannot be used ({error}). {_MAKE_KEY}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SnapshotError(f"The private key is of another kind than Ed25519. {_MAKE_KEY}")
    return key.sign(message)


_MAKE_KEY = "Make one with: openssl genpkey -algorithm ed25519 -out head.pem"


def read_heads(path: Path, public_key: Path | None = None) -> dict[int, dict[str, Any]]:
    """The statements of a file of heads by number, each signed and each naming the one before.

    Raises SnapshotError where file or key cannot be read, and VerificationError for a line that
    is no statement, contradicts another, does not follow the one before, or whose signature is
    not that of `public_key` (without a key signatures are not looked at).
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be read ({error.strerror or error}).") from error
    key = None if public_key is None else _public_key(public_key)
    heads: dict[int, dict[str, Any]] = {}
    for number, line in enumerate(lines, start=1):
        place = f"line {number}"
        head = _statement(path, place, line, key)
        if heads.setdefault(head["number"], head) != head:
            raise VerificationError(
                f"{place} states another publication {head['number']} than a line before it.",
                file=path,
                where=place,
            )
    _check_chain(path, heads)
    return heads


def _statement(path: Path, place: str, line: bytes, key: Ed25519PublicKey | None) -> dict[str, Any]:
    try:
        read = json.loads(line)
        signature = base64.b64decode(read.pop("signature", ""), validate=True)
        stated = set(read) == STATED and type(read["number"]) is int
        stated = stated and all(isinstance(read[name], str) for name in STATED - {"number"})
    except (ValueError, AttributeError, TypeError, RecursionError):
        stated = False
    if not stated:
        message = f"{place} is no statement on a publication."
        raise VerificationError(message, file=path, where=place)
    if key is not None and not _is_signed(canonical(read).encode(), signature, key):
        raise VerificationError(
            f"{place} (publication {read['number']}) is not signed by this key.",
            file=path,
            where=place,
        )
    statement: dict[str, Any] = read
    return statement


def _is_signed(message: bytes, signature: bytes, key: Ed25519PublicKey) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _public_key(path: Path) -> Ed25519PublicKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        key = load_pem_public_key(path.read_bytes())
    except ImportError as error:
        raise SnapshotError("Signatures need the package cryptography. Install it.") from error
    except (OSError, ValueError) as error:
        raise SnapshotError(f"{path}: is not a readable public key in PEM ({error}).") from error
    if not isinstance(key, Ed25519PublicKey):
        raise SnapshotError(f"{path}: is a key of another kind than Ed25519.")
    return key


def _check_chain(path: Path, heads: Mapping[int, Mapping[str, Any]]) -> None:
    for before, after in pairwise(sorted(heads)):
        follows = heads[after]["previous"] == heads[before]["snapshot"]
        if after == before + 1 and not follows:
            raise VerificationError(
                f"publication {after} does not name publication {before} as the one before.",
                file=path,
                where=f"publication {after}",
                published=heads[after]["previous"],
                recomputed=heads[before]["snapshot"],
            )
