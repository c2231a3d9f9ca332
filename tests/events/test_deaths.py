"""Processes are killed at every step of an event's way: it comes all the same."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Clock, make_organization

from . import dying
from .conftest import Make, record, stored

TAKEN_TWICE = {"File.deliver after", "Dispatcher._write before", "Dispatcher._write after"}
"""Who dies there, or another hand of its process, has taken events, and nobody knows."""


@pytest.mark.parametrize("step", dying.STEPS)
def test_a_death_only_delays(
    application: Application, make: Make, clock: Clock, tmp_path: Path, step: str
) -> None:
    """Whatever the step: every event comes, in order, with one sequence and one id."""
    organizations = [make_organization(application).id for _ in range(2)]
    for organization_id in organizations:
        application.storage.transact(organization_id, lambda tx: record(tx, 150))
    lines = tmp_path / "lines"
    command = [sys.executable, "-m", "tests.events.dying"]
    command += [application.settings.database_url, str(clock()), str(lines), step]
    root = Path(__file__).parents[2]
    died = subprocess.run(command, cwd=root, check=False, timeout=120)
    assert died.returncode == -9
    clock.advance(seconds=31)
    way = make(dying.File(lines))
    way.count()
    for _ in range(4):
        way.take()
    taken = [line.split() for line in lines.read_text().splitlines()]
    for organization_id in organizations:
        events = stored(application, organization_id)
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        mine = [(int(sequence), each) for of, sequence, each in taken if of == organization_id]
        assert set(mine) == {(event.sequence, event.id) for event in events}
        times = Counter(sequence for sequence, _ in mine)
        assert max(times.values()) <= (2 if step in TAKEN_TWICE else 1)
        firsts = list(dict.fromkeys(sequence for sequence, _ in mine))
        assert firsts == sorted(firsts)
