"""The address ranges that Amazon Web Services publishes.

The file lists a network once for each service that uses it; here it is one subnet, named after
the services and the region. Source: https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-syntax.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ipcraft_interchange.entries import Entry, Found, Problem
from ipcraft_interchange.files.documents import Document, keys_of
from ipcraft_interchange.files.json_items import Item
from ipcraft_interchange.importers import Importer, Mapped

_LISTS: Mapping[str, str] = {"prefixes": "ip_prefix", "ipv6_prefixes": "ipv6_prefix"}
_EVERY_SERVICE = "AMAZON"


@dataclass(slots=True)
class _Merged:
    """Collect what the file says of one network in several places."""

    line: int
    column: str
    services: dict[str, None] = field(default_factory=dict)
    regions: dict[str, None] = field(default_factory=dict)
    groups: dict[str, None] = field(default_factory=dict)

    def entry(self, network: str) -> Entry:
        own = [service for service in self.services if service != _EVERY_SERVICE]
        name = f"{'/'.join(own or [_EVERY_SERVICE])} {'/'.join(self.regions)}".strip()
        values = {"network": network, "name": name, "description": ", ".join(self.services)}
        lost = () if self.groups.keys() <= self.regions.keys() else ("network_border_group",)
        return Entry("subnet", values, self.line, {"network": self.column}, lost)


def _recognizes(document: Document) -> bool:
    return any(
        {_LISTS[item.key], "service"} <= keys_of(item.value)
        for item in document.sample
        if item.key in _LISTS and item.index == 0
    )


def _read(document: Document, mapped: Mapped) -> Iterator[Found]:
    merged: dict[str, _Merged] = {}
    for item in document.items():
        if item.key not in _LISTS or item.index is None:
            continue
        network = item.value.get(_LISTS[item.key]) if isinstance(item.value, dict) else None
        if not isinstance(network, str):
            yield Problem(item.line, f"{item.path} has no {_LISTS[item.key]}", str(item.column))
            continue
        _add(merged, network, item)
    for network, one in merged.items():
        yield one.entry(network)


def _add(merged: dict[str, _Merged], network: str, item: Item) -> None:
    values: Mapping[str, Any] = item.value
    one = merged.setdefault(network, _Merged(item.line, f"{item.path}.{_LISTS[item.key]}"))
    one.services[str(values.get("service", _EVERY_SERVICE))] = None
    one.regions[str(values.get("region", ""))] = None
    one.groups[str(values.get("network_border_group", ""))] = None


AMAZON: Sequence[Importer] = (Importer("amazon", "Amazon's ip-ranges.json", _recognizes, _read),)
