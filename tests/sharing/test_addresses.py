"""Addresses that several requests assign in one transaction: as many, none twice, none lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from ipcraft.plugin import Application, Identity, Invalid, LimitReached, NotFound, new_id
from ipcraft.testing import Organization, make_organization
from ipcraft_ipam import addresses, allocation, bulk, free_space, hierarchy
from ipcraft_ipam.networks import Span, format_address, parse_address, parse_network
from ipcraft_ipam.strategies import BUILT_IN, AllocationStrategy, FreeSpace
from ipcraft_ipam.verification import verify

from .gathering import Gathering, refusals, results, sender

STRATEGIES = {strategy.name: strategy for strategy in BUILT_IN}
FREE = 1500
"""Addresses that the plan `free` includes."""


def taking(subnet_id: str, *, strategy: str = "first", count: int = 1) -> allocation.Taking:
    """Take the next addresses of a subnet."""
    return allocation.Taking(subnet_id, {}, strategy=STRATEGIES[strategy], count=count)


def creation(subnet_id: str, ip: str) -> addresses.Creation:
    """Create an address."""
    return addresses.Creation(subnet_id, {"ip": parse_address(ip)})


def add_subnet(way: Gathering, identity: Identity, network: str) -> str:
    """Make a subnet and give its id."""
    made, _ = way.app.transact(
        identity, lambda tx: hierarchy.create(tx, parse_network(network), {})
    )
    return made.id


def spans(way: Gathering, identity: Identity, subnet_id: str) -> list[Span]:
    """Give the free space of a subnet."""
    with way.app.read(identity) as tx:
        return [found.span for found in free_space.ascending(tx, subnet_id, 0)]


def span(first: str, last: str) -> Span:
    """Give the addresses from one to another."""
    return Span(parse_address(first), parse_address(last))


def given(sent: Mapping[str, Future[Any]]) -> list[str]:
    """Give all addresses that were assigned, in the order they were asked for."""
    found: list[str] = []
    for each in sent.values():
        if each.exception() is None:
            made = each.result()
            found += [
                format_address(one.ip) for one in (made if isinstance(made, list) else [made])
            ]
    return found


def codes(sent: Mapping[str, Future[Any]]) -> list[str | None]:
    """Give the code of each refusal, None for what was done."""
    return [getattr(error, "code", None) for error in refusals(sent)]


@pytest.fixture(autouse=True)
def truth(way: Gathering, identity: Identity) -> Iterator[None]:
    """Recount everything after each test."""
    yield
    with way.app.read(identity) as tx:
        assert list(verify(tx)) == []


def numbered(works: Sequence[Any]) -> dict[str, Any]:
    """Give each piece of work a name."""
    return {str(number): work for number, work in enumerate(works)}


def test_takers_of_one_subnet_get_its_lowest(
    way: Gathering, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They look for their addresses once and together."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/24")
    picks: list[int] = []
    pick = allocation._pick

    def noted(*arguments: Any, most: int) -> None:
        picks.append(most)
        pick(*arguments, most=most)

    monkeypatch.setattr(allocation, "_pick", noted)
    sent = way.together(identity, numbered([taking(subnet_id) for _ in range(8)]))
    assert given(sent) == [f"10.0.0.{number}" for number in range(1, 9)]
    assert spans(way, identity, subnet_id) == [span("10.0.0.9", "10.0.0.254")]
    assert picks == [8]


def test_takers_of_several_subnets_get_theirs(way: Gathering, identity: Identity) -> None:
    """Each is asked about in the same trip."""
    subnets = [add_subnet(way, identity, f"10.0.{number}.0/24") for number in range(3)]
    works = numbered([taking(subnets[number % 3]) for number in range(6)])
    sent = way.together(identity, works)
    assert sorted(given(sent)) == [
        f"10.0.{number}.{host}" for number in range(3) for host in (1, 2)
    ]
    assert {found.subnet_id for made in results(sent) for found in made} == set(subnets)


def test_as_many_get_one_as_there_are(way: Gathering, identity: Identity) -> None:
    """The others are told that the subnet is full, in the words of a request of its own."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/29")
    sent = way.together(identity, numbered([taking(subnet_id) for _ in range(9)]))
    assert sorted(given(sent)) == [f"10.0.0.{number}" for number in range(1, 7)]
    full = [error for error in refusals(sent) if error is not None]
    assert [type(error) for error in full] == [Invalid] * 3
    assert {str(error) for error in full} == {"Subnet 10.0.0.0/29 has not 1 free address left"}
    assert spans(way, identity, subnet_id) == []


