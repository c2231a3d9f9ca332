"""`ipcraft tool`: the same tools, from a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ipcraft.cli.program import program
from ipcraft.testing.services import DNSServer, WhoisServer, free_port

Run = Callable[..., Result]


@pytest.fixture
def run(
    resolvers: dict[str, DNSServer],
    whois: WhoisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Give a way to run the program in an empty folder."""
    asked = ",".join(f"{name}={server.address}" for name, server in resolvers.items())
    monkeypatch.setenv("IPCRAFT_NETTOOLS_RESOLVERS", asked)
    monkeypatch.setenv("IPCRAFT_NETTOOLS_WHOIS_SERVER", whois.address)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Result:
        return CliRunner().invoke(program, ["tool", *words])

    return run


def found(result: Result) -> Any:
    """Give the JSON that was printed."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_tool_prints_what_it_finds(run: Run, resolvers: dict[str, DNSServer]) -> None:
    """As JSON; what is required are arguments, in their order."""
    resolvers["google"].tell_records("example.com", "MX", "10 mail.example.com.")
    answer = found(run("dns", "Example.COM", "mx"))
    assert answer["resolvers"]["google"] == ["10 mail.example.com"]


def test_no_database_is_made(run: Run, tmp_path: Path) -> None:
    """A look-up needs none."""
    found(run("whois", "example.com"))
    assert list(tmp_path.iterdir()) == []


def test_the_guard_stands_here_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's setting opens it; what is not required is an option."""
    refused = run("ping", "127.0.0.1")
    assert refused.exit_code == 1
    assert "not globally reachable" in refused.output
    monkeypatch.setenv("IPCRAFT_ALLOWED_NETWORKS", "127.0.0.0/8")
    assert found(run("ping", "127.0.0.1", "--port", str(free_port())))["reachable"] is True


def test_tools_about_a_request_are_no_commands(run: Run) -> None:
    """There is no request to tell of."""
    listed = run("--help").output
    assert all(f"  {name} " in listed for name in ("dns", "rdns", "whois", "ping", "ports"))
    assert "myip" not in listed
    assert run("headers").exit_code == 2


def test_a_terminal_obeys_nothing_of_a_server(run: Run, whois: WhoisServer) -> None:
    """Control characters come as JSON's escapes, those that JSON would let pass, too."""
    text = "\x1b[2J\x07 \x7f \u009b31m \u202e right to left ü"
    whois.tell("example.com", text)
    result = run("whois", "example.com")
    assert found(result)["raw"] == text
    assert result.stdout.replace("\n", "").replace(" ", "").isprintable()
    assert "ü" in result.stdout


def test_what_cannot_be_meant_is_said(run: Run) -> None:
    """In the API's words."""
    result = run("dns", "example.com", "ANY")
    assert result.exit_code == 1
    assert "must be one of" in result.output
