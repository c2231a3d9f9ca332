"""Whether a host can be reached, and at which of the common ports."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any, NotRequired, TypedDict

from marshmallow import fields, validate

from ipcraft.plugin import Probe, Unreachable
from ipcraft_nettools.calls import Call
from ipcraft_nettools.parameters import HostName, Parameters
from ipcraft_nettools.tools import Finding, NetworkTool

SERVICES = {
    21: "ftp",
    22: "ssh",
    23: "telnet",
    25: "smtp",
    53: "dns",
    80: "http",
    110: "pop3",
    143: "imap",
    443: "https",
    445: "smb",
    465: "smtps",
    587: "submission",
    993: "imaps",
    995: "pop3s",
    3306: "mysql",
    3389: "rdp",
    5432: "postgresql",
    8080: "http-alt",
    8443: "https-alt",
}
"""The ports that are scanned."""

_TRIED = (443, 80)
_TRIES_WITHIN = 3.0
_PING_WITHIN = 8.0
_SCAN_WITHIN = 2.5
_LAST_PORT = 65535


class Reachability(TypedDict):
    """Whether a host answers; a refused connection is an answer, too.

    `latency_ms` and `port` are those of the answer, null without one; `error` says why then.
    """

    host: str
    reachable: bool
    latency_ms: int | None
    port: int | None
    error: NotRequired[str]


class Port(TypedDict):
    """Whether a port takes connections."""

    port: int
    service: str
    open: bool
    error: NotRequired[str]


class Ports(TypedDict):
    """What a host's ports say; `error` says why there is nothing to scan."""

    host: str
    ports: list[Port]
    error: NotRequired[str]


class _Ping(Parameters):
    host = HostName(required=True, metadata={"description": "The host's name or address."})
    port = fields.Integer(
        load_default=None,
        validate=validate.Range(1, _LAST_PORT),
        metadata={"description": "The port to try, instead of 443 and then 80."},
    )


class _Scan(Parameters):
    host = HostName(required=True, metadata={"description": "The host's name or address."})


def ping(values: Mapping[str, Any], call: Call) -> Finding:
    """Connect to a port of the host, and to the next where nobody answers."""
    ports = (values["port"],) if values["port"] else _TRIED
    try:
        answer = next(
            filter(None, (_first_answer(call, values["host"], each) for each in ports)), None
        )
    except Unreachable as error:
        return Finding(_unreached(values["host"], error.reason))
    if answer is None:
        tried = " and ".join(str(port) for port in ports)
        return Finding(_unreached(values["host"], f"there is no answer from port {tried}"))
    return Finding(
        Reachability(
            host=values["host"],
            reachable=True,
            latency_ms=round(answer.seconds * 1000),
            port=answer.port,
        )
    )


def scan(values: Mapping[str, Any], call: Call) -> Finding:
    """Connect to all the ports at once."""
    host = values["host"]
    try:
        with closing(call.probe(host, list(SERVICES), within=_SCAN_WITHIN)) as probes:
            found = list(probes)
    except Unreachable as error:
        return Finding(Ports(host=host, ports=_ports([]), error=error.reason))
    return Finding(Ports(host=host, ports=_ports(found)))


def _first_answer(call: Call, host: str, port: int) -> Probe | None:
    """Give what one of the host's addresses says first."""
    with closing(call.probe(host, [port], within=_TRIES_WITHIN)) as probes:
        return next((each for each in probes if each.answered), None)


def _unreached(host: str, why: str) -> Reachability:
    return Reachability(host=host, reachable=False, latency_ms=None, port=None, error=why)


def _ports(probes: list[Probe]) -> list[Port]:
    open_ports = {each.port for each in probes if each.outcome == "open"}
    forbidden = {each.port for each in probes if each.outcome == "forbidden"}
    return [
        _port(port, is_open=port in open_ports, is_forbidden=port in forbidden) for port in SERVICES
    ]


def _port(number: int, *, is_open: bool, is_forbidden: bool) -> Port:
    port = Port(port=number, service=SERVICES[number], open=is_open)
    if is_forbidden:
        port["error"] = "this port may not be reached from here"
    return port


PING = NetworkTool(
    name="ping",
    summary="Check with TCP whether a host can be reached.",
    parameters=_Ping,
    answer=Reachability,
    run=ping,
    deadline=_PING_WITHIN,
)
SCAN = NetworkTool(
    name="ports",
    summary="Check which of 19 common ports of a host are open.",
    parameters=_Scan,
    answer=Ports,
    run=scan,
    deadline=_SCAN_WITHIN,
)
