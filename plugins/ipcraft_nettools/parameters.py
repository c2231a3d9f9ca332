"""Parameters of tools: texts read as what they name, before anything is done with them."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields

from ipcraft.plugin import Host, Query, Refused, read_host


class Parameters(Query):
    """Read the parameters of a tool, which are texts; those that no field names are left alone.

    >>> from marshmallow import fields
    >>> class Ping(Parameters):
    ...     host = HostName(required=True)
    ...     port = fields.Integer(load_default=443)
    >>> Ping().load({"host": "Example.COM", "port": "80"})
    {'host': 'example.com', 'port': 80}
    """


class HostOrAddress(fields.String):
    """Read a host's name or address, in any spelling, as it is in ASCII and lower case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return self._read(super()._deserialize(value, attr, data, **kwargs)).name

    def _read(self, text: str) -> Host:
        try:
            return read_host(text)
        except Refused as error:
            raise ValidationError(error.reason) from error


class HostName(HostOrAddress):
    """Read the host that is the target of a tool: a name or an address."""


class DomainName(HostOrAddress):
    """Read a name in the DNS; internationalized ones become ASCII (UTS 46)."""

    def _read(self, text: str) -> Host:
        host = super()._read(text)
        if host.address is not None:
            raise ValidationError("must be a domain name, not an address")
        return host


class IPAddress(HostOrAddress):
    """Read an address, as text in its usual spelling."""

    def _read(self, text: str) -> Host:
        host = super()._read(text)
        if host.address is None:
            raise ValidationError("must be an IP address, not a name")
        return host
