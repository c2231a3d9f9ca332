"""The program finds its commands, and says in a sentence why it cannot."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import Result

import ipcraft
from ipcraft.testing.distributions import write_distribution

Run = Callable[..., Result]

CORE = ("db", "jobs", "plugins", "serve")
BROKEN = "raise RuntimeError('broken on purpose')"


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give a way to install and enable a third-party plugin `extra` of one module."""
    monkeypatch.syspath_prepend(tmp_path)

    def add(source: str) -> None:
        write_distribution(
            tmp_path,
            "ipcraft-extra",
            plugins={"extra": "ipcraft_extra"},
            files={"ipcraft_extra.py": dedent(source)},
        )
        (tmp_path / "ipcraft.toml").write_text('[plugins]\nenable = ["extra"]\n')
        sys.modules.pop("ipcraft_extra", None)

    return add


def commands(result: Result) -> list[str]:
    """Read the names of the commands in a help text."""
    _, _, listed = result.stdout.partition("Commands:\n")
    return [line.split()[0] for line in listed.splitlines() if line.startswith("  ")]


def test_help_lists_the_commands_of_core_and_plugins(run: Run) -> None:
    """A newcomer sees all there is."""
    result = run("--help")
    assert result.exit_code == 0
    assert {*CORE, "org", "export", "import", "key", "next", "tree", "verify"} <= set(
        commands(result)
    )


def test_version(run: Run) -> None:
    """The program tells its version."""
    assert run("--version").output == f"ipcraft, version {ipcraft.__version__}\n"


@pytest.mark.parametrize("arguments", [("--safe-mode", "--help"), ("--help", "--safe-mode")])
def test_help_in_safe_mode_imports_no_plugin(
    run: Run, add: Callable[[str], None], arguments: tuple[str, ...]
) -> None:
    """In safe mode there are the core's commands only, wherever the option stands."""
    add("raise SystemExit")
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert commands(result) == list(CORE)


def test_help_survives_a_broken_plugin(run: Run, add: Callable[[str], None]) -> None:
    """What can be run is listed, and beside it why the rest is missing."""
    add(BROKEN)
    result = run("--help")
    assert result.exit_code == 0
    assert commands(result) == list(CORE)
    assert "plugin extra (ipcraft-extra 1.0" in result.stderr
    assert "broken on purpose" in result.stderr


def test_a_command_of_a_plugin_needs_all_plugins(run: Run, add: Callable[[str], None]) -> None:
    """A broken plugin stops the others' commands, saying how to start without it."""
    add(BROKEN)
    result = run("tree")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: plugin extra (ipcraft-extra 1.0")
    assert "To start without it" in result.stderr


def test_plugins_are_listed_when_one_is_broken(run: Run, add: Callable[[str], None]) -> None:
    """The core's commands that need no plugin import none."""
    add(BROKEN)
    assert run("plugins").exit_code == 0


@pytest.mark.parametrize("name", ["import", "nonsense"])
def test_safe_mode_says_which_commands_it_has(run: Run, name: str) -> None:
    """A command of a plugin is refused in safe mode, with those that are left."""
    result = run("--safe-mode", name)
    assert result.exit_code == 2
    assert (
        f"In safe mode there is no command '{name}', only db, jobs, plugins, serve."
        in result.stderr
    )


@pytest.mark.parametrize("arguments", [("db", "upgrade"), ("serve", "--port", "0")])
def test_safe_mode_has_no_storage(run: Run, arguments: tuple[str, ...]) -> None:
    """What needs the database says that safe mode is in the way, and makes nothing."""
    result = run("--safe-mode", *arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: in safe mode no plugin is loaded")
    assert not Path("ipcraft.db").exists()


def test_an_unknown_command_is_a_usage_error(run: Run) -> None:
    """A misspelled command is named."""
    result = run("laod")
    assert result.exit_code == 2
    assert "No such command 'laod'" in result.stderr


def test_a_bad_setting_is_a_message(run: Run, tmp_path: Path) -> None:
    """A mistake in the settings names file and key, without a traceback."""
    (tmp_path / "ipcraft.toml").write_text("databse_url = 'sqlite:///a.db'")
    result = run("tree")
    assert result.exit_code == 1
    assert result.stderr == (
        'Error: ipcraft.toml: databse_url: unknown key; did you mean "database_url"?\n'
    )


def test_config_names_another_file(run: Run, tmp_path: Path) -> None:
    """`--config` is read instead of the working folder's file."""
    (tmp_path / "ipcraft.toml").write_text("nonsense = 1")
    (tmp_path / "other.toml").write_text('database_url = "sqlite:///other.db"')
    assert run("--config", "other.toml", "org", "list").exit_code == 0
    assert (tmp_path / "other.db").exists()


def test_a_missing_config_is_named(run: Run) -> None:
    """A file that was asked for must be there."""
    result = run("--config", "gone.toml", "plugins")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: gone.toml: cannot be read: No such file")


def test_database_wins_over_file_and_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--database` is the last word."""
    (tmp_path / "ipcraft.toml").write_text('database_url = "sqlite:///file.db"')
    monkeypatch.setenv("IPCRAFT_DATABASE_URL", "sqlite:///variable.db")
    assert run("--database", "sqlite:///option.db", "org", "list").exit_code == 0
    assert [path.name for path in tmp_path.glob("*.db")] == ["option.db"]


def test_a_command_of_the_cores_name_is_refused(run: Run, add: Callable[[str], None]) -> None:
    """No plugin takes a command away from the core."""
    add(
        """
        import click
        from ipcraft.plugin import Command, hookimpl
        API = 1
        @hookimpl
        def ipcraft_commands():
            return [Command(click.Command("serve"))]
        """
    )
    result = run("tree")
    assert result.exit_code == 1
    assert "gives a command named serve, as does IPCraft itself" in result.stderr


def test_a_plugins_command_gets_the_application(run: Run, add: Callable[[str], None]) -> None:
    """What a plugin gives is a command like any other, with the storage of this run."""
    add(
        """
        import click
        from ipcraft.plugin import Command, hookimpl, pass_application
        API = 1
        @click.command("greet")
        @pass_application
        def greet(app):
            click.echo(app.storage.name)
        @hookimpl
        def ipcraft_commands():
            return [Command(greet)]
        """
    )
    assert run("greet").output == "sqlite\n"
