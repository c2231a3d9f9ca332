"""The inventory's commands, run on each storage."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ipcraft.app import Application
from ipcraft.cli.program import program
from ipcraft.plugin import Transaction
from ipcraft.testing.organizations import Organization
from ipcraft_ipam.hierarchy import create
from ipcraft_ipam.networks import parse_network

Run = Callable[..., Result]
Make = Callable[..., None]


@pytest.fixture
def run(application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a way to run `ipcraft` on the application's database, in an empty folder."""
    for name in [name for name in os.environ if name.startswith("IPCRAFT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        database = ("--database", application.settings.database_url)
        return CliRunner().invoke(program, [*database, *arguments], prog_name="ipcraft")

    return run


@pytest.fixture
def make(application: Application, organization: Organization) -> Make:
    """Give a way to make subnets, each named after its place in the list."""

    def make(*networks: str) -> None:
        application.storage.transact(organization.id, lambda tx: _create(tx, networks))

    return make


def _create(tx: Transaction, networks: Sequence[str]) -> None:
    for index, network in enumerate(networks):
        create(tx, parse_network(network), {"name": f"net {index}"})
