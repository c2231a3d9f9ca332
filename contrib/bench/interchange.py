"""`ipcraft import` of many addresses, and `ipcraft export`: rows a second and memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.datasets import dotted
from bench.figures import Series
from bench.grounds import Grounds, say
from bench.servers import database, ipcraft, measured, organization_command, settings
from bench.table import Goal, Line

_ROWS = 100_000
_HOSTS = 250
_BASE = 10 << 24
_MIB = 1 << 20
_GOALS = {"sqlite": 5_000, "postgresql": 10_000}
_FLAT = {"sqlite": 64 + 32, "postgresql": 32}
"""MiB; SQLite keeps up to 64 MiB of a database at hand, which a few rows do not fill."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Be an empty installation, with an organization in it."""

    storage: str
    environment: Mapping[str, str]
    folder: Path

    def run(self, *arguments: str) -> tuple[float, int]:
        return measured(arguments, environment=self.environment, log=self.folder / "log")


def interchange(grounds: Grounds) -> list[Line]:
    """Import a table of addresses, again, and export them, on each storage."""
    rows = grounds.effort.sized(_ROWS, least=1_000)
    folder = grounds.scratch / "interchange"
    folder.mkdir()
    few, many = folder / "few.csv", folder / "many.csv"
    _write(few, range(rows, rows + rows // 10))
    _write(many, range(rows))
    networks = folder / "networks.csv"
    blocks = range((rows + rows // 10) // _HOSTS + 1)
    networks.write_text("network\n" + "".join(f"{dotted(_BASE + n * 256)}/24\n" for n in blocks))
    lines: list[Line] = []
    for storage in _GOALS:
        with _place(grounds, storage, folder / storage) as place:
            lines += _measure(place, networks, few, many, rows=rows)
    return lines


def _measure(place: _Place, networks: Path, few: Path, many: Path, *, rows: int) -> list[Line]:
    say(f"ipcraft import and export, {place.storage}")
    place.run("import", str(networks))
    _, little = place.run("import", str(few))
    seconds, much = place.run("import", str(many))
    again, _ = place.run("import", str(many))
    exporting, _ = place.run("export", str(place.folder / "all.zip"))
    verified = ipcraft(["verify"], environment=place.environment).decode()
    data = f"{rows:,} rows"
    growth = (much - little) / _MIB
    return [
        Line(
            operation=f"ipcraft import, {place.storage}",
            series=Series.once(seconds),
            data=data,
            value=rows / seconds,
            goals=(Goal("value", ">=", _GOALS[place.storage], " rows/s"),),
            note=f"{rows / seconds:,.0f} rows/s",
            fault="" if "no drift" in verified else verified,
        ),
        Line(
            operation=f"memory of it, {place.storage}",
            data=data,
            value=growth,
            goals=(Goal("value", "<=", _FLAT[place.storage], " MiB"),),
            note=f"{growth:.0f} MiB more than for a tenth; {much / _MIB:.0f} MiB in all",
        ),
        Line(
            operation=f"ipcraft import, again, {place.storage}",
            series=Series.once(again),
            data=data,
            note=f"{rows / again:,.0f} rows/s",
        ),
        Line(
            operation=f"ipcraft export, {place.storage}",
            series=Series.once(exporting),
            data=data,
            note=f"{rows * 1.1 / exporting:,.0f} rows/s",
        ),
    ]


@contextmanager
def _place(grounds: Grounds, storage: str, folder: Path) -> Iterator[_Place]:
    folder.mkdir()
    with ExitStack() as stack:
        url = (
            f"sqlite:///{folder / 'ipcraft.db'}"
            if storage == "sqlite"
            else stack.enter_context(database(grounds.server))
        )
        environment = {**os.environ, **settings(url)}
        ipcraft(["db", "upgrade"], environment=environment)
        ipcraft(organization_command("interchange"), environment=environment)
        yield _Place(storage, environment, folder)


def _write(path: Path, numbers: range) -> None:
    with path.open("w") as file:
        file.write("ip,hostname,mac_address,description,status,owner\n")
        for number in numbers:
            block, host = divmod(number, _HOSTS)
            mac = f"00:1a:2b:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
            file.write(
                f"{dotted(_BASE + block * 256 + host + 1)},host-{number}.example,{mac},"
                f"Server {number},active,team-{number % 7}\n"
            )
