"""An application with a plugin whose jobs leave traces in files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import make_application
from ipcraft.testing.distributions import write_distribution
from ipcraft.testing.services import Redis

PLUGIN = '''
import threading
from pathlib import Path

from tenacity.wait import wait_fixed, wait_none

from ipcraft.plugin import ONCE, Hopeless, Job, Retries, hookimpl

API = 1


def note(payload):
    """Add a line to a file, and fail while the file has fewer lines than wanted."""
    with Path(payload["file"]).open("a") as file:
        file.write(payload.get("text", "line") + "\\n")
    lines = len(Path(payload["file"]).read_text().splitlines())
    if payload.get("hopeless"):
        raise Hopeless("there is no way")
    if lines < payload.get("enough", 0):
        raise RuntimeError(f"only {lines} lines")


def wait(payload):
    """Say when it begins, wait for a file to appear, and say when it is done."""
    note({"file": payload["file"], "text": "begun"})
    while not Path(payload["gate"]).exists():
        threading.Event().wait(0.02)
    note({"file": payload["file"], "text": "done"})


@hookimpl
def ipcraft_jobs(app):
    return [
        Job(name="chores.wait", run=wait, retries=ONCE),
        Job(name="chores.note", run=note, retries=Retries(3, wait_none())),
        Job(name="chores.later", run=note, retries=Retries(3, wait_fixed(600))),
    ]
'''

Make = Callable[..., Application]


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the plugin and give the folder it is in."""
    folder = tmp_path / "site"
    folder.mkdir()
    write_distribution(
        folder,
        "ipcraft-chores",
        plugins={"chores": "ipcraft_chores"},
        files={"ipcraft_chores.py": PLUGIN},
    )
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def embedded(tmp_path: Path) -> str:
    """Name an embedded database: the storage is nothing to a queue."""
    return f"sqlite:///{tmp_path}/ipcraft.db"


@pytest.fixture
def make(embedded: str, plugin: Path) -> Iterator[Make]:
    """Give a way to make applications with the plugin; all are closed at the end."""
    made: list[Application] = []

    def make(**options: object) -> Application:
        app = make_application(embedded, enable=["chores"], **options)  # type: ignore[arg-type] # passed on as they came
        made.append(app)
        return app

    yield make
    for app in made:
        app.close()


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    """Give a Redis that the test may stop."""
    with Redis() as server:
        yield server


@pytest.fixture
def lines(tmp_path: Path) -> Callable[[], list[str]]:
    """Give a way to read the file that the jobs write."""
    file = tmp_path / "lines"
    return lambda: file.read_text().splitlines() if file.exists() else []
