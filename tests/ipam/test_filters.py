"""Every combination of filters: its rows match each of them, and its pages are parts of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any

import pytest

from ipcraft.testing.organizations import Organization

OF_ADDRESSES = {
    "vrf_id": ["", "{vrf}"],
    "mac_address": ["00:1a:2b:3c:4d:5e"],
    "hostname": ["web"],
    "status": ["active", "reserved"],
    "owner": ["ops"],
    "ip": ["10.0.0.1", "10.0.9.9"],
}
OF_SUBNETS = {
    "vrf_id": ["", "{vrf}"],
    "section_id": ["{section}", ""],
    "parent_id": ["{root}", ""],
    "vlan_id": ["{vlan}", ""],
    "network": ["10.0.1.0/24"],
    "contains": ["10.0.1.7"],
}
LISTS = {
    "/api/v1/addresses": OF_ADDRESSES,
    "/api/v1/subnets/{root}/addresses": OF_ADDRESSES,
    "/api/v1/subnets/{leaf}/addresses": OF_ADDRESSES,
    "/api/v1/subnets": OF_SUBNETS,
}
PAGES = ((2, 0), (2, 1), (100, 0))


@pytest.mark.parametrize("path", LISTS)
def test_filters_together_give_what_each_of_them_gives(
    organization: Organization, ids: dict[str, str], path: str
) -> None:
    """With limit and without, and the total is their number."""
    found = {
        filters: rows(organization, path.format(**ids), query(filters).format(**ids))
        for filters in every_combination(LISTS[path])
    }
    for filters, whole in found.items():
        wanted = [found[frozenset({each})] for each in filters]
        matching = [row for row in found[frozenset()] if all(row in each for each in wanted)]
        assert sorted(whole, key=by_id) == sorted(matching, key=by_id), filters


def rows(organization: Organization, path: str, filters: str) -> list[dict[str, Any]]:
    """Give the rows of a list, after a look at some pages of it."""
    whole: list[dict[str, Any]] = organization.client.get(f"{path}?{filters}").json
    for limit, offset in PAGES:
        page = organization.client.get(f"{path}?{filters}&limit={limit}&offset={offset}")
        assert page.json == whole[offset : offset + limit], filters
        assert page.headers["X-Total-Count"] == str(len(whole)), filters
    return whole


def by_id(row: dict[str, Any]) -> str:
    """Give what rows are put in order by: the roots of all VRFs come in another one."""
    key: str = row["id"]
    return key


def every_combination(values: Mapping[str, list[str]]) -> Iterator[frozenset[tuple[str, str]]]:
    """Give every combination of some of the filters, each with every value."""
    for number in range(len(values) + 1):
        for names in combinations(values, number):
            for chosen in product(*(values[name] for name in names)):
                yield frozenset(zip(names, chosen, strict=True))


def query(filters: frozenset[tuple[str, str]]) -> str:
    """Write filters as a query string."""
    return "&".join(f"{name}={value}" for name, value in sorted(filters))
