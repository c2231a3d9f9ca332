"""Two writers at one row, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import update

from ipcraft.app import Application
from ipcraft.data.statements import Statement, given, own
from ipcraft.data.tables import AddressBytes
from ipcraft.data.transactions import Transaction
from ipcraft.testing.organizations import Organization
from ipcraft_ipam import (
    addresses,
    allocation,
    bulk,
    editing,
    free_space,
    hierarchy,
    sections,
    subnets,
)
from ipcraft_ipam.networks import (
    Network,
    Span,
    format_address,
    parse_address,
    parse_network,
    to_bytes,
)
from ipcraft_ipam.strategies import BUILT_IN
from ipcraft_ipam.tables import free_ranges
from ipcraft_ipam.verification import verify

from .overlapping import Held, Work, overlap

NETWORK = parse_network("10.0.0.0/24")
STRATEGIES = {strategy.name: strategy for strategy in BUILT_IN}

_widen = Statement(
    update(free_ranges)
    .where(
        free_ranges.c.organization_id == own(),
        free_ranges.c.last == given("until", AddressBytes),
    )
    .values(first=given("new_first", AddressBytes))
)


def test_a_release_while_its_range_is_split(
    application: Application, organization: Organization
) -> None:
    """An address that its range holds is released while somebody splits that range."""
    subnet_id = add_subnet(application, organization)
    assigned = assign(application, organization, subnet_id, "10.0.0.1")
    # As a taker leaves it that met another one: the range holds the assigned address.
    where = {"until": to_bytes(NETWORK.last - 1), "new_first": to_bytes(NETWORK.first + 1)}
    application.storage.transact(organization.id, lambda tx: tx.write(_widen, **where))
    check(application, organization)
    overlap(
        application,
        organization.id,
        lambda tx: addresses.create(tx, subnet_id, {"ip": parse_address("10.0.0.50")}),
        lambda tx: addresses.remove(tx, assigned),
    )
    check(application, organization)
    assert lowest(application, organization, subnet_id) == "10.0.0.1"


def test_an_assigned_address_in_a_range_is_passed_over(
    application: Application, organization: Organization
) -> None:
    """Who looks for the lowest free one is not told that of a range which holds an assigned one."""
    subnet_id = add_subnet(application, organization)
    assign(application, organization, subnet_id, "10.0.0.1")
    where = {"until": to_bytes(NETWORK.last - 1), "new_first": to_bytes(NETWORK.first + 1)}
    application.storage.transact(organization.id, lambda tx: tx.write(_widen, **where))
    assert lowest(application, organization, subnet_id) == "10.0.0.2"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")
def test_a_release_while_its_range_is_split_again_and_again(
    application: Application, organization: Organization
) -> None:
    """A release waits for one splitter, meanwhile for another, and misses neither's new part.

    On SQLite a writer is alone.
    """
    subnet_id = add_subnet(application, organization)
    released = assign(application, organization, subnet_id, "10.0.0.1")
    assign(application, organization, subnet_id, "10.0.0.200")
    where = {"until": to_bytes(NETWORK.first + 199), "new_first": to_bytes(NETWORK.first + 1)}
    application.storage.transact(organization.id, lambda tx: tx.write(_widen, **where))

    def splitting(ip: str) -> Held:
        values = {"ip": parse_address(ip)}
        return Held(
            application, organization.id, lambda tx: addresses.create(tx, subnet_id, values)
        )

    with ThreadPoolExecutor(1) as pool:
        with splitting("10.0.0.100") as range_around, splitting("10.0.0.201") as next_range:
            release = pool.submit(
                application.storage.transact,
                organization.id,
                lambda tx: addresses.remove(tx, released),
            )
            range_around.await_waiting()
            range_around.commit()
            next_range.await_waiting()
            # The part of the range that is around the address now, while the release waits.
            with splitting("10.0.0.50") as part_around:
                next_range.commit()
                part_around.await_waiting()
        release.result(20)
    check(application, organization)
    assert free_spans(application, organization, subnet_id) == [
        ("10.0.0.1", "10.0.0.49"),
        ("10.0.0.51", "10.0.0.99"),
        ("10.0.0.101", "10.0.0.199"),
        ("10.0.0.202", "10.0.0.254"),
    ]


@pytest.mark.parametrize("released", ["10.0.0.9", "10.0.0.10", "10.0.0.11"])
@pytest.mark.parametrize("strategy", ["first", "last"])
def test_a_release_while_somebody_takes(
    application: Application, organization: Organization, released: str, strategy: str
) -> None:
    """Neighbours of a range come back while the range shrinks."""
    subnet_id = add_subnet(application, organization)
    assigned = {
        ip: assign(application, organization, subnet_id, ip)
        for ip in ("10.0.0.9", "10.0.0.10", "10.0.0.11")
    }
    overlap(
        application,
        organization.id,
        lambda tx: allocation.take(tx, subnet_id, {}, strategy=STRATEGIES[strategy]),
        lambda tx: addresses.remove(tx, assigned[released]),
    )
    check(application, organization)
    left = set(assigned) - {released}
    overlap(
        application,
        organization.id,
        lambda tx: addresses.remove(tx, assigned[min(left)]),
        lambda tx: addresses.remove(tx, assigned[max(left)]),
    )
    check(application, organization)


def test_a_release_while_its_neighbour_is_released(
    application: Application, organization: Organization
) -> None:
    """Addresses side by side that come back at once are in one range afterwards."""
    subnet_id = add_subnet(application, organization, "10.0.0.0/29")
    assigned = [
        assign(application, organization, subnet_id, f"10.0.0.{last}") for last in range(1, 7)
    ]
    overlap(
        application,
        organization.id,
        lambda tx: addresses.remove(tx, assigned[1]),
        lambda tx: addresses.remove(tx, assigned[2]),
    )
    assert free_spans(application, organization, subnet_id) == [("10.0.0.2", "10.0.0.3")]
    check(application, organization)


def test_a_taker_while_an_address_is_released(
    application: Application, organization: Organization
) -> None:
    """A release is not undone by a taker who saw the address assigned."""
    subnet_id = add_subnet(application, organization)
    assigned = [
        assign(application, organization, subnet_id, f"10.0.0.{last}") for last in range(1, 6)
    ]
    overlap(
        application,
        organization.id,
        lambda tx: addresses.remove(tx, assigned[2]),
        lambda tx: allocation.take(tx, subnet_id, {}, strategy=STRATEGIES["first"], count=3),
    )
    check(application, organization)


def test_two_takers_of_one_last_address(
    application: Application, organization: Organization
) -> None:
    """The second waits for how the first one ends, and finds the subnet full."""
    subnet_id = add_subnet(application, organization, "10.0.0.0/32")
    taken: list[str] = []

    def take(tx: Transaction) -> None:
        made = allocation.take(tx, subnet_id, {}, strategy=STRATEGIES["first"])
        taken.append(made[0].id)

    with pytest.raises(Exception, match="has not 1 free address left"):
        overlap(application, organization.id, take, take)
    assert len(taken) == 1
    check(application, organization)


def test_a_taker_holds_nothing_but_what_it_takes(
    application: Application, organization: Organization
) -> None:
    """Who comes next takes the start of the next range."""
    subnet_id = add_subnet(application, organization)
    assign(application, organization, subnet_id, "10.0.0.2")
    taken: list[str] = []

    def take(tx: Transaction) -> None:
        [made] = allocation.take(tx, subnet_id, {}, strategy=STRATEGIES["first"])
        taken.append(format_address(made.ip))

    overlap(application, organization.id, take, take)
    assert taken == ["10.0.0.1", "10.0.0.3"]


def test_two_changes_of_one_address(application: Application, organization: Organization) -> None:
    """Two who change different fields both succeed, and neither undoes the other."""
    subnet_id = add_subnet(application, organization)
    assigned = assign(application, organization, subnet_id, "10.0.0.1")
    overlap(
        application,
        organization.id,
        lambda tx: addresses.change(tx, assigned, {"hostname": "one"}),
        lambda tx: addresses.change(tx, assigned, {"owner": "two"}),
    )
    with application.storage.read(organization.id) as tx:
        found = addresses.get(tx, assigned)
    assert (found.hostname, found.owner) == ("one", "two")


def test_two_changes_of_one_subnet(application: Application, organization: Organization) -> None:
    """Two who change different fields both succeed, and neither undoes the other."""
    subnet_id = add_subnet(application, organization)
    overlap(
        application,
        organization.id,
        lambda tx: editing.change(tx, subnet_id, {"name": "one"}),
        lambda tx: editing.change(tx, subnet_id, {"description": "two"}),
    )
    with application.storage.read(organization.id) as tx:
        found = subnets.get(tx, subnet_id)
    assert (found.name, found.description) == ("one", "two")


def test_two_changes_of_one_folder(application: Application, organization: Organization) -> None:
    """Two who change different fields both succeed, and neither undoes the other."""
    values: Mapping[str, Any] = {"name": "none"}
    section = application.storage.transact(organization.id, lambda tx: sections.create(tx, values))
    overlap(
        application,
        organization.id,
        lambda tx: sections.change(tx, section.id, {"name": "one"}),
        lambda tx: sections.change(tx, section.id, {"sort_order": 2}),
    )
    with application.storage.read(organization.id) as tx:
        found = sections.get(tx, section.id)
    assert (found.name, found.sort_order) == ("one", 2)


def test_an_address_and_a_subnet_around_it_at_once(
    application: Application, organization: Organization
) -> None:
    """An address that is assigned while a subnet is put around it finds its home."""
    outer = add_subnet(application, organization)
    inner: list[str] = []

    def create(tx: Transaction) -> None:
        made, _ = hierarchy.create(tx, parse_network("10.0.0.0/28"), {})
        inner.append(made.id)

    def take(tx: Transaction) -> None:
        allocation.take(tx, outer, {}, strategy=STRATEGIES["first"])

    overlap(application, organization.id, create, take)
    check(application, organization)
    assert lowest(application, organization, inner[-1]) == "10.0.0.1"
    assert lowest(application, organization, outer) == "10.0.0.17"


def test_two_who_assign_many_at_once(application: Application, organization: Organization) -> None:
    """Neither leaves what it assigned in the free ranges, where others would meet it one by one."""
    subnet_id = add_subnet(application, organization)

    def assign_many(first: int) -> Work:
        items = [{"ip": NETWORK.first + first + offset} for offset in range(60)]
        return lambda tx: bulk.create_many(tx, subnet_id, items)

    overlap(application, organization.id, assign_many(101), assign_many(11))
    assert free_spans(application, organization, subnet_id) == [
        ("10.0.0.1", "10.0.0.10"),
        ("10.0.0.71", "10.0.0.100"),
        ("10.0.0.161", "10.0.0.254"),
    ]
    check(application, organization)


def test_a_taker_clears_the_ranges_it_passed(
    application: Application, organization: Organization
) -> None:
    """A range in which nothing is free any more is met by one taker, and by nobody after."""
    subnet_id = add_subnet(application, organization)
    items = [{"ip": NETWORK.first + offset} for offset in (*range(1, 40), 50)]
    application.storage.transact(organization.id, lambda tx: bulk.create_many(tx, subnet_id, items))
    # As takers leave it that met each other: the range holds what they took.
    where = {"until": to_bytes(NETWORK.first + 49), "new_first": to_bytes(NETWORK.first + 1)}
    application.storage.transact(organization.id, lambda tx: tx.write(_widen, **where))
    for ip in range(40, 50):
        assert take_first(application, organization, subnet_id) == NETWORK.first + ip
    assert free_spans(application, organization, subnet_id) == [("10.0.0.51", "10.0.0.254")]
    application.storage.transact(
        organization.id,
        lambda tx: free_space.store(tx, subnet_id, [Span(NETWORK.first + 1, NETWORK.first + 49)]),
    )
    assert take_first(application, organization, subnet_id) == NETWORK.first + 51
    assert free_spans(application, organization, subnet_id) == [("10.0.0.52", "10.0.0.254")]
    check(application, organization)


def take_first(application: Application, organization: Organization, subnet_id: str) -> int:
    """Take the lowest free address."""
    first = STRATEGIES["first"]
    [made] = application.storage.transact(
        organization.id, lambda tx: allocation.take(tx, subnet_id, {}, strategy=first)
    )
    return made.ip


def add_subnet(
    application: Application, organization: Organization, network: Network | str = NETWORK
) -> str:
    """Create a subnet and give its id."""
    wanted = parse_network(network) if isinstance(network, str) else network
    made, _ = application.storage.transact(
        organization.id, lambda tx: hierarchy.create(tx, wanted, {})
    )
    return made.id


def assign(application: Application, organization: Organization, subnet_id: str, ip: str) -> str:
    """Assign an address and give its id."""
    values = {"ip": parse_address(ip)}
    return application.storage.transact(
        organization.id, lambda tx: addresses.create(tx, subnet_id, values)
    ).id


def lowest(application: Application, organization: Organization, subnet_id: str) -> str | None:
    """Give the lowest free address of a subnet."""
    with application.storage.read(organization.id) as tx:
        found = allocation.first_free(tx, subnet_id)
    return None if found is None else format_address(found)


def free_spans(
    application: Application, organization: Organization, subnet_id: str
) -> list[tuple[str, str]]:
    """Give the first and last address of each free range of a subnet."""
    with application.storage.read(organization.id) as tx:
        found = [old.span for old in free_space.ascending(tx, subnet_id, NETWORK.first)]
    return [(format_address(span.first), format_address(span.last)) for span in found]


def check(application: Application, organization: Organization) -> None:
    """Check that nothing drifted."""
    with application.storage.read(organization.id) as tx:
        assert list(verify(tx)) == []
