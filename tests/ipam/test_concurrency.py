"""Many processes at one inventory: nothing twice, nothing lost, nothing drifts."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ipcraft.app import Application
from ipcraft.testing.organizations import Organization
from ipcraft_ipam.verification import verify

from .workers import Answer, Crew, Job, Request

TAKERS = 16
PROCESSES = 17


@pytest.fixture(scope="session")
def crew() -> Iterator[Crew]:
    """Give processes that wait for jobs."""
    crew = Crew(PROCESSES)
    yield crew
    crew.close()


def test_takers_get_each_address_once(
    application: Application, organization: Organization, database_url: str, crew: Crew
) -> None:
    """Sixteen takers of one subnet get different addresses, and all lie at its start."""
    each = 8
    subnet = add_subnet(organization, "10.0.0.0/22")
    take: Request = ("POST", f"{subnet}/first-free", {})
    got = flat(crew.run(database_url, organization.key, [Job([take] * each)] * TAKERS))
    assert Counter(status for status, _ in got) == {201: TAKERS * each}
    assert sorted(addresses(got)) == numbers("10.0.0.1", TAKERS * each)
    assert stored(organization, subnet) == sorted(addresses(got))
    check(application, organization)
    assert next_free(organization, subnet) == "10.0.0.129"


def test_takers_of_the_last_addresses(
    application: Application, organization: Organization, database_url: str, crew: Crew
) -> None:
    """Who comes too late to a full subnet is told so; everybody else gets one."""
    subnet = add_subnet(organization, "10.0.0.0/28")
    take: Request = ("POST", f"{subnet}/first-free", {})
    got = flat(crew.run(database_url, organization.key, [Job([take] * 2)] * TAKERS))
    assert Counter(status for status, _ in got) == {201: 14, 400: 2 * TAKERS - 14}
    assert {body["code"] for status, body in got if status == 400} == {"subnet_full"}
    assert sorted(addresses(got)) == numbers("10.0.0.1", 14)
    check(application, organization)


def test_takers_of_several_get_all_or_none(
    application: Application, organization: Organization, database_url: str, crew: Crew
) -> None:
    """Sixteen takers of three in a subnet of fourteen: four get three each, no other gets any."""
    subnet = add_subnet(organization, "10.0.0.0/28")
    take = ("POST", f"{subnet}/first-free", {"count": 3})
    got = flat(crew.run(database_url, organization.key, [Job([take])] * TAKERS))
    assert Counter(status for status, _ in got) == {201: 4, 400: TAKERS - 4}
    taken = addresses(got)
    assert len(set(taken)) == len(taken) == 12
    assert stored(organization, subnet) == sorted(taken)
    check(application, organization)


def test_the_same_address_has_one_winner(
    application: Application, organization: Organization, database_url: str, crew: Crew
) -> None:
    """Of sixteen who assign the same address one succeeds, the others are told who has it."""
    subnet = add_subnet(organization, "10.0.0.0/24")
    requests = [("POST", f"{subnet}/addresses", {"ip": f"10.0.0.{last}"}) for last in (9, 77)]
    got = crew.run(database_url, organization.key, [Job(requests)] * TAKERS)
    for number in range(2):
        answers = [each[number] for each in got]
        assert Counter(status for status, _ in answers) == {201: 1, 400: TAKERS - 1}
        winner = next(body["id"] for status, body in answers if status == 201)
        assert all(winner in body["error"] for status, body in answers if status == 400)
    check(application, organization)


def test_nested_networks_at_once(
    application: Application, organization: Organization, database_url: str, crew: Crew
) -> None:
    """Networks of one chain, created at once in any order, end up nested."""
    chain = [f"10.0.0.0/{prefix_length}" for prefix_length in range(8, 24)]
    jobs = [Job([("POST", "/api/v1/subnets", {"network": network})]) for network in chain]
    jobs += [Job([("POST", "/api/v1/subnets", {"network": chain[0]})])]
    got = flat(crew.run(database_url, organization.key, jobs))
    assert Counter(status for status, _ in got) == {201: len(chain), 400: 1}
    listed = organization.client.get("/api/v1/subnets").json
    assert [subnet["network"] for subnet in listed] == chain
    parents = [None, *(subnet["id"] for subnet in listed)]
    assert [subnet["parent_id"] for subnet in listed] == parents[:-1]
    check(application, organization)


def test_next_subnets_at_once(
    application: Application, organization: Organization, database_url: str, crew: Crew
) -> None:
    """Takers of the next subnet get different ones, the lowest of all."""
    subnet = add_subnet(organization, "10.0.0.0/16")
    take = ("POST", f"{subnet}/first-free-subnet", {"prefix_length": 24})
    got = flat(crew.run(database_url, organization.key, [Job([take] * 4)] * 8))
    networks = sorted(ipaddress.ip_network(body["network"]) for _, body in got)
    assert [str(network) for network in networks] == [f"10.0.{third}.0/24" for third in range(32)]
    check(application, organization)


def test_everything_at_once(
    application: Application, organization: Organization, database_url: str, crew: Crew
) -> None:
    """Takers, explicit creators, releasers and a maker of subnets share one parent."""
    subnet = add_subnet(organization, "10.0.0.0/22", gateway="10.0.0.5")
    path, first_free = f"{subnet}/addresses", f"{subnet}/first-free"
    takers = [Job([("POST", first_free, {})] * 15) for _ in range(3)]
    crowds = [Job([("POST", first_free, {"count": 7})] * 6) for _ in range(2)]
    explicit = [
        Job([("POST", path, {"ip": f"10.0.0.{start + 3 * n}"}) for n in range(40)], releases=1)
        for start in (4, 6)
    ]
    releasers = [Job([("POST", first_free, {})] * 15, seed=seed, releases=1) for seed in range(4)]
    lists: list[Request] = [
        ("POST", path, [{"ip": f"10.0.1.{n * 8 + k}"} for k in (5, 1, 3)]) for n in range(1, 12)
    ]
    others = [*explicit, *releasers, Job(lists, releases=2), tree_job(organization)]
    got = crew.run(database_url, organization.key, [*takers, *crowds, *others])
    assert {status for status, _ in flat(got[:5])} == {201}
    assert {status for status, _ in flat(got)} <= {201, 204, 400, 404}
    check(application, organization)
    left = [address["ip"] for address in organization.client.get(path).json]
    assert len(set(left)) == len(left)
    assert organization.client.get(f"{subnet}/usage").json["used"] == len(left)
    check_first_free(organization, subnet, set(left), gateway="10.0.0.5")


def tree_job(organization: Organization) -> Job:
    """Make subnets at the start of the parent and delete them again, over and over."""
    client = organization.client
    made = client.post("/api/v1/subnets", json={"network": "10.0.2.0/24"}).json["id"]
    requests: list[Request] = [
        ("POST", "/api/v1/subnets", {"network": "10.0.3.0/26", "is_pool": True}),
        ("POST", f"/api/v1/subnets/{made}/split", {"parts": 4}),
        ("POST", f"/api/v1/subnets/{made}/first-free", {}),
        ("DELETE", f"/api/v1/subnets/{made}", None),
    ]
    requests += [
        ("POST", "/api/v1/subnets", {"network": f"10.0.0.{16 * n}/28", "is_pool": True})
        for n in range(2, 12)
    ]
    return Job(requests)


def check(application: Application, organization: Organization) -> None:
    """Check that nothing drifted."""
    with application.storage.read(organization.id) as tx:
        assert list(verify(tx)) == []


def check_first_free(
    organization: Organization, subnet: str, left: set[str], *, gateway: str
) -> None:
    """Check that the lowest free address is found, one client at a time."""
    shown = organization.client.get(subnet).json
    network = ipaddress.ip_network(shown["network"])
    children = [ipaddress.ip_network(child["network"]) for child in shown["children"]]
    free = (
        str(host)
        for host in network.hosts()
        if str(host) not in left
        and str(host) != gateway
        and not any(host in child for child in children)
    )
    assert next_free(organization, subnet) == next(free)


def add_subnet(organization: Organization, network: str, **fields: Any) -> str:
    """Create a subnet and give its path."""
    answer = organization.client.post("/api/v1/subnets", json={"network": network, **fields})
    return f"/api/v1/subnets/{answer.json['id']}"


def next_free(organization: Organization, subnet: str) -> Any:
    """Give the next free address."""
    return organization.client.get(f"{subnet}/first-free").json["ip"]


def flat(answers: list[list[Answer]]) -> list[Answer]:
    """Put the answers of all processes together."""
    return [answer for each in answers for answer in each]


def addresses(answers: list[Answer]) -> list[int]:
    """Give the addresses that were assigned."""
    return [
        int(ipaddress.ip_address(row["ip"]))
        for status, body in answers
        if status == 201
        for row in (body if isinstance(body, list) else [body])
    ]


def stored(organization: Organization, subnet: str) -> list[int]:
    """Give the addresses of a subnet as it lists them."""
    listed = organization.client.get(f"{subnet}/addresses").json
    return [int(ipaddress.ip_address(row["ip"])) for row in listed]


def numbers(first: str, count: int) -> list[int]:
    """Give so many addresses in a row."""
    start = int(ipaddress.ip_address(first))
    return list(range(start, start + count))
