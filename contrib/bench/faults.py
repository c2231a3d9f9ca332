"""The full run of ``tests/faults/test_deliveries.py``: ten times what the suite runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from bench.grounds import Grounds, say
from bench.table import Line

CHANGES = 100_000

_ROOT = Path(__file__).resolve().parent.parent.parent


def faults(grounds: Grounds) -> list[Line]:
    """Make changes while everything breaks, and hold what was told against what was committed."""
    changes = grounds.effort.sized(CHANGES, least=1_000)
    say(f"{changes:,} changes while workers, Redis, PostgreSQL and receivers fail")
    report = grounds.scratch / "faults.xml"
    began = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}"),
            *("-o", "junit_family=xunit1", "tests/faults/test_deliveries.py"),
        ],
        cwd=_ROOT,
        env={**os.environ, "IPCRAFT_TEST_CHANGES": str(changes)},
        stdout=subprocess.PIPE,
        check=False,
    )
    seconds = time.monotonic() - began
    told = {
        str(each.get("name")): int(each.get("value", "0"))
        for each in ElementTree.parse(report).iter("property")
    }
    if done.returncode:
        return [Line(operation="events through faults", fault=done.stdout.decode()[-300:])]
    return [
        Line(
            operation="events through faults",
            data=f"{told['events']:,} events",
            note=f"{told['faults']} faults in {seconds:.0f} s: 0 lost, 0 of the "
            f"{told['refused']:,} requests rolled back, "
            f"{told['deliveries'] - told['events']:,} told again with the same id",
        )
    ]
