"""Addresses as settings give them: of brokers, and of this worker's HTTP server."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"(?:\[(?P<ip6>[^\]]*)\]|(?P<host>[\w.-]+))(?::(?P<port>[0-9]{1,5}))?")
EVERYWHERE = ("0.0.0.0", "::", "")
"""Hosts that stand for all addresses of this machine; others cannot be told to ask there."""


def is_address(item: str) -> bool:
    """Whether it is ``host``, ``host:port``, or an IPv6 address in brackets instead of a host."""
    found = _ADDRESS.fullmatch(item)
    if found is None or not 1 <= int(found["port"] or 9_092) <= 65_535:
        return False
    try:
        return found["ip6"] is None or bool(ipaddress.IPv6Address(found["ip6"]))
    except ValueError:
        return False


def is_url(url: str) -> bool:
    """Whether paths can be put behind it: of a server, without credentials or a query."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = not re.search(r"[\s?#@\\]", url) and url.isprintable()
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and plain


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a name other than localhost may be anything."""
    name = host.lower().rstrip(".").removeprefix("[").removesuffix("]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
