"""Under row-level security, what is done often reads a few rows, however many there are."""

# pyright: reportArgumentType=false, reportCallIssue=false
# The statements here are put together from our own names; psycopg asks for literals.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from ipcraft.data.statements import Statement
from ipcraft.ids import new_id
from ipcraft.testing.applications import make_application
from ipcraft.testing.services import PostgreSQL
from ipcraft_ipam import (
    address_lists,
    addresses,
    allocation,
    batches,
    free_networks,
    free_space,
    hierarchy,
    kept_sums,
    references,
    subnet_lists,
    subnets,
    usage,
    vlans,
    vrfs,
)
from ipcraft_ipam.networks import Network, Span, parse_address, parse_network, to_bytes

from .explaining import Link, copy, explain, walk

ORGANIZATION = new_id("org")
ROOT, FLAT = parse_network("10.0.0.0/8"), parse_network("11.0.0.0/16")
WIDE = parse_network("13.0.0.0/8")
CHILDREN = 20_000
ASSIGNED = 30_000
SMALL_ORGANIZATIONS = 30
VRFS = VLANS = SECTIONS = 50

BLOCKS = 400
"""Pages of 8 KiB a statement may touch; the tables have thousands."""

SORTED = 300
"""Rows a statement may sort: those it answers (a subnet here has 256 children), never all."""


def middle(number: int) -> Network:
    """Give one of the children of the root."""
    return Network(ROOT.first + (number << 8), 16)


def child(number: int) -> Network:
    """Give one of the grandchildren of the root."""
    return Network(ROOT.first + (number << 8), 24)


@pytest.fixture(scope="module")
def link(postgresql: PostgreSQL) -> Iterator[Link]:
    """Give a connection to a database with one large organization and many small ones."""
    url = postgresql.create_database(superuser=True)
    make_application(url).storage.close()
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(address, autocommit=True)) as connection:
        fill(connection, ORGANIZATION, children=CHILDREN, assigned=ASSIGNED)
        for _ in range(SMALL_ORGANIZATIONS):
            fill(connection, new_id("org"), children=3, assigned=6)
        connection.execute("ANALYZE")
        yield connection
    postgresql.drop_database(url)


def wide_child(number: int) -> Network:
    """Give one of the children of the wide subnet."""
    return Network(WIDE.first + (number << 8), 24)


def fill(link: Link, organization_id: str, *, children: int, assigned: int) -> None:
    """Write a root with so many grandchildren, a wide one with so many children, and a flat one.

    The flat one has so many addresses.
    """
    nodes = [(ROOT, "", "root"), (FLAT, "", "flat"), (WIDE, "", "wide")]
    nodes += [(wide_child(number), "wide", f"wide{number}") for number in range(children)]
    nodes += [(middle(number), "root", f"middle{number}") for number in range(0, children, 256)]
    nodes += [(child(n), f"middle{n - n % 256}", f"child{n}") for n in range(children)]
    copy(
        link,
        "vrfs (organization_id, id, name, rd, created_at, updated_at)",
        [(organization_id, f"vrf{n:02}", f"VRF {n}", f"65000:{n}", 0, 0) for n in range(VRFS)],
    )
    copy(
        link,
        "sections (organization_id, id, name, sort_order, created_at, updated_at)",
        [(organization_id, f"sec{n:02}", f"Folder {n}", 0, 0, 0) for n in range(SECTIONS)],
    )
    copy(
        link,
        "vlans (organization_id, id, number, name, created_at, updated_at)",
        [(organization_id, f"vlan{n:02}", n + 1, f"VLAN {n}", 0, 0) for n in range(VLANS)],
    )
    placed = [("", network, parent, key) for network, parent, key in nodes]
    placed += [(f"vrf{n:02}", FLAT, "", f"flat{n}") for n in range(VRFS)]
    copy(
        link,
        "subnets (organization_id, id, vrf_id, first, last, prefix_length, parent_id, section_id, "
        "vlan_id, is_pool, created_at, updated_at)",
        [
            (organization_id, key, vrf_id, to_bytes(network.first), to_bytes(network.last),
             network.prefix_length, parent, key.replace("child", "sec"),
             key.replace("child", "vlan"), False, 0, 0)
            for vrf_id, network, parent, key in placed
        ],
    )  # fmt: skip
    homes = [(child(number).first + 1, f"child{number}") for number in range(children)]
    homes += [(FLAT.first + 1 + 2 * number, "flat") for number in range(assigned)]
    copy(
        link,
        "addresses (organization_id, id, vrf_id, ip, subnet_id, hostname, status, owner, "
        "created_at, updated_at)",
        [
            (organization_id, f"addr{ip}", "", to_bytes(ip), home, f"host{ip}",
             "active" if ip % 3 else "reserved", home[:4], 0, 0)
            for ip, home in homes
        ],
    )  # fmt: skip
    free = [(f"child{number}", Span(child(number).first + 2, child(number).last - 1))
            for number in range(children)]  # fmt: skip
    free += [("flat", Span(ip + 1, ip + 1)) for ip, home in homes if home == "flat"]
    copy(
        link,
        "free_ranges (organization_id, subnet_id, last, first, host_bits, version)",
        [
            (
                organization_id,
                key,
                to_bytes(span.last),
                to_bytes(span.first),
                span.host_bits,
                number,
            )
            for number, (key, span) in enumerate(free)
        ],
    )
    copy(
        link,
        "subnet_usage (organization_id, vrf_id, first, last, slot, used)",
        [
            (organization_id, "", to_bytes(network.first), to_bytes(network.last), slot, 1)
            for network, _, _ in nodes
            for slot in range(2)
        ],
    )


