"""Sums that are kept are what a new sum would be, and are seldom summed up anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import update

from ipcraft.events.sequences import Sequencer
from ipcraft.plugin import Application, NotFound, Statement, delete_events, own
from ipcraft.testing import Organization, make_organization
from ipcraft_ipam import kept_sums, subnets
from ipcraft_ipam.kept_sums import KeptSums
from ipcraft_ipam.tables import subnet_usage

_SPOIL = Statement(
    update(subnet_usage)
    .where(subnet_usage.c.organization_id == own())
    .values(used=subnet_usage.c.used + 1000)
)
"""Makes every new sum a wrong one."""


@pytest.fixture(autouse=True)
def keep_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the sums of small subnets as well, and correct them by up to 100 changes."""
    monkeypatch.setattr(kept_sums, "_MANY", 0)
    monkeypatch.setattr(kept_sums, "_CHANGES_PER_COUNTER", 50)


@pytest.fixture
def sums() -> KeptSums:
    """Give sums of which none is kept yet."""
    return KeptSums()


class Inventory:
    """Be a root with two children, one address in each of them and one in the root."""

    def __init__(self, application: Application, organization: Organization) -> None:
        self.application = application
        self.organization = organization
        self.root, self.left, self.right = (
            self.post("/api/v1/subnets", {"network": network})["id"]
            for network in ("10.0.0.0/16", "10.0.0.0/24", "10.0.1.0/24")
        )
        for ip in ("10.0.0.1", "10.0.1.1", "10.0.2.1"):
            self.assign(ip)

    def post(self, path: str, body: object) -> Any:
        """Make something."""
        answer = self.organization.client.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json

    def assign(self, ip: str) -> str:
        """Assign an address, and give its id."""
        path = f"/api/v1/subnets/{self.root}/addresses"
        identifier: str = self.post(path, {"ip": ip})["id"]
        return identifier

    def delete(self, path: str) -> None:
        """Delete something."""
        assert self.organization.client.delete(path).status_code == 204

    def count(self) -> None:
        """Give the events their sequence."""
        app = self.application
        Sequencer(app.storage, sinks=[], clock=app.clock, tell=lambda: None).run()

    def spoil(self) -> None:
        """Have every new sum be wrong."""
        self.application.storage.transact(self.organization.id, lambda tx: tx.write(_SPOIL))


@pytest.fixture
def inventory(application: Application, organization: Organization) -> Inventory:
    """Make an inventory."""
    return Inventory(application, organization)


def used(inventory: Inventory, sums: KeptSums, subnet_id: str | None = None) -> int:
    """Give how many addresses are used, of the root by default."""
    with inventory.application.storage.look(inventory.organization.id) as reader:
        return sums.usage(reader, subnet_id or inventory.root).used


def summed(inventory: Inventory, subnet_id: str | None = None) -> int:
    """Sum up the same anew."""
    with inventory.application.storage.look(inventory.organization.id) as reader:
        return subnets.get_with_usage(reader, subnet_id or inventory.root)[1].used