def test_who_wants_too_many_leaves_them_to_others(way: Gathering, identity: Identity) -> None:
    """A request is all or nothing; what it cannot have is for who comes after it."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/29")
    works = [taking(subnet_id, count=4), taking(subnet_id, count=4), taking(subnet_id, count=2)]
    sent = way.together(identity, numbered(works))
    assert codes(sent) == [None, "subnet_full", None]
    assert sorted(given(sent)) == [f"10.0.0.{number}" for number in range(1, 7)]


def test_takers_by_different_strategies(way: Gathering, identity: Identity) -> None:
    """None gets what another one has, however many each wants."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/26")
    works = [
        taking(subnet_id, strategy=strategy, count=count)
        for strategy in ("first", "last", "random", "first", "last", "random")
        for count in (1, 3)
    ]
    sent = way.together(identity, numbered(works))
    assert codes(sent) == [None] * len(works)
    assert len(set(given(sent))) == 24


def test_takers_by_the_same_strategy_share_it(way: Gathering, identity: Identity) -> None:
    """One that prefers the highest gives them downward."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/24")
    works = [taking(subnet_id, strategy="last", count=count) for count in (1, 2, 1)]
    assert given(way.together(identity, numbered(works))) == [
        "10.0.0.254",
        "10.0.0.253",
        "10.0.0.252",
        "10.0.0.251",
    ]
    assert spans(way, identity, subnet_id) == [span("10.0.0.1", "10.0.0.250")]


def test_a_strategy_is_told_how_many_each_wants(way: Gathering, identity: Identity) -> None:
    """One that gives neighbours finds room for each of two, where there is none for both."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/28")
    for host in (1, 2, 6, 10, 14):
        way.app.transact_shared(identity, creation(subnet_id, f"10.0.0.{host}"))
    block = AllocationStrategy("block", _neighbours)
    works = [allocation.Taking(subnet_id, {}, strategy=block, count=3) for _ in range(3)]
    sent = way.together(identity, numbered(works))
    assert [[one.ip % 256 for one in made] for made in results(sent)] == [
        [3, 4, 5],
        [7, 8, 9],
        [11, 12, 13],
    ]
    assert spans(way, identity, subnet_id) == []


def _neighbours(space: FreeSpace, count: int) -> Iterator[int]:
    for found in space.spans():
        if found.last - found.first >= count - 1:
            yield from range(found.first, found.first + count)


def test_takers_in_the_middle_split_what_is_free(way: Gathering, identity: Identity) -> None:
    """Each cuts out of what the one before it left."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/24")
    third = AllocationStrategy("third", _every_third)
    works = [allocation.Taking(subnet_id, {}, strategy=third) for _ in range(3)]
    sent = way.together(identity, numbered(works))
    assert given(sent) == ["10.0.0.3", "10.0.0.6", "10.0.0.9"]
    assert spans(way, identity, subnet_id) == [
        span("10.0.0.1", "10.0.0.2"),
        span("10.0.0.4", "10.0.0.5"),
        span("10.0.0.7", "10.0.0.8"),
        span("10.0.0.10", "10.0.0.254"),
    ]


def _every_third(space: FreeSpace, count: int) -> Iterator[int]:
    for found in space.spans():
        yield from (ip for ip in range(found.first, found.last + 1) if ip % 256 % 3 == 0)


def test_a_subnet_that_is_not_there(way: Gathering, identity: Identity) -> None:
    """Who names it is refused, and nobody else."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/24")
    works = [taking(subnet_id), taking(new_id("sub")), creation(new_id("sub"), "10.0.0.9")]
    sent = way.together(identity, numbered(works))
    assert [type(error) for error in refusals(sent)] == [type(None), NotFound, NotFound]


