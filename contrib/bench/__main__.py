"""The command: ``python -m bench`` from ``contrib/``, or ``contrib/bench/run`` from anywhere."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import click

from bench.amazon import amazon
from bench.bulk import bulk
from bench.careful import careful
from bench.cascade import cascade
from bench.deliveries import deliveries
from bench.faults import faults
from bench.fullness import fullness
from bench.grounds import Effort, Grounds, say
from bench.hotspot import hotspot
from bench.interchange import interchange
from bench.limit import limits
from bench.listing import listing
from bench.memory import memory
from bench.operations import operations
from bench.outbound import outbound
from bench.rates import rates
from bench.search import searches
from bench.servers import description, postgresql
from bench.stalling import stalling
from bench.table import Line, render

PARTS: dict[str, Callable[[Grounds], list[Line]]] = {
    "limit": limits,
    "operations": operations,
    "bulk": bulk,
    "listing": listing,
    "memory": memory,
    "fullness": fullness,
    "hotspot": hotspot,
    "cascade": cascade,
    "search": searches,
    "rates": rates,
    "careful": careful,
    "amazon": amazon,
    "interchange": interchange,
    "deliveries": deliveries,
    "faults": faults,
    "outbound": outbound,
    "stalling": stalling,
}
_FILE = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
_QUICK = Effort(scale=0.01, rounds=2, requests=25, seconds=3.0)


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="Run only this part.")
@click.option("--scale", default=1.0, help="Factor on the sizes of all data sets.")
@click.option("--rounds", default=5, help="How often each operation takes its turn.")
@click.option("--requests", default=200, help="Requests per round of one client.")
@click.option("--quick", is_flag=True, help="A small run that shows that everything works.")
@click.option("--postgresql-url", help="Use this server instead of starting one.")
@click.option("--amazon", "amazon_file", type=_FILE, help="ip-ranges.json as Amazon publishes it.")
def main(
    *,
    only: Sequence[str],
    scale: float,
    rounds: int,
    requests: int,
    quick: bool,
    postgresql_url: str | None,
    amazon_file: Path | None,
) -> None:
    """Measure what IPCraft must reach and print one table.

    Exits 1 when an answer was wrong: never because one was slow.
    """
    signal.signal(signal.SIGTERM, _leave)
    effort = _QUICK if quick else Effort(scale=scale, rounds=rounds, requests=requests)
    lines: list[Line] = []
    with ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="ipcraft-bench-", ignore_cleanup_errors=True)
        scratch = Path(stack.enter_context(folder))
        server = stack.enter_context(postgresql(postgresql_url))
        servers = stack.enter_context(ExitStack())
        grounds = Grounds(server, scratch, effort, servers, amazon_file)
        try:
            for name in only or PARTS:
                lines += _part(name, grounds)
        finally:
            click.echo(f"{description(server)}; {effort}\n\n{render(lines)}")
    if any(line.broken for line in lines):
        raise SystemExit(1)


def _leave(number: int, _frame: FrameType | None) -> None:
    """Unwind on SIGTERM, so that every server started here is stopped."""
    raise SystemExit(128 + number)


def _part(name: str, grounds: Grounds) -> list[Line]:
    """Run one part; when it breaks, the others still run and the table says so."""
    say(f"== {name}")
    try:
        return PARTS[name](grounds)
    except (click.ClickException, OSError) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        say(message)
        return [Line(operation=name, fault=message[-500:])]


if __name__ == "__main__":
    main()
