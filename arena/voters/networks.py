"""Where a request comes from: an address for the moment, and a keyed hash of its network.

The network is the IPv4 address, or the first half of an IPv6 address: whoever has one IPv6
address usually has all 2⁶⁴ that share it, and would be a new person with each.
"""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

Address = IPv4Address | IPv6Address

IPV6_NETWORK_BYTES = 8


def address_of(scope: Mapping[str, Any]) -> Address | None:
    """The client's address by an ASGI scope; None where the server knows none.

    X-Forwarded-For is believed as far as settings.TRUSTED_PROXIES proxies wrote it: each adds
    the address that connected to it at the right end, so the n-th entry from the right is what
    the outermost of them saw, and all to the left of it is the client's own invention. A header
    with fewer entries did not come by all of them; then, and where the entry is no address, the
    address that connected to this process counts, which no header can change.
    """
    header = ",".join(
        value.decode("latin-1")
        for name, value in scope["headers"]
        if name.lower() == b"x-forwarded-for"
    )
    client = scope.get("client")
    return chosen(header, str(client[0]) if client else "")


def address_of_request(request: HttpRequest) -> Address | None:
    """The same for a request, whichever kind of server took it."""
    return chosen(
        request.META.get("HTTP_X_FORWARDED_FOR", ""), request.META.get("REMOTE_ADDR") or ""
    )


def chosen(header: str, peer: str) -> Address | None:
    entries = header.split(",")
    proxies = settings.TRUSTED_PROXIES
    forwarded = parsed(entries[-proxies]) if 0 < proxies <= len(entries) else None
    return forwarded or parsed(peer)


def parsed(text: str) -> Address | None:
    """The address in `1.2.3.4`, `1.2.3.4:56`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:56`.

    An IPv4 address in IPv6 clothes is the IPv4 address: else its owner had two networks.
    """
    for form in forms(text.strip()):
        try:
            address = ip_address(form)
        except ValueError:
            continue
        return getattr(address, "ipv4_mapped", None) or address
    return None


def forms(text: str) -> Iterator[str]:
    """What the address may be within an entry, without brackets and port."""
    yield text
    bracketed, bracket, _ = text.removeprefix("[").partition("]")
    yield bracketed if bracket else text.partition(":")[0]


def network_of(address: Address) -> bytes:
    """The network that an address belongs to: 4 bytes for IPv4, 8 for IPv6."""
    if isinstance(address, IPv4Address):
        return address.packed
    return address.packed[:IPV6_NETWORK_BYTES]


def network_hash(address: Address, secret: str) -> str:
    """The keyed hash of the address's network, as 64 hexadecimal digits.

    SECRET_KEY takes part beside the secret, so that a copy of the database alone, such as a
    backup, does not suffice to find out networks by trying them all.
    """
    return salted_hmac(secret, network_of(address), algorithm="sha256").hexdigest()