IP = to_bytes(parse_address("11.0.128.2"))
NEXT = to_bytes(parse_address("11.0.128.4"))
INSIDE = child(9_000)
HERE = {"vrf_id": "", "first": to_bytes(INSIDE.first), "last": to_bytes(INSIDE.last)}
CANDIDATES = {f"ip{n}": to_bytes(FLAT.first + 20_000 + n) for n in range(16)}
FLAT_HERE = {"vrf_id": "", "first": to_bytes(FLAT.first), "last": to_bytes(FLAT.last)}

STATEMENTS: dict[str, tuple[Statement[Any], dict[str, Any]]] = {
    "container": (subnets.CONTAINER, {**HERE, "prefix_length": 24}),
    "container of nothing": (
        subnets.CONTAINER,
        {
            "vrf_id": "",
            "first": to_bytes(parse_address("12.0.0.0")),
            "last": to_bytes(parse_address("12.0.0.255")),
            "prefix_length": 24,
        },
    ),
    "containing": (subnets.CONTAINING, {**HERE, "prefix_length": 24}),
    "containing in any VRF": (
        subnets.CONTAINING_ANYWHERE,
        {"first": HERE["first"], "last": HERE["last"], "prefix_length": 24},
    ),
    "references": (
        references._FOUND, {"section_id": "sec07", "vrf_id": "vrf07", "vlan_id": "vlan07"},
    ),
    "a VRF by its name": (
        vrfs.VRFS._page(frozenset({"name"}), False), {"name": "VRF 7", "limit": 1},
    ),
    "a VRF by its rd": (vrfs.VRFS._page(frozenset({"rd"}), False), {"rd": "65000:7", "limit": 1}),
    "VRFs": (vrfs.VRFS._page(frozenset(), True), {"after0": "vrf30", "limit": 20}),
    "the first subnet of a VRF": (vrfs._FIRST_SUBNET, {"id": "vrf07"}),
    "the subnets that leave a VLAN": (vlans._LEAVE, {"id": "vlan9000"}),
    "subnet with usage": (subnets.ONE_WITH_USAGE, {"id": "child9000"}),
    "usage": (kept_sums._NOW, {"id": "child9000"}),
    "children": (subnets.CHILDREN, {"id": "middle8960"}),
    "children of none": (subnets.CHILDREN, {"id": "child9000"}),
    "used within": (usage.USED_IN, HERE),
    "subnets": (
        subnet_lists._page(frozenset(), True),
        {"after_vrf_id": "", "after_first": HERE["first"], "after_prefix": 24, "limit": 50},
    ),
    "counters of a page of subnets": (
        usage._BETWEEN,
        {"vrf_id": "", "first": HERE["first"], "end_vrf_id": "",
         "end": to_bytes(child(9_050).first)},
    ),
    "subnets of a parent": (
        subnet_lists._page(frozenset({"parent_id"}), True),
        {"parent_id": "middle8960", "after_vrf_id": "", "after_first": HERE["first"],
         "after_prefix": 24, "limit": 50},
    ),
    "subnets of a wide parent": (
        subnet_lists._page(frozenset({"parent_id"}), True),
        {"parent_id": "wide", "after_vrf_id": "", "after_first": to_bytes(wide_child(9_000).first),
         "after_prefix": 24, "limit": 50},
    ),
    "subnets of a small parent": (
        subnet_lists._page(frozenset({"parent_id"}), True),
        {"parent_id": "child9000", "after_vrf_id": "", "after_first": b"", "after_prefix": 0,
         "limit": 50},
    ),
    "subnets of a folder": (
        subnet_lists._page(frozenset({"section_id"}), True),
        {"section_id": "sec9000", "after_vrf_id": "", "after_first": b"", "after_prefix": 0,
         "limit": 50},
    ),
    "subnets of a VLAN": (
        subnet_lists._page(frozenset({"vlan_id"}), True),
        {"vlan_id": "vlan9000", "after_vrf_id": "", "after_first": b"", "after_prefix": 0,
         "limit": 50},
    ),
    "subnets of a VRF": (
        subnet_lists._page(frozenset({"vrf_id"}), True),
        {"vrf_id": "vrf07", "after_vrf_id": "", "after_first": b"", "after_prefix": 0, "limit": 50},
    ),
    "a network in any VRF": (
        subnet_lists._page(frozenset({"network"}), False),
        {"network_first": to_bytes(FLAT.first), "network_prefix": 16, "limit": 100},
    ),
    "a page of a network in any VRF": (
        subnet_lists._counted(frozenset({"network"})).statement,
        {"network_first": to_bytes(FLAT.first), "network_prefix": 16, "limit": 20, "offset": 10},
    ),
    "place": (addresses._PLACE, {"subnet_id": "flat", "ip": IP, "prefix_length": 128}),
    "place in a child": (
        addresses._PLACE,
        {"subnet_id": "root", "ip": to_bytes(INSIDE.first + 9), "prefix_length": 128},
    ),
    "address at home": (addresses._ONE_AT_HOME_TO_CHANGE, {"id": f"addr{FLAT.first + 1}"}),
    "addresses": (
        address_lists._page(frozenset()),
        {"after_vrf_id": "", "after_ip": IP, "limit": 100},
    ),
    "addresses of a subnet": (
        address_lists._page(frozenset({"vrf_id", "within"})),
        {**FLAT_HERE, "after_vrf_id": "", "after_ip": IP, "limit": 100},
    ),
    "addresses of a host": (
        address_lists._page(frozenset({"hostname"})),
        {"hostname": f"host{FLAT.first + 1}", "after_vrf_id": "", "after_ip": b"", "limit": 100},
    ),
    "addresses of an owner": (
        address_lists._page(frozenset({"owner"})),
        {"owner": "flat", "after_vrf_id": "", "after_ip": IP, "limit": 100},
    ),
    "addresses of a small owner": (
        address_lists._page(frozenset({"owner"})),
        {"owner": "nobo", "after_vrf_id": "", "after_ip": b"", "limit": 100},
    ),
    "addresses of an owner in a VRF": (
        address_lists._page(frozenset({"owner", "vrf_id"})),
        {"owner": "flat", "vrf_id": "", "after_vrf_id": "", "after_ip": IP, "limit": 100},
    ),
    "addresses of an unusual status": (
        address_lists._page(frozenset({"status", address_lists._UNUSUAL})),
        {"status": "reserved", "after_vrf_id": "", "after_ip": IP, "limit": 100},
    ),
    "addresses of a status that none has": (
        address_lists._page(frozenset({"status", address_lists._UNUSUAL})),
        {"status": "offline", "after_vrf_id": "", "after_ip": b"", "limit": 100},
    ),
    "addresses of the usual status": (
        address_lists._page(frozenset({"status"})),
        {"status": "active", "after_vrf_id": "", "after_ip": IP, "limit": 100},
    ),
    "an address in any VRF": (
        address_lists._page(frozenset({"ip"})),
        {"ip": IP, "after_vrf_id": "", "after_ip": b"", "limit": 100},
    ),
    "a page of an address in any VRF": (
        address_lists._counted(frozenset({"ip"})).statement, {"ip": IP, "limit": 50, "offset": 0},
    ),
    "a page of addresses of a subnet": (
        address_lists._counted_in_subnet(frozenset()).statement,
        {"subnet_id": "flat", "limit": 50, "offset": 0},
    ),
    "a page of addresses of a subnet with many below": (
        address_lists._counted_in_subnet(frozenset()).statement,
        {"subnet_id": "middle8960", "limit": 200, "offset": 0},
    ),
    "a page of addresses of a host": (
        address_lists._counted(frozenset({"hostname"})).statement,
        {"hostname": f"host{FLAT.first + 1}", "limit": 50, "offset": 0},
    ),
    "some addresses": (
        batches._FIND,
        {"vrf_id": "", **{f"ip{n}": CANDIDATES.get(f"ip{n}") for n in range(batches._TOGETHER)}},
    ),
    "some neighbours": (
        batches._FIND_NEAR, {"vrf_id": "", "lowest": IP, "highest": NEXT},
    ),
    "some networks": (
        batches._FIND_SUBNETS,
        {"vrf_id": "", **{f"first{n}": to_bytes(child(n).first) if n < 16 else None
                          for n in range(batches._NETWORKS_TOGETHER)}},
    ),
    "the subnets between two addresses": (
        batches._BETWEEN,
        {"vrf_id": "", "lowest": HERE["first"], "highest": HERE["last"], "limit": 5000},
    ),
    "some of the subnets between two addresses": (
        batches._BETWEEN,
        {"vrf_id": "", "lowest": to_bytes(ROOT.first), "highest": to_bytes(WIDE.last),
         "limit": 100},
    ),
    "subnets to export": (
        batches._PAGE,
        {"vrf_id": "", "first": HERE["first"], "prefix": 24, "limit": 50},
    ),
    "an address": (
        address_lists._page(frozenset({"ip", "vrf_id"})),
        {"ip": IP, "vrf_id": "", "after_vrf_id": "", "after_ip": b"", "limit": 100},
    ),
    "space": (allocation._SPACE, {"id": "flat"}),
    "space and lowest": (allocation._SPACE_AND_LOWEST, {"id": "flat"}),
    "claim": (allocation._claim(16), {"vrf_id": "", "wanted": 2, **CANDIDATES}),
    "look": (allocation._look(16), {"vrf_id": "", **CANDIDATES}),
    "upward": (free_space.UPWARD, {"subnet_id": "flat", "start": IP, "limit": 64}),
    "downward": (free_space.DOWNWARD, {"subnet_id": "flat", "start": IP, "limit": 64}),
    "around": (free_space.AROUND, {"subnet_id": "flat", "before": IP}),
    "roomy": (
        free_space.ROOMY, {"subnet_id": "flat", "start": IP, "wanted": 4, "largest": 16},
    ),
    "roomy for one": (
        free_space.ROOMY, {"subnet_id": "flat", "start": IP, "wanted": 0, "largest": 16},
    ),
    "borders": (
        free_space._HOLD_BORDERS, {"subnet_id": "flat", "below": IP, "above": NEXT},
    ),
    "shrink": (
        free_space.SHRINK_IF_READ,
        {"subnet_id": "flat", "last": IP, "seen": 5, "new_first": IP, "new_last": IP,
         "new_host_bits": 0, "new_version": 6},
    ),
    "insert if shrunk": (
        free_space.INSERT_IF_SHRUNK,
        {"subnet_id": "flat", "last": IP, "first": IP, "host_bits": 0, "kept_last": NEXT,
         "new_version": 1, "index": 1},
    ),
    "delete if read": (free_space.DELETE_IF_READ, {"subnet_id": "flat", "last": IP, "seen": 5}),
    "reshape": (
        free_space.RESHAPE,
        {"subnet_id": "flat", "old_last": IP, "first": IP, "last": IP, "host_bits": 0,
         "version": 5},
    ),
    "count": (usage.ADD, {**HERE, "fresh_slot": 7, "used": 1}),
    "content": (hierarchy._CONTENT, {**HERE, "parent_id": "middle8960"}),
    "last assigned": (free_networks._LAST_ASSIGNED, HERE),
}  # fmt: skip


@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", STATEMENTS)
def test_a_hot_statement_touches_few_pages(link: Link, name: str, plan: str) -> None:
    """Neither a scan nor a sort of a table, planned for these values or for any."""
    statement, parameters = STATEMENTS[name]
    explained = explain(link, statement, parameters, plan=plan, organization=ORGANIZATION)
    nodes = list(walk(explained))
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}, explained
    many = [node for node in nodes if node["Node Type"] == "Sort" and node["Actual Rows"] > SORTED]
    assert not many, explained
    assert explained["Shared Hit Blocks"] + explained["Shared Read Blocks"] < BLOCKS, explained
