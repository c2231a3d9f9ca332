"""The program, run in this process or as an operator runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ipcraft.cli.program import program

Run = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]

_PATIENCE = 60.0


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a way to run `ipcraft` in an empty folder, with nothing in its environment."""
    for name in [name for name in os.environ if name.startswith("IPCRAFT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(program, arguments, prog_name="ipcraft")

    return run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Give a way to start `ipcraft` as a process, in an empty folder; all are ended after."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("IPCRAFT_")}
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        with (tmp_path / "log").open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ipcraft", *arguments],
                cwd=tmp_path,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.wait(_PATIENCE)
        assert process.stdout is not None
        process.stdout.close()
