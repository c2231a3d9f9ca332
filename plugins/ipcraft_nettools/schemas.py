"""Settings of the tools."""

from __future__ import annotations

from marshmallow import ValidationError, fields, validate

from ipcraft.plugin import Schema, readable_by
from ipcraft_nettools.resolvers import Resolver
from ipcraft_nettools.whois_servers import WhoisServer

_RESOLVERS = ("google=8.8.8.8", "cloudflare=1.1.1.1", "quad9=9.9.9.9")
_MOST_RESOLVERS = 8


def _differ(texts: list[str]) -> None:
    names = [text.partition("=")[0] for text in texts]
    if len(set(names)) != len(names):
        raise ValidationError("Two have one name.")


class ToolSettings(Schema):
    """Read ``[plugins.nettools]``."""

    public = fields.Boolean(
        load_default=True,
        metadata={"description": "Whether the tools answer without credentials."},
    )
    disable = fields.List(
        fields.String(),
        load_default=tuple,
        metadata={"description": "Names of the tools that are switched off."},
    )
    requests_per_minute = fields.Integer(
        load_default=10,
        validate=validate.Range(min=1, max=1_000_000),
        metadata={
            "description": "Requests to the tools, all together, that one client may send in a "
            "minute: an IPv4 address, or the /64 of an IPv6 one."
        },
    )
    concurrency = fields.Integer(
        load_default=4,
        validate=validate.Range(min=1, max=1_000),
        metadata={
            "description": "Tools that one process runs at the same moment; the next answers 503. "
            "Fewer than `ipcraft serve` has threads, or slow servers hold all of them."
        },
    )
    resolvers = fields.List(
        fields.String(validate=readable_by(Resolver.of)),
        load_default=_RESOLVERS,
        validate=[validate.Length(min=1, max=_MOST_RESOLVERS), _differ],
        metadata={
            "description": "Whom `dns` and `rdns` ask, `NAME=ADDRESS` or `NAME=ADDRESS:PORT` each."
        },
    )
    whois_server = fields.String(
        load_default="whois.iana.org",
        validate=readable_by(WhoisServer.of),
        metadata={"description": "Where a WHOIS look-up begins, with a port or without."},
    )
    whois_registries = fields.List(
        fields.String(validate=readable_by(WhoisServer.of)),
        load_default=tuple,
        metadata={
            "description": "Servers of registries that may be referred to although they are in "
            "your own network or have a port of their own."
        },
    )
