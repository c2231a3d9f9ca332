"""What the check of a limit costs: nothing where there is none, and one count for a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.engine import Dialect

from ipcraft.plugin import Application, CompiledStatement, Statement, Transaction
from ipcraft.testing import Organization, make_application, make_organization

ENDLESS = {
    "users": 1_000_000,
    "sections": 1_000_000,
    "subnets": 1_000_000,
    "addresses": 1_000_000,
    "api_access": "read-write",
    "rate_limit": "unlimited",
    "activity_days": "unlimited",
}
LIST = 3000


class Spy:
    """Write down which statements are asked for, and which locks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: list[str] = []
        self.locks: list[tuple[str, ...]] = []
        compiled, lock = Statement.compile, Transaction.lock

        def compile_(statement: Statement[Any], dialect: Dialect) -> CompiledStatement:
            found = compiled(statement, dialect)
            self.statements.append(found.sql)
            return found

        def lock_(tx: Transaction, *name: str) -> None:
            self.locks.append(name)
            lock(tx, *name)

        monkeypatch.setattr(Statement, "compile", compile_)
        monkeypatch.setattr(Transaction, "lock", lock_)

    def over(self, work: Callable[[], None]) -> tuple[list[str], list[tuple[str, ...]]]:
        """Give what some work asks for."""
        self.statements.clear()
        self.locks.clear()
        work()
        return self.statements[:], self.locks[:]


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    """Watch every transaction."""
    return Spy(monkeypatch)


@pytest.fixture
def without_plans(database_url: str) -> Iterator[Application]:
    """Give an application of the same database whose inventory nobody limits."""
    app = make_application(database_url, disable=["plans"])
    yield app
    app.storage.close()


@pytest.fixture
def application(database_url: str) -> Iterator[Application]:
    """Give an application whose catalogue has the plan `endless`, of limits nobody reaches."""
    sections = {"plans": {"catalogue": {"endless": ENDLESS}}}
    app = make_application(database_url, sections=sections)
    yield app
    app.storage.close()


def create_everything(organization: Organization) -> None:
    """Make something of each kind, by each way there is."""
    client = organization.client
    subnet = client.post("/api/v1/subnets", json={"network": "10.0.0.0/16"}).json["id"]
    other = client.post("/api/v1/subnets", json={"network": "10.1.0.0/24"}).json["id"]
    answers = [
        client.post("/api/v1/sections", json={"name": "x"}),
        client.post("/api/v1/subnets", json=[{"network": "10.2.0.0/24"}]),
        client.post(f"/api/v1/subnets/{other}/split", json={"parts": 2}),
        client.post(f"/api/v1/subnets/{subnet}/first-free-subnet", json={"prefix_length": 30}),
        client.post(f"/api/v1/subnets/{subnet}/addresses", json={"ip": "10.0.9.1"}),
        client.post(f"/api/v1/subnets/{subnet}/addresses", json=addresses(20)),
        client.post(f"/api/v1/subnets/{subnet}/first-free", json={"count": 3}),
    ]
    assert [answer.status_code for answer in answers] == [201] * len(answers)


def addresses(count: int) -> list[dict[str, str]]:
    """Give a list of addresses to create."""
    return [{"ip": f"10.0.{number // 200 + 20}.{number % 200 + 1}"} for number in range(count)]


def test_without_limits_nothing_is_asked(
    spy: Spy, application: Application, without_plans: Application
) -> None:
    """Statement by statement and lock by lock the same as where plans are unknown."""
    free = make_organization(without_plans)
    unlimited = make_organization(application)
    expected = spy.over(lambda: create_everything(free))
    assert spy.over(lambda: create_everything(unlimited)) == expected


def test_a_list_is_counted_once(spy: Spy, application: Application) -> None:
    """One lock and one query for a list, however long it is."""
    organization = make_organization(application, plan="endless")
    made = organization.client.post("/api/v1/subnets", json={"network": "10.0.0.0/16"})
    path = f"/api/v1/subnets/{made.json['id']}/addresses"

    def create() -> None:
        assert organization.client.post(path, json=addresses(LIST)).status_code == 201

    statements, locks = spy.over(create)
    assert locks.count(("plan", "addresses")) == 1
    assert len([sql for sql in statements if "subnet_usage" in sql and "sum(" in sql]) == 1


def test_what_is_deleted_or_changed_is_not_counted(spy: Spy, application: Application) -> None:
    """A limit concerns who makes more."""
    organization = make_organization(application, plan="endless")
    client = organization.client
    section = client.post("/api/v1/sections", json={"name": "x"}).json["id"]
    subnet = client.post("/api/v1/subnets", json={"network": "10.0.0.0/16"}).json["id"]
    address = client.post(f"/api/v1/subnets/{subnet}/first-free", json={}).json["id"]

    def work() -> None:
        client.patch(f"/api/v1/sections/{section}", json={"name": "y"})
        client.patch(f"/api/v1/addresses/{address}", json={"hostname": "y"})
        for path in (f"addresses/{address}", f"subnets/{subnet}", f"sections/{section}"):
            assert client.delete(f"/api/v1/{path}").status_code == 204

    _, locks = spy.over(work)
    assert not [name for name in locks if name[0] == "plan"]
