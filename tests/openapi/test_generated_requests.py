"""Requests that nobody has thought of: each is answered as the API's document says.

schemathesis makes them up from the document: its examples, its edges, what it allows, what it
forbids, and chains of calls. ``IPCRAFT_TEST_CASES=100000 tox -e generated`` sends as many,
``IPCRAFT_TEST_SEED`` names where they begin.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .installation import Installation, install

if TYPE_CHECKING:
    from ipcraft.testing import Databases

pytestmark = pytest.mark.generated

CASES = int(os.environ.get("IPCRAFT_TEST_CASES", "20000"))
"""How many requests are sent, on all storages together."""

SEED = int(os.environ.get("IPCRAFT_TEST_SEED", "0"))

STORAGES = 2
EXAMPLES = 70
"""Most requests that are made up for an operation in one round, and chains of calls."""

HERE = Path(__file__).parent
DOCUMENT = "/api/v1/openapi.json"


@dataclass(frozen=True, slots=True)
class Round:
    """Hold what came of the requests of one seed."""

    seed: int
    text: str
    """What schemathesis says to people: each failure with a line for curl."""
    summary: Any

    @property
    def cases(self) -> int:
        """Give how many requests there were."""
        count: int = self.summary["test_cases"]["generated"]
        return count

    @property
    def is_good(self) -> bool:
        """Tell whether all was as the document says, and nothing was left out."""
        summary = self.summary
        return (
            summary["complete"]
            and summary["exit_code"] == 0
            and not summary["failures"]
            and not summary["errors"]
            and not summary["warnings"]["missing_auth"]
            and summary["operations"]["skipped"] == 0
        )


@pytest.fixture
def installation(databases: Databases, tmp_path: Path) -> Iterator[Installation]:
    """Give an installation on each storage."""
    with install(databases.create(), tmp_path) as found:
        yield found


def run(installation: Installation, folder: Path, *, seed: int) -> Round:
    """Send the requests of a seed."""
    report = folder / f"report-{seed}.json"
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color"]
    command += ["--config-file", str(HERE / "schemathesis.toml")]
    command += ["run", installation.served.url + DOCUMENT]
    command += ["--seed", str(seed), "--max-examples", str(EXAMPLES)]
    command += ["--report-json-path", str(report)]
    environ = {
        **os.environ,
        "IPCRAFT_TEST_KEY": installation.org.key,
        "IPCRAFT_TEST_KEEP": ",".join(installation.needed),
        "IPCRAFT_TEST_RECEIVER": installation.receiver,
        "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"),
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if not report.exists():
        pytest.fail(f"schemathesis did not come to its end:\n{done.stdout}")
    return Round(seed, done.stdout, json.loads(report.read_text()))


def test_every_answer_is_as_the_document_says(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No answer is a 500, has another status, another type or another shape than is documented."""
    sent, seed = 0, SEED
    while sent < CASES / STORAGES:
        done = run(installation, tmp_path, seed=seed)
        with capsys.disabled():
            sys.stdout.write(f"\nIPCRAFT_TEST_SEED={seed}: {done.cases} requests\n")
        assert done.is_good, f"IPCRAFT_TEST_SEED={seed}\n{done.text}"
        sent, seed = sent + done.cases, seed + 1
    assert "a request failed" not in installation.served.log.read_text()
