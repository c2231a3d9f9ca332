"""What exists already is refused for what it is: the database's own refusal is for races."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ipcraft.app import Application
from ipcraft.data.transactions import Transaction
from ipcraft.plugin import Invalid
from ipcraft.testing.organizations import Organization
from ipcraft_ipam import addresses, bulk, hierarchy
from ipcraft_ipam.networks import parse_address, parse_network

NETWORK, IP = parse_network("10.0.0.0/24"), parse_address("10.0.0.1")

Again = Callable[[Transaction, str], object]

AGAIN: dict[str, tuple[Again, str]] = {
    "a subnet": (lambda tx, _: hierarchy.create(tx, NETWORK, {}), "subnet_overlap"),
    "an address": (lambda tx, subnet: addresses.create(tx, subnet, {"ip": IP}), "address_taken"),
    "an address of a list": (
        lambda tx, subnet: bulk.create_many(tx, subnet, [{"ip": IP + 1}, {"ip": IP}]),
        "address_taken",
    ),
    "an address twice in a list": (
        lambda tx, subnet: bulk.create_many(tx, subnet, [{"ip": IP + 1}, {"ip": IP + 1}]),
        "address_taken",
    ),
}


@pytest.mark.parametrize("name", AGAIN)
def test_a_duplicate_is_refused_at_the_first_attempt(
    application: Application, organization: Organization, name: str
) -> None:
    """It is looked up, so that no attempt runs into a constraint, is repeated, and ends as 503."""
    again, code = AGAIN[name]
    transact = application.storage.transact
    subnet, _ = transact(organization.id, lambda tx: hierarchy.create(tx, NETWORK, {}))
    transact(organization.id, lambda tx: addresses.create(tx, subnet.id, {"ip": IP}))
    attempts: list[int] = []

    def work(tx: Transaction) -> None:
        attempts.append(tx.attempt)
        again(tx, subnet.id)

    with pytest.raises(Invalid) as refusal:
        transact(organization.id, work)
    assert refusal.value.code == code
    assert attempts == [1]
