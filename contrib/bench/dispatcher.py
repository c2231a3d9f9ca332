"""A process that tells webhooks, and makes the changes that they are told of.

``python -m bench.dispatcher DATABASE ORGANIZATION EVENTS RATE`` commits so many events, so many a
second, prints the id and the time of each commit as JSON, and ends when its input does.
Without events it does what it finds.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import IO

import orjson
from sqlalchemy import select

from ipcraft.plugin import Change, Row, Statement, Transaction, events, new_id, own
from ipcraft.testing import make_application

SETTINGS = {"allowed_networks": ["127.0.0.0/8"]}
"""The settings of everybody here: what is local may be reached."""

_CONTRIB = Path(__file__).resolve().parent.parent
_LAST: Statement[Row] = Statement(
    select(events.c.id)
    .where(events.c.organization_id == own())
    .order_by(events.c.id.desc())
    .limit(1)
)


@contextmanager
def dispatcher(
    database_url: str, organization_id: str, *, number: int = 0, rate: float = 1.0
) -> Iterator[IO[bytes]]:
    """Run the process; give what it prints."""
    command = [sys.executable, "-m", "bench.dispatcher", database_url, organization_id]
    process = subprocess.Popen(
        [*command, str(number), str(rate)],
        cwd=_CONTRIB,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def change(number: int) -> Change:
    """Make a change of an address, with as much to tell of it as there usually is."""
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return Change(
        type="address.updated",
        resource_id=new_id("addr"),
        label=address,
        details=f"Updated address {address}",
        data={"hostname": f"host-{number}.example.com", "status": "active", "owner": "Network"},
    )


def _main(database_url: str, organization_id: str, number: int, rate: float) -> None:
    app = make_application(database_url, settings=SETTINGS)
    app.drains.begin()

    def commit(made: Change) -> str:
        def work(tx: Transaction) -> str:
            tx.record(made)
            tx.settle()
            return str(tx.value(_LAST))

        return app.storage.transact(organization_id, work)

    committed: dict[str, float] = {}
    began, pause = time.monotonic(), Event()
    for count in range(number):
        pause.wait(max(began + count / rate - time.monotonic(), 0))
        identifier = commit(change(count))
        committed[identifier] = time.time()
    sys.stdout.buffer.write(orjson.dumps(committed) + b"\n")
    sys.stdout.buffer.flush()
    sys.stdin.read()
    app.close()


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
