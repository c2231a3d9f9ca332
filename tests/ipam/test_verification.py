"""`verify` sees each way in which stored rows can leave the truth."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import ColumnElement, Delete, Insert, Table, Update, delete, insert, update

from ipcraft.app import Application
from ipcraft.data.statements import Statement, own
from ipcraft.data.transactions import Transaction
from ipcraft.testing.organizations import Organization
from ipcraft_ipam.networks import Span, parse_address, to_bytes
from ipcraft_ipam.tables import addresses, free_ranges, subnet_usage, subnets
from ipcraft_ipam.verification import Drift, verify


@pytest.fixture
def made(organization: Organization) -> dict[str, str]:
    """Make a subnet with a child and an address in each; give all ids by their text."""
    client = organization.client
    ids = {}
    for network in ("10.0.0.0/24", "10.0.0.0/28", "fd00::/64"):
        ids[network] = client.post("/api/v1/subnets", json={"network": network}).json["id"]
    path = f"/api/v1/subnets/{ids['10.0.0.0/24']}/addresses"
    for ip in ("10.0.0.9", "10.0.0.99"):
        ids[ip] = client.post(path, json={"ip": ip}).json["id"]
    return ids


def test_a_sound_inventory_has_no_drift(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """Nothing is reported where nothing is wrong."""
    assert drifts(application, organization) == []


def test_a_wrong_parent_is_seen(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """A subnet's parent is the smallest one around it."""
    child = made["10.0.0.0/28"]
    spoil(application, organization, change(subnets, id=child).values({"parent_id": ""}))
    (drift,) = drifts(application, organization)
    assert drift.resource_id == child
    assert drift.message == (f"subnet 10.0.0.0/28 has the parent None, not {made['10.0.0.0/24']}")


