"""Where the benchmark runs: servers and data sets, each made when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import click

from bench.datasets import Inventory, Shape, build
from bench.messages import Endpoint
from bench.servers import WORKERS, Site, bare_application, database, ipcraft_site
from ipcraft.testing.services import PostgreSQL, Redis


@dataclass(frozen=True, slots=True)
class Effort:
    """Say how much is measured."""

    scale: float = 1.0
    """Factor on the sizes of all data sets."""
    rounds: int = 5
    """How often each operation takes its turn."""
    requests: int = 200
    """Requests per round and client count of 1; sixteen clients send four times as many."""
    seconds: float = 8.0
    """When a round ends, done or not."""

    def __str__(self) -> str:
        amounts = f"{self.amount(1)} requests (16 clients: {self.amount(16)})"
        return f"scale {self.scale:g}, {self.rounds} rounds of {amounts}"

    def sized(self, number: int, *, least: int = 1) -> int:
        """Scale a number of rows."""
        return max(least, int(number * self.scale))

    def amount(self, clients: int) -> int:
        """Give the number of requests of one round."""
        return self.requests if clients == 1 else self.requests * 4


@dataclass(slots=True)
class Grounds:
    """Start and remember what the measurements share."""

    server: PostgreSQL
    scratch: Path
    effort: Effort
    stack: ExitStack
    amazon: Path | None
    _bare: tuple[Endpoint, str] | None = None
    _redis: Redis | None = None
    _sites: dict[str, Site] = field(default_factory=dict[str, Site])
    _inventories: dict[str, Inventory] = field(default_factory=dict[str, Inventory])

    @property
    def bare_rows(self) -> int:
        """Give the number of rows the bare application selects from."""
        return self.effort.sized(300_000, least=1_000)

    @property
    def bare(self) -> Endpoint:
        """Give the bare application."""
        return self._bare_application()[0]

    @property
    def bare_database(self) -> str:
        """Give the database of the bare application."""
        return self._bare_application()[1]

    def _bare_application(self) -> tuple[Endpoint, str]:
        if self._bare is None:
            say("starting the bare application")
            url = self.stack.enter_context(database(self.server))
            served = bare_application(url, self.scratch, rows=self.bare_rows)
            self._bare = (self.stack.enter_context(served), url)
        return self._bare

    def site(
        self,
        name: str,
        *,
        workers: int = WORKERS,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> Site:
        """Give the IPCraft with this name; each has its own database and server."""
        if name not in self._sites:
            say(f"starting IPCraft: {name}")
            url = self.stack.enter_context(database(self.server))
            served = ipcraft_site(
                self.server,
                self.scratch,
                name=name,
                database_url=url,
                workers=workers,
                variables=variables,
            )
            self._sites[name] = self.stack.enter_context(served)
        return self._sites[name]

    @property
    def redis(self) -> Redis:
        """Give a Redis."""
        if self._redis is None:
            say("starting Redis")
            self._redis = self.stack.enter_context(Redis())
        return self._redis

    def inventory(self, shape: Shape, *, site: str | None = None) -> Inventory:
        """Give a data set, on a site of its own unless another is named."""
        if shape.name not in self._inventories:
            scaled = shape.scaled(self.effort.scale)
            home = self.site(site or shape.name)
            say(
                f"data set {shape.name}: {scaled.subnets:,} subnets, {scaled.addresses:,} addresses"
            )
            self._inventories[shape.name] = build(scaled, home)
        return self._inventories[shape.name]


def say(text: str) -> None:
    """Tell on standard error what is going on; standard output is for the table."""
    click.echo(text, err=True)