def test_a_small_sum_is_summed_up_each_time(
    inventory: Inventory, sums: KeptSums, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has few counters is not kept."""
    monkeypatch.setattr(kept_sums, "_MANY", 4)
    assert used(inventory, sums) == 3
    inventory.spoil()
    assert used(inventory, sums) == summed(inventory) == 3003


def test_a_large_sum_is_not_summed_up_again(
    inventory: Inventory, sums: KeptSums, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is corrected by what came and went, in whatever subnet inside it."""
    monkeypatch.setattr(kept_sums, "_MANY", 3)
    assert used(inventory, sums) == 3
    inventory.spoil()
    assert used(inventory, sums) == 3
    first = inventory.assign("10.0.0.2")
    inventory.post(f"/api/v1/subnets/{inventory.right}/first-free", {"count": 5})
    assert used(inventory, sums) == 9
    inventory.count()
    inventory.delete(f"/api/v1/addresses/{first}")
    assert used(inventory, sums) == 8
    inventory.delete(f"/api/v1/subnets/{inventory.right}")
    assert used(inventory, sums) == 2 - 1000, "the deletion tells the counter, which is wrong here"


@pytest.mark.parametrize(
    "change",
    [
        lambda its: its.post("/api/v1/subnets", {"network": "10.0.2.0/24"}),
        lambda its: its.post("/api/v1/subnets", {"network": "10.0.0.0/8"}),
        lambda its: its.post("/api/v1/subnets", {"network": "10.0.0.0/17"}),
        lambda its: its.post(f"/api/v1/subnets/{its.left}/split", {"parts": 4}),
        lambda its: its.post(f"/api/v1/subnets/{its.root}/split", {"parts": 4}),
        lambda its: its.delete(f"/api/v1/subnets/{its.left}"),
        lambda its: its.post(
            f"/api/v1/subnets/{its.root}/addresses", [{"ip": f"10.0.3.{n}"} for n in range(1, 60)]
        ),
        lambda its: its.organization.client.patch(
            f"/api/v1/subnets/{its.left}", json={"name": "x"}
        ),
    ],
    ids=["inside", "around", "between", "split", "split it", "delete", "many", "rename"],
)
@pytest.mark.parametrize("is_counted", [True, False])
def test_a_kept_sum_is_what_a_new_one_would_be(
    inventory: Inventory,
    sums: KeptSums,
    change: Callable[[Inventory], object],
    is_counted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Whatever happens to the tree."""
    for subnet_id in (inventory.root, inventory.right):
        used(inventory, sums, subnet_id)
    change(inventory)
    if is_counted:
        inventory.count()
    for subnet_id in (inventory.root, inventory.right):
        assert used(inventory, sums, subnet_id) == summed(inventory, subnet_id)


def test_addresses_elsewhere_are_not_in_it(inventory: Inventory, sums: KeptSums) -> None:
    """Of another VRF, beside it, and of the other family."""
    assert used(inventory, sums) == 3
    vrf_id = inventory.post("/api/v1/vrfs", {"name": "B"})["id"]
    for network, ip, vrf in (
        ("10.0.0.0/16", "10.0.0.9", vrf_id),
        ("10.1.0.0/16", "10.1.0.1", None),
        ("fd00::/64", "fd00::1", None),
    ):
        subnet = inventory.post("/api/v1/subnets", {"network": network, "vrf_id": vrf})
        inventory.post(f"/api/v1/subnets/{subnet['id']}/addresses", {"ip": ip})
        assert used(inventory, sums, subnet["id"]) == 1
        assert used(inventory, sums) == 3
        inventory.delete(f"/api/v1/subnets/{subnet['id']}")
        assert used(inventory, sums) == 3


def test_what_is_usable_is_up_to_date(
    application: Application, inventory: Inventory, sums: KeptSums
) -> None:
    """A change of the subnet itself is seen."""
    path = f"/api/v1/subnets/{inventory.root}"
    totals = []
    for is_pool in (False, True):
        answer = inventory.organization.client.patch(path, json={"is_pool": is_pool})
        assert answer.status_code == 200
        with application.storage.look(inventory.organization.id) as reader:
            totals.append(sums.usage(reader, inventory.root).total)
    assert totals == [65534, 65536]


def test_more_changes_than_are_worth_it(
    inventory: Inventory, sums: KeptSums, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is summed up anew, and kept from then on."""
    monkeypatch.setattr(kept_sums, "_CHANGES_PER_COUNTER", 1)
    assert used(inventory, sums) == 3
    inventory.spoil()
    inventory.post(f"/api/v1/subnets/{inventory.right}/first-free", {"count": 3})
    assert used(inventory, sums) == 6
    inventory.post(f"/api/v1/subnets/{inventory.right}/first-free", {"count": 4})
    assert used(inventory, sums) == summed(inventory) == 3010
    inventory.spoil()
    assert used(inventory, sums) == 3010


def test_removed_events_are_missed(
    application: Application, inventory: Inventory, sums: KeptSums
) -> None:
    """What retention has removed since then might have been an address."""
    assert used(inventory, sums) == 3
    inventory.assign("10.0.0.2")
    inventory.count()
    application.storage.transact(
        inventory.organization.id, lambda tx: delete_events(tx, before=1 << 40, sinks=[])
    )
    assert used(inventory, sums) == 4


def test_a_deleted_subnet_is_not_found(inventory: Inventory, sums: KeptSums) -> None:
    """Also when it was kept; and nobody had it before."""
    assert used(inventory, sums, inventory.left) == 1
    inventory.delete(f"/api/v1/subnets/{inventory.left}")
    for subnet_id in (inventory.left, inventory.left, "sub_unknown"):
        with pytest.raises(NotFound):
            used(inventory, sums, subnet_id)
    assert inventory.left not in str(sums._kept)


def test_another_organization_has_no_such_subnet(
    application: Application, inventory: Inventory, sums: KeptSums
) -> None:
    """What was kept for one is nobody else's."""
    assert used(inventory, sums) == 3
    other = make_organization(application)
    with application.storage.look(other.id) as reader, pytest.raises(NotFound):
        sums.usage(reader, inventory.root)


def test_not_all_is_kept_for_ever(
    inventory: Inventory, sums: KeptSums, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory has an end."""
    monkeypatch.setattr(kept_sums, "_MOST_KEPT", 2)
    for _ in range(2):
        for subnet_id in (inventory.root, inventory.left, inventory.right):
            assert used(inventory, sums, subnet_id) == summed(inventory, subnet_id)
            assert len(sums._kept) <= 2


def test_a_sum_is_right_while_addresses_come_and_go(
    inventory: Inventory, sums: KeptSums, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over HTTP: what is answered is never less than what was acknowledged before."""
    monkeypatch.setattr(kept_sums, "_CHANGES_PER_COUNTER", 3)
    writers, each = 4, 30
    client = inventory.organization.client
    acknowledged: list[str] = []
    over = threading.Event()

    def write(writer: int) -> None:
        subnet_id = (inventory.root, inventory.left, inventory.right)[writer % 3]
        for number in range(each):
            answer = client.post(f"/api/v1/subnets/{subnet_id}/first-free", json={})
            assert answer.status_code == 201
            acknowledged.append(answer.json["id"])
            if number % 3 == 0:
                inventory.delete(f"/api/v1/addresses/{answer.json['id']}")
                acknowledged.remove(answer.json["id"])

    def read() -> None:
        while not over.is_set():
            least = len(acknowledged) - writers
            answer = client.get(f"/api/v1/subnets/{inventory.root}/usage")
            assert least <= answer.json["used"] <= 3 + writers * each
            inventory.count()

    with ThreadPoolExecutor(writers + 2) as threads:
        reading = [threads.submit(read) for _ in range(2)]
        writing = [threads.submit(write, writer) for writer in range(writers)]
        for future in writing:
            future.result()
        over.set()
        for future in reading:
            future.result(30)
    answer = client.get(f"/api/v1/subnets/{inventory.root}/usage")
    assert answer.json["used"] == summed(inventory) == 3 + len(acknowledged)
