"""`ipcraft plugins` shows what is installed, without importing it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from ipcraft import __version__
from ipcraft.discovery import BUILT_IN
from ipcraft.testing.distributions import write_distribution

Run = Callable[..., Result]


@pytest.fixture
def extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a plugin that cannot be imported, and leave it off."""
    source = (
        "from ipcraft.plugin import hookimpl\nAPI = 1\nraise SystemExit\n"
        "@hookimpl\ndef ipcraft_routes(app): ...\n"
    )
    write_distribution(
        tmp_path,
        "ipcraft-extra",
        version="2.5",
        plugins={"extra": "ipcraft_extra"},
        files={"ipcraft_extra.py": source},
    )
    monkeypatch.syspath_prepend(tmp_path)


def test_the_table_has_a_line_for_each_plugin(run: Run, extra: None) -> None:
    """Those that load come in their order, then the others."""
    lines = run("plugins").output.splitlines()
    assert lines[0].split() == ["NAME", "VERSION", "DISTRIBUTION", "STATE", "HOOKS"]
    rows = [line.split() for line in lines[1:]]
    assert tuple(row[0] for row in rows[: len(BUILT_IN)]) == BUILT_IN
    assert rows[0][1:4] == [__version__, "ipcraft", "enabled"]
    assert rows[-1] == ["extra", "2.5", "ipcraft-extra", "disabled", "routes"]


def test_json_has_all_that_is_known(run: Run, extra: None) -> None:
    """A program reads the same, and where there is one, the problem."""
    listed = json.loads(run("plugins", "--json").output)
    assert listed[-1] == {
        "name": "extra",
        "distribution": "ipcraft-extra",
        "version": "2.5",
        "state": "disabled",
        "hooks": ["ipcraft_routes"],
        "problem": None,
    }


def test_a_problem_stands_below_its_plugin(run: Run, tmp_path: Path) -> None:
    """What will keep a plugin from loading is said in a line of its own."""
    (tmp_path / "ipcraft.toml").write_text('[plugins]\nenable = ["gone"]\n')
    result = run("plugins")
    assert result.exit_code == 0
    *_, row, problem = result.output.splitlines()
    assert row.split() == ["gone", "missing"]
    assert problem == "  gone: is not installed"


def test_safe_mode_lists_without_readable_settings(run: Run, tmp_path: Path) -> None:
    """A file that cannot be read is said, and does not hide the plugins."""
    (tmp_path / "ipcraft.toml").write_text("=")
    assert run("plugins").exit_code == 1
    result = run("--safe-mode", "plugins")
    assert result.exit_code == 0
    assert "ipcraft.toml: not valid TOML" in result.stderr
    assert result.stdout.splitlines()[1].startswith("sqlite")
