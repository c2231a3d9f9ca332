"""Targets: what a URL names, read strictly.

What parsers disagree about is refused instead of mended: userinfo, backslashes, blanks, control
characters. So nobody is told of one host and led to another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ipcraft.outbound.failures import Refused
from ipcraft.outbound.hosts import Host, read_host

DEFAULT_PORTS = {"http": 80, "https": 443}
"""The schemes there are, each with its port."""

_LONGEST = 8000
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*).*")
_AUTHORITY = re.compile(r"(?:\[(?P<ipv6>[^\[\]]*)\]|(?P<host>[^\[\]:]+))(?::(?P<port>[0-9]{1,5}))?")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Target:
    """Hold where a request goes."""

    scheme: str
    host: Host
    port: int
    path: str
    """Path and query, as the request line has them."""

    @property
    def authority(self) -> str:
        """Give the value of the header Host."""
        if self.port == DEFAULT_PORTS[self.scheme]:
            return str(self.host)
        return f"{self.host}:{self.port}"

    @property
    def encrypted(self) -> bool:
        """Tell whether the connection is one of TLS."""
        return self.scheme == "https"


def read_url(text: str) -> Target:
    """Read a URL; what follows a # is left out. Raises `Refused` saying what is wrong.

    >>> read_url("https://example.com:8443/hook?a=1").authority
    'example.com:8443'
    """
    if len(text) > _LONGEST:
        raise Refused(f"the URL is longer than {_LONGEST} characters")
    if _FORBIDDEN.search(text):
        raise Refused("there is a blank, a control character or a backslash in the URL")
    match = _URL.fullmatch(text)
    scheme = match["scheme"].lower() if match else ""
    if match is None or scheme not in DEFAULT_PORTS:
        raise Refused("the URL does not begin with http:// or https://")
    host, port = _read_authority(match["authority"])
    return Target(scheme, host, port or DEFAULT_PORTS[scheme], _read_path(match["rest"]))


def _read_authority(text: str) -> tuple[Host, int | None]:
    if "@" in text:
        raise Refused("there is a user name in the URL")
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        raise Refused("the URL has no host, or something else than a port behind it")
    return _read_bracketed(match["ipv6"], match["host"]), _read_port(match["port"])


def _read_bracketed(ipv6: str | None, host: str) -> Host:
    if ipv6 is None:
        return read_host(host)
    if ":" not in ipv6:
        raise Refused("there is no IPv6 address in the brackets")
    return read_host(ipv6)


def _read_port(text: str | None) -> int | None:
    if text is None:
        return None
    port = int(text)
    if not 1 <= port <= _LAST_PORT:
        raise Refused(f"there is no port {text}")
    return port


def _read_path(text: str) -> str:
    if not text.isascii():
        raise Refused("there is a character beyond ASCII in the path: percent-encode it")
    return text if text.startswith("/") else f"/{text}"
