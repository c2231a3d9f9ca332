"""The commands `ipcraft org` and `ipcraft key`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import falcon.testing
import pytest
from click.testing import CliRunner, Result

from ipcraft.cli.program import program
from ipcraft.plugin import is_id
from ipcraft.testing import Command
from ipcraft_accounts import Organization, User

Ask = Callable[..., falcon.testing.Result]


def test_an_organization_is_printed_with_its_owner_and_a_key(command: Command, ask: Ask) -> None:
    """`org create --json` prints all a program needs to go on; the key owns the organization."""
    arguments = ("create", "Acme", "--owner", "ada@example.com", "--plan", "pro", "--json")
    printed = _json(command("org", *arguments))
    organization, user, key = printed["organization"], printed["user"], printed["api_key"]
    assert is_id(organization.pop("id"), "org")
    assert organization == {"name": "Acme", "plan": "pro"}
    assert is_id(user["id"], "usr")
    assert (user["email"], user["name"], user["role"]) == ("ada@example.com", "ada", "owner")
    assert set(key) == {"id", "name", "key", "key_prefix"}
    me = ask("GET", "/api/v1/auth/me", key=key["key"]).json
    assert (me["user"]["id"], me["role"]) == (user["id"], "owner")


def test_an_organization_gets_the_default_plan(command: Command) -> None:
    """Without `--plan` the settings decide: enterprise unless they say otherwise."""
    printed = _json(command("org", "create", "Acme", "--owner", "a@example.com", "--json"))
    assert printed["organization"]["plan"] == "enterprise"


def test_an_organization_is_printed_for_people(command: Command) -> None:
    """Without `--json` the lines name the organization, the owner and the key."""
    result = command("org", "create", "Acme", "--owner", "ada@example.com")
    assert result.exit_code == 0
    for part in ("Acme", "ada@example.com", "ipc_"):
        assert part in result.output


def test_what_is_refused_is_one_sentence(
    command: Command, member: tuple[Organization, User]
) -> None:
    """A refusal ends with status 1, without a traceback."""
    result = command("org", "create", "Other", "--owner", member[1].email)
    assert result.exit_code == 1
    assert result.output == "Error: ada@example.com belongs to a user already\n"


def test_an_unknown_plan_is_refused(command: Command) -> None:
    """The refusal names the plans there are."""
    result = command("org", "create", "A", "--owner", "a@example.com", "--plan", "gold")
    assert result.exit_code == 1
    assert "plan must be one of free, pro, teams, enterprise, not 'gold'" in result.output
    assert command("org", "list").output == ""


def test_an_organization_gets_another_plan(
    command: Command, member: tuple[Organization, User]
) -> None:
    """`org set-plan` names the organization by its name or id, and refuses unknown plans."""
    organization = member[0]
    changed = command("org", "set-plan", "Acme", "pro")
    assert changed.output == f"{organization.id}  pro         Acme\n"
    assert command("org", "set-plan", organization.id, "gold").exit_code == 1
    assert _json(command("org", "list", "--json"))[0]["plan"] == "pro"


def test_organizations_are_listed(command: Command, member: tuple[Organization, User]) -> None:
    """`org list` prints id, plan and name, for people and for programs."""
    organization = member[0]
    assert command("org", "list").output == (f"{organization.id}  enterprise  Acme\n")
    assert _json(command("org", "list", "--json")) == [
        {"id": organization.id, "name": "Acme", "plan": "enterprise"}
    ]


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_key_is_made_for_an_organization(
    command: Command, ask: Ask, member: tuple[Organization, User], by: str
) -> None:
    """`key create` takes the organization's name or id; the key speaks for its owner."""
    named = getattr(member[0], by)
    arguments = ("create", "--org", named, "--name", "CI", "--role", "viewer", "--json")
    printed = _json(command("key", *arguments))
    assert (printed["name"], printed["role"]) == ("CI", "viewer")
    me = ask("GET", "/api/v1/auth/me", key=printed["key"]).json
    assert (me["organization"]["id"], me["role"]) == (member[0].id, "viewer")
    assert me["user"]["id"] == member[1].id


def test_a_key_is_printed_alone(
    command: Command, ask: Ask, member: tuple[Organization, User]
) -> None:
    """Without `--json` nothing but the key is printed, so that a shell can keep it."""
    output = command("key", "create", "--org", "Acme", "--name", "CI").output
    assert ask("GET", "/api/v1/auth/me", key=output.strip()).json["role"] == "editor"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--org", "Nobody", "--name", "CI"), "no organization has the name or id 'Nobody'"),
        (("--org", "Acme", "--name", ""), "must have 1 to 255 characters"),
        (("--org", "Acme", "--name", "CI", "--role", "root"), "'root' is not one of"),
    ],
)
def test_a_bad_key_is_refused(
    command: Command, member: tuple[Organization, User], arguments: tuple[str, ...], part: str
) -> None:
    """The refusal says what to mend."""
    result = command("key", "create", *arguments)
    assert result.exit_code != 0
    assert part in result.output


def test_a_new_embedded_database_gets_its_tables(tmp_path: Path) -> None:
    """The first command in an empty folder needs no `db upgrade` before it."""
    url = f"sqlite:///{tmp_path}/ipcraft.db"
    result = _run(url, "org", "list", "--json")
    assert _json(result) == []


def _run(database_url: str, *arguments: str) -> Result:
    return CliRunner().invoke(program, ["--database", database_url, *arguments])


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.output)