def test_those_who_create_cut_the_same_range(way: Gathering, identity: Identity) -> None:
    """What is free is told exactly: nobody after them has to pass what they have taken."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/24")
    hosts = (10, 12, 1, 11, 254)
    sent = way.together(identity, numbered([creation(subnet_id, f"10.0.0.{n}") for n in hosts]))
    assert given(sent) == [f"10.0.0.{number}" for number in hosts]
    assert spans(way, identity, subnet_id) == [
        span("10.0.0.2", "10.0.0.9"),
        span("10.0.0.13", "10.0.0.253"),
    ]


def test_one_address_is_assigned_to_one(
    way: Gathering, identity: Identity, transactions: list[int]
) -> None:
    """The others are told who has it; all of them together are not tried again."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/24")
    works = [creation(subnet_id, "10.0.0.5") for _ in range(3)]
    works.append(creation(subnet_id, "10.0.0.6"))
    sent = way.together(identity, numbered(works))
    assert sorted(given(sent)) == ["10.0.0.5", "10.0.0.6"]
    assert sorted(str(code) for code in codes(sent)) == [
        "None",
        "None",
        "address_taken",
        "address_taken",
    ]
    assert transactions.count(1) == 1 + 1 + 1 + len(works)  # the subnet, the held, all, and each
    assert max(transactions) == 2


def test_who_creates_what_another_takes(way: Gathering, identity: Identity) -> None:
    """One of the two has it; who takes gets one in any case."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/24")
    sent = way.together(
        identity, {"take": taking(subnet_id), "create": creation(subnet_id, "10.0.0.1")}
    )
    assert codes({"take": sent["take"]}) == [None]
    assert given(sent) in (["10.0.0.1"], ["10.0.0.2", "10.0.0.1"])


def test_what_cannot_be_assigned(way: Gathering, identity: Identity) -> None:
    """Each error is told to who made it."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/24")
    works = [creation(subnet_id, ip) for ip in ("10.0.0.0", "10.0.1.1", "10.0.0.255", "10.0.0.7")]
    sent = way.together(identity, numbered(works))
    expected = ["address_not_usable", "address_outside", "address_not_usable", None]
    assert codes(sent) == expected


def test_two_takings_in_one_transaction_see_each_other(way: Gathering, identity: Identity) -> None:
    """Who takes again after something has changed sees it changed."""
    subnet_id = add_subnet(way, identity, "10.0.0.0/24")

    def work(tx: Any) -> list[str]:
        [one] = allocation.take(tx, subnet_id, {}, strategy=STRATEGIES["first"])
        addresses.remove(tx, one.id)
        [two] = allocation.take(tx, subnet_id, {}, strategy=STRATEGIES["first"])
        [three] = allocation.take(tx, subnet_id, {}, strategy=STRATEGIES["first"])
        return [format_address(each.ip) for each in (one, two, three)]

    assert way.app.transact(identity, work) == ["10.0.0.1", "10.0.0.1", "10.0.0.2"]


def test_a_plan_holds(way: Gathering, application: Application) -> None:
    """As many are assigned as the plan includes, and the others are told so."""
    organization = make_organization(application, plan="free")
    identity = sender(organization)
    subnet_id = add_subnet(way, identity, "10.0.0.0/16")
    items = [{"ip": parse_address("10.0.0.1") + number} for number in range(FREE - 3)]
    way.app.transact(identity, lambda tx: bulk.create_many(tx, subnet_id, items))
    sent = way.together(identity, numbered([taking(subnet_id) for _ in range(5)]))
    assert len(given(sent)) == 3
    refused = [error for error in refusals(sent) if error is not None]
    assert [type(error) for error in refused] == [LimitReached] * 2


def test_over_http(application: Application, organization: Organization) -> None:
    """A request that shares a transaction answers as one that does not."""
    made = organization.client.post("/api/v1/subnets", json={"network": "10.0.0.0/24"})
    path = f"/api/v1/subnets/{made.json['id']}"
    taken = organization.client.post(f"{path}/first-free", json={"hostname": "a.example"})
    assert (taken.status_code, taken.json["ip"]) == (201, "10.0.0.1")
    again = organization.client.post(f"{path}/addresses", json={"ip": "10.0.0.1"})
    assert (again.status_code, again.json["code"]) == (400, "address_taken")
