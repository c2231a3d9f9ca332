"""Look-ups in the DNS: a name's records, and an address's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from marshmallow import fields, validate

from ipcraft.plugin import Unreachable
from ipcraft_nettools.calls import Call
from ipcraft_nettools.parameters import DomainName, IPAddress, Parameters
from ipcraft_nettools.resolvers import DEADLINE, Reply, Resolver, ask_all
from ipcraft_nettools.tools import Finding, NetworkTool

TYPES = ("A", "AAAA", "MX", "TXT", "NS", "CNAME", "SOA")
"""The types of records that can be asked for."""


class Failure(TypedDict):
    """Why a resolver is no help."""

    error: str


class NameRecords(TypedDict):
    """What the resolvers say about a name.

    `status` is the DNS's word for the first answer there is, such as ``NXDOMAIN``, null without
    one; `statuses` has each resolver's own.
    """

    domain: str
    type: str
    resolvers: dict[str, list[str] | Failure]
    status: str | None
    statuses: dict[str, str | None]


class AddressNames(TypedDict):
    """The names of an address: those of the first resolver that answers, and each one's."""

    ip: str
    hostnames: list[str]
    resolvers: dict[str, list[str] | Failure]
    status: str | None
    statuses: dict[str, str | None]


class _RecordType(fields.String):
    """Read a type in upper or lower case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        return text.upper()


class _Name(Parameters):
    domain = DomainName(required=True, metadata={"description": "The domain name."})
    type = _RecordType(
        required=True,
        validate=validate.OneOf(TYPES),
        metadata={"description": "The type of the records."},
    )


class _Address(Parameters):
    ip = IPAddress(required=True, metadata={"description": "The IP address."})


def name_tool(resolvers: Sequence[Resolver]) -> NetworkTool:
    """Make the tool `dns`."""

    def run(values: Mapping[str, Any], call: Call) -> Finding:
        import dns.name

        name = dns.name.from_text(values["domain"])
        replies = ask_all(resolvers, name, values["type"], seconds=_seconds(call))
        body = NameRecords(
            domain=values["domain"],
            type=values["type"],
            resolvers=_shown(replies),
            status=_status(replies.values()),
            statuses={each: reply.status for each, reply in replies.items()},
        )
        return Finding(body, ttl=_ttl(replies.values()))

    return NetworkTool(
        name="dns",
        summary="Look a name up in the DNS, with several independent resolvers.",
        parameters=_Name,
        answer=NameRecords,
        run=run,
    )


def address_tool(resolvers: Sequence[Resolver]) -> NetworkTool:
    """Make the tool `rdns`."""

    def run(values: Mapping[str, Any], call: Call) -> Finding:
        import dns.reversename

        (address,) = call.addresses(values["ip"])
        name = dns.reversename.from_address(str(address))
        replies = ask_all(resolvers, name, "PTR", seconds=_seconds(call))
        first = next((each for each in replies.values() if each.error is None), None)
        if first is None:
            failures = (f"{each} {reply.error}" for each, reply in replies.items())
            raise Unreachable("; ".join(failures))
        body = AddressNames(
            ip=values["ip"],
            hostnames=list(first.records),
            resolvers=_shown(replies),
            status=first.status,
            statuses={each: reply.status for each, reply in replies.items()},
        )
        return Finding(body, ttl=_ttl(replies.values()))

    return NetworkTool(
        name="rdns",
        summary="Look up the names of an address in the DNS.",
        parameters=_Address,
        answer=AddressNames,
        run=run,
    )


def _seconds(call: Call) -> float:
    return min(call.deadline.remaining(), DEADLINE)


def _shown(replies: Mapping[str, Reply]) -> dict[str, list[str] | Failure]:
    return {
        name: list(reply.records) if reply.error is None else Failure(error=reply.error)
        for name, reply in replies.items()
    }


def _status(replies: Iterable[Reply]) -> str | None:
    return next((each.status for each in replies if each.status), None)


def _ttl(replies: Iterable[Reply]) -> int | None:
    """Give the shortest time; a failure may be over at any moment."""
    times = [each.ttl for each in replies]
    known = [each for each in times if each is not None]
    return min(known) if known and len(known) == len(times) else None
