"""Look-ups in WHOIS: who a domain or an address is registered to.

A look-up begins at one server, by default IANA's, which knows the registry of each top-level
domain and of each block of addresses. The registry that it names is asked, and nobody else: what a
registry refers to may be anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, TypedDict

from ipcraft.plugin import OutboundError, Unreachable, read_host
from ipcraft_nettools.calls import Call
from ipcraft_nettools.parameters import HostOrAddress, Parameters
from ipcraft_nettools.tools import Finding, NetworkTool
from ipcraft_nettools.whois_records import Parsed, parse_domain, parse_network
from ipcraft_nettools.whois_servers import PORT, Transcript, WhoisServer, converse

ADDRESS_REGISTRIES = frozenset(
    {"whois.afrinic.net", "whois.apnic.net", "whois.arin.net", "whois.lacnic.net", "whois.ripe.net"}
)
"""The servers of the five registries that hand addresses out."""

_FIRST_WITHIN = 5.0
_REFERRING = ("refer", "whois")
_MOST_LINES = 500
_LONGEST_NAME = 300


class Registration(TypedDict):
    """What a registry says: its text as it came, and the fields that are certain.

    `server` is who said it; not `complete`: the text was cut. `warnings` say what could not be
    found out.
    """

    query: str
    raw: str
    server: str
    complete: bool
    parsed: Parsed
    warnings: list[str]


class _Query(Parameters):
    query = HostOrAddress(required=True, metadata={"description": "The domain name or IP address."})


def whois_tool(start: WhoisServer, *, registries: Sequence[WhoisServer]) -> NetworkTool:
    """Make the tool `whois`, which begins at a server and knows the operator's registries."""
    lookup = _Lookup(start, {each.host: each for each in registries})
    return NetworkTool(
        name="whois",
        summary="Look up who a domain or an address is registered to.",
        parameters=_Query,
        answer=Registration,
        run=lookup.run,
    )


class _Lookup:
    """Ask the first server, and the registry that it names."""

    def __init__(self, start: WhoisServer, registries: Mapping[str, WhoisServer]) -> None:
        self._start = start
        self._registries = registries

    def run(self, values: Mapping[str, Any], call: Call) -> Finding:
        """Give what the registry says, or what the first server says where there is none."""
        host = read_host(values["query"])
        address, query = host.address, str(host.address or host.name)
        if address is not None:
            call.addresses(query)  # which judges it
        opened = call.connect_trusted(self._start.host, self._start.port, within=_FIRST_WITHIN)
        first = converse(opened, self._start, query, deadline=call.within(_FIRST_WITHIN))
        try:
            found, warnings = self._follow(first, query, address, call), []
        except OutboundError as error:
            found, warnings = first, [f"The registry was not asked: {error.reason}"]
        parsed = parse_network(found.text, address) if address else parse_domain(found.text, query)
        return Finding(
            Registration(
                query=query,
                raw=found.text,
                server=str(found.server),
                complete=found.complete,
                parsed=parsed,
                warnings=warnings,
            )
        )

    def _follow(
        self, first: Transcript, query: str, address: IPv4Address | IPv6Address | None, call: Call
    ) -> Transcript:
        """Ask the registry, if one is named; the first answer is the last one if none is.

        Raises `OutboundError` for one that cannot, or must not, be asked.
        """
        named = referral(first.text)
        if named is None:
            return first
        server = self._known(named, of_addresses=address is not None)
        if server == self._start:
            return first
        trusted = server.host in self._registries
        connect = call.connect_trusted if trusted else call.connect
        return converse(connect(server.host, server.port), server, query, deadline=call.deadline)

    def _known(self, named: str, *, of_addresses: bool) -> WhoisServer:
        """Give the server that is meant. Raises `Unreachable` for one that is no registry's."""
        try:
            server = WhoisServer.of(named)
        except ValueError as error:
            raise Unreachable(f"{self._start} refers to what is no server") from error
        if server == self._start:
            return server
        if server.host in self._registries:
            return self._registries[server.host]
        known = server.host in ADDRESS_REGISTRIES if of_addresses else _address(server.host) is None
        if not known or server.port != PORT:
            raise Unreachable(f"{self._start} refers to {server}, which is no known registry")
        return server


def referral(text: str) -> str | None:
    """Give the registry that an answer of IANA names, as it is written there."""
    named: dict[str, str] = {}
    for line in text.split("\n", _MOST_LINES)[:_MOST_LINES]:
        key, _, value = line.partition(":")
        if key in _REFERRING and value.strip():
            named.setdefault(key, value.strip()[:_LONGEST_NAME])
    return next((named[key] for key in _REFERRING if key in named), None)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
