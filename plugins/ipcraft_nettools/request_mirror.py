"""What a request says of its sender: the address, and the headers without their secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, NotRequired, TypedDict

from ipcraft.plugin import client_network
from ipcraft_nettools.calls import Asker, Call
from ipcraft_nettools.parameters import Parameters
from ipcraft_nettools.tools import Finding, NetworkTool

_KEPT = 64 * 1024
"""Characters of headers that are sent back."""

# APPSEC: whoever looks at an answer, or keeps it, must not get a session or a key out of it. To
# withhold a header too many does no harm.
_SECRET_NAMES = re.compile(
    "assertion|auth|cert|cookie|credential|csrf|dpop|jwt|key|oidc|passphrase|passw|private|secret|"
    "session|signature|token|xsrf"
)
_CREDENTIALS = re.compile(
    r"(basic|bearer|digest|hoba|mutual|negotiate|ntlm|token|(scram|aws4)-[a-z0-9-]{1,16}) "
)
_TOKENS = re.compile(r"\b(ipc_|whsec_|eyj[0-9a-z_-]{8})|://[^/\s:@]*:[^/\s@]*@")
_OF_PROXIES = re.compile(r"(Forwarded|Via|X-Forwarded-.+|X-Real-Ip|X-Original-.+|X-Envoy-.+)")


class ClientAddress(TypedDict):
    """The address a request comes from, and the network that counts as one client."""

    ip: str
    version: NotRequired[int]
    network: NotRequired[str]


class RequestHeaders(TypedDict):
    """The headers of a request; of those that hold secrets only the names are told."""

    headers: dict[str, str]
    withheld: list[str]


def my_ip(values: Mapping[str, Any], call: Call) -> Finding:
    """Give the address of who asks."""
    asker = _asker(call)
    text = asker.address.partition("%")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return Finding(ClientAddress(ip=text))  # a socket of this machine has none
    address = getattr(address, "ipv4_mapped", None) or address
    return Finding(
        ClientAddress(
            ip=str(address), version=address.version, network=client_network(str(address))
        )
    )


def my_headers(values: Mapping[str, Any], call: Call) -> Finding:
    """Give the headers that the client sent: none that hold secrets, none that a proxy added."""
    asker = _asker(call)
    sent = {
        name: value
        for name, value in asker.headers.items()
        if not (asker.proxied and _OF_PROXIES.fullmatch(name))
    }
    withheld = [name for name, value in sent.items() if _is_secret(name, value)]
    shown = _bounded((name, value) for name, value in sent.items() if name not in withheld)
    return Finding(RequestHeaders(headers=dict(shown), withheld=withheld))


def _asker(call: Call) -> Asker:
    if call.asker is None:
        raise LookupError("this tool tells of a request, and there is none")
    return call.asker


def _is_secret(name: str, value: str) -> bool:
    if _SECRET_NAMES.search(name.lower()):
        return True
    value = value.lower()
    return bool(_CREDENTIALS.match(value) or _TOKENS.search(value))


def _bounded(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    left = _KEPT
    for name, value in headers:
        left -= len(name) + len(value)
        if left < 0:
            return
        yield name, value


MY_IP = NetworkTool(
    name="myip",
    summary="Tell the address that a request comes from.",
    parameters=Parameters,
    answer=ClientAddress,
    run=my_ip,
    about_request=True,
)
MY_HEADERS = NetworkTool(
    name="headers",
    summary="Tell the headers that a request has, those with secrets left out.",
    parameters=Parameters,
    answer=RequestHeaders,
    run=my_headers,
    about_request=True,
)
