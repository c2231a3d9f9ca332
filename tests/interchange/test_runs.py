"""Runs of imports that are cut, overtaken, deleted or forgotten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ipcraft.app import Application
from ipcraft.plugin import Storage, Unavailable
from ipcraft.testing import Clock, Organization, make_application, make_organization
from ipcraft_interchange import imports
from ipcraft_interchange.imports import StoredImport
from ipcraft_interchange.runs import Runs
from ipcraft_interchange.services import importers

from .conftest import drifts, rows, settled, total

DAY = 86_400


class Cut:
    """Be an application whose database goes away before the transaction of a number."""

    def __init__(self, app: Application, *, before: int) -> None:
        self.app = app
        self.storage = CutStorage(app.storage, left=before)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.app, name)


class CutStorage:
    """Be the storage of an application, as long as there are transactions left."""

    def __init__(self, storage: Storage, *, left: int) -> None:
        self._storage = storage
        self._left = left

    def transact(self, *args: Any, **options: Any) -> Any:
        """Run a transaction; or do what is done when none is left."""
        if self._left == 0:
            self.interrupt()
        self._left -= 1
        return self._storage.transact(*args, **options)

    def interrupt(self) -> None:
        """Be gone."""
        raise Unavailable("the database is gone")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


def body(count: int) -> bytes:
    """Give a file with a folder, a VRF, subnets in it and an address in each."""
    lines = [f"10.{n // 250}.{n % 250}.1/24,host{n},Red" for n in range(count)]
    return "\n".join(["ip,hostname,vrf", *lines]).encode()


@pytest.fixture
def keep(application: Application, organization: Organization) -> Callable[..., StoredImport]:
    """Give a way to keep an upload that no job is ordered for."""

    def keep(content: bytes, *, run: bool = True) -> StoredImport:
        def work(tx: Any) -> StoredImport:
            stored = imports.create(
                tx,
                files=["plan.csv"],
                size=len(content),
                choices={},
                run=run,
                skip_bad_rows=False,
                most_waiting=20,
            )
            imports.add_pieces(tx, stored.id, 0, [content])
            return stored

        return application.storage.transact(organization.id, work)

    return keep


def work(app: Any, organization: Organization, stored: StoredImport) -> None:
    """Do what the job does."""
    payload = {"organization_id": organization.id, "import_id": stored.id}
    Runs(app, lambda: importers(getattr(app, "app", app))).run(payload)


def shown(organization: Organization, stored: StoredImport) -> Mapping[str, Any]:
    """Give the import as it is shown."""
    found: Mapping[str, Any] = organization.client.get(f"/api/v1/imports/{stored.id}").json
    return found


@pytest.mark.parametrize("before", range(7))
def test_a_run_that_is_cut_is_made_whole(
    application: Application,
    organization: Organization,
    keep: Callable[..., StoredImport],
    before: int,
) -> None:
    """Wherever the database goes away, the next run finds what is there and makes the rest."""
    stored = keep(body(450))
    with pytest.raises(Unavailable):
        work(Cut(application, before=before), organization, stored)
    assert shown(organization, stored)["state"] in ("checking", "running")
    work(application, organization, stored)
    found = shown(organization, stored)
    assert (found["state"], found["finished_at"] is not None) == ("done", True)
    assert found["counts"]["addresses"]["created"] == 450
    assert found["counts"]["total"]["refused"] == 0
    assert len(organization.client.get("/api/v1/addresses").json) == 450
    assert len(organization.client.get("/api/v1/vrfs").json) == 1
    assert drifts(application, organization) == []


def test_a_run_of_what_is_done_does_nothing(
    application: Application, organization: Organization, keep: Callable[..., StoredImport]
) -> None:
    """An order may come twice; the second one finds the import done."""
    stored = keep(body(3))
    work(application, organization, stored)
    before = shown(organization, stored)
    work(application, organization, stored)
    assert shown(organization, stored) == before


def meddled(app: Application, *, before: int, deed: Callable[[], None]) -> Cut:
    """Give an application in which somebody does something before the transaction of a number."""
    made = Cut(app, before=before)
    made.storage.interrupt = deed  # type: ignore[method-assign]
    return made


def test_a_deleted_import_stops(
    application: Application, organization: Organization, keep: Callable[..., StoredImport]
) -> None:
    """Whoever deletes an import under way has no more of it written, and no trace of it."""
    stored = keep(body(5))
    url = f"/api/v1/imports/{stored.id}"

    def delete() -> None:
        assert organization.client.delete(url).status_code == 204

    work(meddled(application, before=0, deed=delete), organization, stored)
    assert organization.client.get(url).status_code == 404
    assert organization.client.get("/api/v1/subnets").json == []


def test_who_was_faster_keeps_it(
    application: Application, organization: Organization, keep: Callable[..., StoredImport]
) -> None:
    """What somebody else made between check and write is told in its row; the rest is written."""
    network = "10.0.0.0/24"
    assert organization.client.post("/api/v1/subnets", json={"network": network}).status_code == 201
    [subnet] = organization.client.get("/api/v1/subnets").json
    stored = keep(b"ip,hostname\n10.0.0.5,file\n10.0.0.6,file\n")

    def overtake() -> None:
        answer = organization.client.post(
            f"/api/v1/subnets/{subnet['id']}/addresses", json={"ip": "10.0.0.5"}
        )
        assert answer.status_code == 201

    # The first transaction keeps the report, the second one writes.
    work(meddled(application, before=1, deed=overtake), organization, stored)
    found = shown(organization, stored)
    assert found["state"] == "done"
    hosts = {
        each["ip"]: each["hostname"] for each in organization.client.get("/api/v1/addresses").json
    }
    assert hosts == {"10.0.0.5": "file", "10.0.0.6": "file"}
    assert drifts(application, organization) == []


def test_old_and_stuck_imports_are_tidied(database_url: str) -> None:
    """What nobody ran is forgotten after 30 days; what never ended is given up after one."""
    clock = Clock(1_700_000_000)
    app = make_application(database_url, clock=clock)
    organization = make_organization(app)

    def make(tx: Any) -> StoredImport:
        return imports.create(
            tx, files=["a"], size=1, choices={}, run=False, skip_bad_rows=False, most_waiting=20
        )

    stored = app.storage.transact(organization.id, make)
    runs = Runs(app, lambda: importers(app))
    clock.advance(seconds=DAY)
    runs.tidy()
    assert state_of(app, organization, stored) == "checking"
    clock.advance(seconds=1)
    runs.tidy()
    assert state_of(app, organization, stored) == "failed"
    clock.advance(seconds=30 * DAY)
    runs.tidy()
    assert state_of(app, organization, stored) == "failed"
    clock.advance(seconds=1)
    runs.tidy()
    assert state_of(app, organization, stored) is None
    app.close()


def state_of(app: Application, organization: Organization, stored: StoredImport) -> str | None:
    """Give the state of an import, None for one that is forgotten."""
    storage: Storage = app.storage
    with storage.look(organization.id) as reader:
        return next((each.state for each in imports.listed(reader) if each.id == stored.id), None)


def test_a_failed_import_is_run_again(
    application: Application, organization: Organization, keep: Callable[..., StoredImport]
) -> None:
    """One that was given up can be run, because its file is still there."""
    stored = keep(b"network\n10.0.0.0/24\n")
    runs = Runs(application, lambda: importers(application))
    runs.give_up(organization.id, stored.id, "the disk was full")
    assert shown(organization, stored)["reason"] == "the disk was full"
    answer = organization.client.post(f"/api/v1/imports/{stored.id}/run")
    assert answer.status_code == 202
    found = settled(organization, stored.id)
    assert (found["state"], found["reason"], total(found)) == ("done", None, {"created": 1})
    assert [row["outcome"] for row in rows(organization, found)] == ["created"]


def test_a_failed_import_is_checked_before_it_is_written(
    application: Application, organization: Organization, keep: Callable[..., StoredImport]
) -> None:
    """One that failed before its check has no report yet: bad rows stop it all the same."""
    stored = keep(b"network\n10.0.0.0/24\n10.0.1.1/24\n")
    Runs(application, lambda: importers(application)).give_up(organization.id, stored.id, "oh")
    assert organization.client.post(f"/api/v1/imports/{stored.id}/run").status_code == 202
    found = settled(organization, stored.id)
    assert (found["state"], total(found)) == ("checked", {"created": 1, "refused": 1})
    assert organization.client.get("/api/v1/subnets").json == []
