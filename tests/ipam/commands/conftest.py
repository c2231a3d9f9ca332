"""Subnets for the inventory's commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from ipcraft.app import Application
from ipcraft.plugin import Transaction
from ipcraft.testing.organizations import Organization
from ipcraft_ipam.hierarchy import create
from ipcraft_ipam.networks import parse_network

Make = Callable[..., None]


@pytest.fixture
def make(application: Application, organization: Organization) -> Make:
    """Give a way to make subnets, each named after its place in the list."""

    def make(*networks: str) -> None:
        application.storage.transact(organization.id, lambda tx: _create(tx, networks))

    return make


def _create(tx: Transaction, networks: Sequence[str]) -> None:
    for index, network in enumerate(networks):
        create(tx, parse_network(network), {"name": f"net {index}"})