def test_a_wrong_home_is_seen(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """An address's home is the smallest subnet around it."""
    inner, outer = made["10.0.0.0/28"], made["10.0.0.0/24"]
    spoil(
        application,
        organization,
        change(addresses, id=made["10.0.0.99"]).values({"subnet_id": inner}),
    )
    (drift,) = drifts(application, organization)
    assert drift.resource_id == made["10.0.0.99"]
    assert drift.message == f"address 10.0.0.99 is at home in {inner}, not in {outer}"


def test_an_address_outside_of_all_subnets_is_seen(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """An address without a home is reported, and missed where it was."""
    spoil(
        application,
        organization,
        change(addresses, id=made["10.0.0.99"]).values({"ip": to_bytes(parse_address("10.9.9.9"))}),
    )
    found = drifts(application, organization)
    assert any(drift.resource_id == made["10.0.0.99"] for drift in found)
    assert any("counts 1 addresses, and has 0" in drift.message for drift in found)


def test_a_wrong_counter_is_seen(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """A counter equals the number of addresses at home in its subnet."""
    first = to_bytes(parse_address("10.0.0.0"))
    last = to_bytes(parse_address("10.0.0.255"))
    spoil(
        application, organization, change(subnet_usage, first=first, last=last).values({"used": 5})
    )
    (drift,) = drifts(application, organization)
    assert drift == Drift(made["10.0.0.0/24"], "subnet 10.0.0.0/24 counts 5 addresses, and has 1")


def test_a_counter_of_no_subnet_is_seen(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """Nothing is counted where no subnet is."""
    row = {"vrf_id": "", "slot": 1, "used": 2}
    first, last = to_bytes(parse_address("10.1.0.0")), to_bytes(parse_address("10.1.0.255"))
    spoil(
        application,
        organization,
        insert(subnet_usage).values(
            {"organization_id": own(), **row, "first": first, "last": last}
        ),
    )
    (drift,) = drifts(application, organization)
    assert drift == Drift("", "counter of 2 for no subnet: 10.1.0.0 to 10.1.0.255")


def test_a_missing_range_is_seen(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """Each free address is in a range."""
    last = to_bytes(parse_address("10.0.0.254"))
    spoil(application, organization, remove(free_ranges, last=last))
    (drift,) = drifts(application, organization)
    assert drift == Drift(
        made["10.0.0.0/24"],
        "subnet 10.0.0.0/24 does not know as free: 10.0.0.100 to 10.0.0.254",
    )


@pytest.mark.parametrize(
    ("first", "offered"),
    [("10.0.0.8", "10.0.0.8 to 10.0.0.15"), ("10.0.0.0", "10.0.0.0 to 10.0.0.15")],
)
def test_a_range_in_a_childs_space_is_seen(
    application: Application,
    organization: Organization,
    made: dict[str, str],
    first: str,
    offered: str,
) -> None:
    """No range of a subnet reaches into a child, or to an address that cannot be assigned."""
    span = Span(parse_address(first), parse_address("10.0.0.98"))
    spoil(
        application,
        organization,
        change(free_ranges, last=to_bytes(span.last)).values(
            {"first": to_bytes(span.first), "host_bits": span.host_bits}
        ),
    )
    (drift,) = drifts(application, organization)
    assert drift == Drift(made["10.0.0.0/24"], f"subnet 10.0.0.0/24 offers as free: {offered}")


def test_a_range_that_holds_the_gateway_is_seen(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """The gateway is never offered."""
    gateway = to_bytes(parse_address("10.0.0.50"))
    spoil(
        application,
        organization,
        change(subnets, id=made["10.0.0.0/24"]).values({"gateway": gateway}),
    )
    (drift,) = drifts(application, organization)
    assert drift.message == "subnet 10.0.0.0/24 offers as free: 10.0.0.50"


def test_overlapping_ranges_are_seen(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """Two ranges never hold the same address."""
    row = {"subnet_id": made["10.0.0.0/24"], "host_bits": 2, "version": 1}
    first, last = to_bytes(parse_address("10.0.0.20")), to_bytes(parse_address("10.0.0.30"))
    spoil(
        application,
        organization,
        insert(free_ranges).values({"organization_id": own(), **row, "first": first, "last": last}),
    )
    found = drifts(application, organization)
    assert {drift.resource_id for drift in found} == {made["10.0.0.0/24"]}
    assert any("free ranges that overlap" in drift.message for drift in found)


def test_ranges_that_touch_are_seen(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """Free addresses side by side are in one range, or the next free subnet may not be found."""
    upper = Span(parse_address("10.0.0.41"), parse_address("10.0.0.98"))
    lower = Span(parse_address("10.0.0.16"), parse_address("10.0.0.40"))
    spoil(
        application,
        organization,
        change(free_ranges, last=to_bytes(upper.last)).values(
            {"first": to_bytes(upper.first), "host_bits": upper.host_bits}
        ),
    )
    row = {"subnet_id": made["10.0.0.0/24"], "host_bits": lower.host_bits, "version": 1}
    ends = {"first": to_bytes(lower.first), "last": to_bytes(lower.last)}
    spoil(
        application,
        organization,
        insert(free_ranges).values({"organization_id": own(), **row, **ends}),
    )
    (drift,) = drifts(application, organization)
    assert drift.message == (
        "subnet 10.0.0.0/24 has free ranges that touch: 10.0.0.41 to 10.0.0.98"
    )


def test_a_range_of_a_wrong_size_is_seen(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """Each range is filed under the largest network in it."""
    last = to_bytes(parse_address("10.0.0.254"))
    spoil(application, organization, change(free_ranges, last=last).values({"host_bits": 7}))
    (drift,) = drifts(application, organization)
    assert drift.message == (
        "subnet 10.0.0.0/24 has free ranges filed under a wrong size: 10.0.0.100 to 10.0.0.254"
    )


def test_ranges_of_no_subnet_are_seen(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """A range whose subnet is gone is reported."""
    row = {"subnet_id": "sub_gone", "host_bits": 0, "version": 1}
    place = to_bytes(parse_address("10.0.0.20"))
    spoil(
        application,
        organization,
        insert(free_ranges).values(
            {"organization_id": own(), **row, "first": place, "last": place}
        ),
    )
    (drift,) = drifts(application, organization)
    assert drift == Drift("sub_gone", "free ranges of no subnet: sub_gone")


def test_an_assigned_address_in_a_range_is_none(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """A range may hold what was taken since: whoever passes next tidies up."""
    spoil(
        application,
        organization,
        change(free_ranges, last=to_bytes(parse_address("10.0.0.254"))).values(
            {"first": to_bytes(parse_address("10.0.0.99"))}
        ),
    )
    assert drifts(application, organization) == []
    path = f"/api/v1/subnets/{made['10.0.0.0/24']}/first-free"
    taken = organization.client.post(path, json={"count": 90}).json
    assert "10.0.0.99" not in [address["ip"] for address in taken]
    assert drifts(application, organization) == []


@pytest.mark.parametrize(
    ("column", "named"),
    [("section_id", "the folder"), ("vlan_id", "the VLAN")],
)
def test_a_reference_to_nothing_is_seen(
    application: Application,
    organization: Organization,
    made: dict[str, str],
    column: str,
    named: str,
) -> None:
    """A subnet's folder and VLAN are there."""
    subnet_id = made["fd00::/64"]
    spoil(application, organization, change(subnets, id=subnet_id).values({column: "gone"}))
    (drift,) = drifts(application, organization)
    message = f"subnet fd00::/64 is in {named} gone, which is not there"
    assert drift == Drift(subnet_id, message)


def test_a_subnet_in_no_vrf_is_seen(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """A subnet's VRF is there; what is counted and assigned in another one is missed."""
    child = made["10.0.0.0/28"]
    spoil(application, organization, change(subnets, id=child).values({"vrf_id": "gone"}))
    messages = {(drift.resource_id, drift.message) for drift in drifts(application, organization)}
    missing = "subnet 10.0.0.0/28 is in the VRF gone, which is not there"
    strayed = f"address 10.0.0.9 is at home in {child}, not in {made['10.0.0.0/24']}"
    assert {(child, missing), (made["10.0.0.9"], strayed)} <= messages


def test_an_inventory_of_several_vrfs_has_no_drift(
    application: Application, organization: Organization, made: dict[str, str]
) -> None:
    """The same networks and addresses in another VRF are in nobody's way."""
    client = organization.client
    vrf_id = client.post("/api/v1/vrfs", json={"name": "Blue"}).json["id"]
    for network in ("10.0.0.0/28", "10.0.0.0/24"):
        body = {"network": network, "vrf_id": vrf_id}
        subnet = client.post("/api/v1/subnets", json=body).json
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    assert client.post(path, json={"ip": "10.0.0.9"}).status_code == 201
    assert drifts(application, organization) == []


def change(table: Table, **key: Any) -> Update:
    """Address the rows of a key."""
    return update(table).where(*_rows(table, key))


def remove(table: Table, **key: Any) -> Delete:
    """Delete the rows of a key."""
    return delete(table).where(*_rows(table, key))


def _rows(table: Table, key: dict[str, Any]) -> list[ColumnElement[bool]]:
    mine = table.c.organization_id == own()
    return [mine, *(table.c[name] == value for name, value in key.items())]


def spoil(
    application: Application, organization: Organization, clause: Update | Insert | Delete
) -> None:
    """Change one row behind the inventory's back."""
    statement = Statement(clause)

    def work(tx: Transaction) -> None:
        assert tx.execute(statement) == 1

    application.storage.transact(organization.id, work)


def drifts(application: Application, organization: Organization) -> list[Drift]:
    """Verify."""
    with application.storage.read(organization.id) as tx:
        return list(verify(tx))
