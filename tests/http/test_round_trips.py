"""How often a request waits for the database and for Redis: counted where the bytes pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count as counter
from typing import Any

import pytest
from sqlalchemy import make_url

from ipcraft.plugin import Application
from ipcraft.testing import Client, Organization, make_application, make_organization
from ipcraft.testing.services import Redis
from ipcraft_apikeys.key_format import new_key

from .relays import Relay

ADDRESS = "/api/v1/addresses"
COUNTS = 3
NOBODYS = "addr_01jx0000000000000000000000"

Count = Callable[[Client, str], tuple[int, int, int]]

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")


@pytest.fixture
def database(database_url: str) -> Iterator[Relay]:
    """Give a relay to the database."""
    url = make_url(database_url)
    with Relay(url.host or "", url.port or 5432) as relay:
        yield relay


@pytest.fixture
def counts(redis: Redis) -> Iterator[Relay]:
    """Give a relay to Redis."""
    url = make_url(redis.url)
    with Relay(url.host or "", url.port or 6379) as relay:
        yield relay


@pytest.fixture
def app(database_url: str, database: Relay, counts: Relay) -> Iterator[Application]:
    """Give an application that counts requests in Redis, all through the relays."""
    url = make_url(database_url).set(host="127.0.0.1", port=database.port)
    sections = {"redis": {"url": f"redis://127.0.0.1:{counts.port}/0", "timeout": 5.0}}
    app = make_application(
        url.render_as_string(hide_password=False),
        sections=sections,
        settings={"job_queue": "local"},
    )
    yield app
    app.close()


@pytest.fixture
def count(app: Application, database: Relay, counts: Relay) -> Count:
    """Give a way to ask for something: its status, and the round trips to database and Redis.

    It is asked for once before, so that everything is connected and prepared, and the time of
    the key's use is written already. The least of some counts is what it costs: the pool opens
    and closes connections beside it.
    """

    def count(client: Client, path: str) -> tuple[int, int, int]:
        client.get(path)
        for backend in app.auth_backends:
            last_used: Any = getattr(backend, "last_used", None)
            if last_used is not None:
                last_used.settle()
        return min(once(client, path) for _ in range(COUNTS))

    def once(client: Client, path: str) -> tuple[int, int, int]:
        before = database.round_trips, counts.round_trips
        status = client.get(path).status_code
        return status, database.round_trips - before[0], counts.round_trips - before[1]

    return count


def address_of(organization: Organization) -> str:
    """Make an address and give its path."""
    made = organization.client.post("/api/v1/subnets", json={"network": "10.0.0.0/24"})
    path = f"/api/v1/subnets/{made.json['id']}/first-free"
    return f"{ADDRESS}/{organization.client.post(path).json['id']}"


def clients(app: Application, organization: Organization) -> list[Client]:
    """Give one with a key and one with a session."""
    return [organization.client, organization.browser(app)]


def test_an_address_costs_one_round_trip_in_all(app: Application, count: Count) -> None:
    """Who asks, what they have and the address come in one, with a key and with a session."""
    organization = make_organization(app, plan="enterprise")
    path = address_of(organization)
    for client in clients(app, organization):
        assert count(client, path) == (200, 1, 0)


def test_the_first_free_address_costs_one_round_trip(app: Application, count: Count) -> None:
    """In an empty subnet, and in one whose every second address is assigned."""
    client = make_organization(app, plan="enterprise").client
    subnets = client.post(
        "/api/v1/subnets", json=[{"network": "10.0.0.0/24"}, {"network": "10.0.1.0/24"}]
    )
    empty, fuller = (f"/api/v1/subnets/{each['id']}" for each in subnets.json)
    assigned = [{"ip": f"10.0.1.{host}"} for host in range(1, 254, 2)]
    assert client.post(f"{fuller}/addresses", json=assigned).status_code == 201
    for path, lowest in ((empty, "10.0.0.1"), (fuller, "10.0.1.2")):
        assert count(client, f"{path}/first-free") == (200, 1, 0)
        assert client.get(f"{path}/first-free").json == {"ip": lowest}


def test_care_costs_a_write_no_round_trip(app: Application, database: Relay) -> None:
    """A key rides along, as does a dry run's check; a tag costs the query that a GET makes."""
    client = make_organization(app, plan="enterprise").client
    subnet = client.post("/api/v1/subnets", json={"network": "10.0.0.0/24"}).json["id"]
    made = client.post(f"/api/v1/subnets/{subnet}/first-free").json["id"]
    path, numbers = f"{ADDRESS}/{made}", counter()

    def cost(**headers: str) -> int:
        before = database.round_trips
        body = {"owner": f"owner {next(numbers)}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        assert client.patch(path, json=body, headers=named).status_code == 200
        return database.round_trips - before

    def least(send: Callable[[], int]) -> int:
        return min(send() for _ in range(COUNTS))

    plain = least(cost)
    assert plain == 2
    assert least(lambda: cost(Idempotency_Key=f"key {next(numbers)}")) == plain
    tagged = least(lambda: cost(If_Match=client.get(path).headers["etag"]))
    assert tagged == plain + 1


def test_a_subnet_costs_two_round_trips_and_one_for_the_commit(
    app: Application, database: Relay
) -> None:
    """By itself and in a list: where it goes, and what is there, with the writes of the last."""
    client = make_organization(app, plan="enterprise").client
    numbers = counter()

    def cost(size: int) -> int:
        bodies = [{"network": f"10.0.{next(numbers)}.0/24"} for _ in range(size)]
        before = database.round_trips
        made = client.post("/api/v1/subnets", json=bodies if size > 1 else bodies[0])
        assert made.status_code == 201
        return database.round_trips - before

    for size in (1, 5):
        cost(size)
        assert min(cost(size) for _ in range(COUNTS)) == 2 * size + 1


def test_a_limit_costs_one_round_trip_to_redis(app: Application, count: Count) -> None:
    """And none to the database: the plan's name comes with the identity."""
    organization = make_organization(app, plan="pro")
    path = address_of(organization)
    for client in clients(app, organization):
        assert count(client, path) == (200, 1, 1)


@pytest.mark.parametrize(
    ("path", "status", "asked"),
    [
        (ADDRESS, 200, 1),
        (f"{ADDRESS}/junk", 404, 1),
        (f"{ADDRESS}/{NOBODYS}", 404, 1),
        ("/api/v1/users/junk", 404, 1),
        ("/api/v1/nowhere", 404, 0),
    ],
)
def test_an_identity_costs_one_round_trip(
    app: Application, count: Count, path: str, status: int, asked: int
) -> None:
    """Where an answer needs no query of its own, the identity's is the only one."""
    for client in clients(app, make_organization(app)):
        assert count(client, path) == (status, asked, 0)


def test_junk_costs_nothing(app: Application, count: Count) -> None:
    """No round trip for a key with a wrong checksum; one for a key that nobody made."""
    for key, asked in (("ipc_" + "a" * 40, 0), ("ipc_", 0), (f"{new_key()}x", 0), (new_key(), 1)):
        assert count(Client(app, key), ADDRESS) == (401, asked, 0)
    for session, asked in (("junk", 0), ("A" * 43, 1)):
        assert count(Client(app, session=session), ADDRESS) == (401, asked, 0)
