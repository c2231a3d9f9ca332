"""The command `ipcraft user`."""

from __future__ import annotations

import json

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Command
from ipcraft_accounts import Member, admit, find_member


@pytest.mark.parametrize("option", ["--organization", "--org"])
def test_a_user_is_made_and_let_in(
    application: Application, ada: Member, command: Command, option: str
) -> None:
    """In an organization named by its name or its id, where sign-up is closed."""
    for named, email in ((ada.organization.name, "a@x.org"), (ada.organization.id, "b@x.org")):
        result = command(
            "user", "create", email, option, named, "--role", "admin", "--name", "Bob", "--json"
        )
        assert result.exit_code == 0, result.output
        printed = json.loads(result.output)
        assert (printed["email"], printed["name"], printed["role"]) == (email, "Bob", "admin")
        member = admit(application, email)
        assert member.organization == ada.organization
        assert member.user.id == printed["id"]


@pytest.mark.usefixtures("ada")
def test_a_user_is_a_viewer_unless_said_otherwise(
    application: Application, command: Command
) -> None:
    """The least there is; for people the line has id, address and role."""
    result = command("user", "create", "Bob@Example.com", "--organization", "Acme")
    member = find_member(application.storage, "bob@example.com")
    assert member is not None
    assert result.output == f"{member.user.id}  bob@example.com  viewer\n"


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("bob", "--organization", "Acme"), "'bob' is no email address"),
        (("ADA@example.com", "--organization", "Acme"), "belongs to a user already"),
        (("b@example.com", "--organization", "Nobody"), "no organization has the name or id"),
        (("b@example.com", "--organization", "Acme", "--role", "root"), "'root' is not one of"),
        (("b@example.com",), "Missing option '--organization'"),
    ],
)
def test_what_is_refused_is_one_sentence(
    application: Application, command: Command, arguments: tuple[str, ...], part: str
) -> None:
    """A refusal says what to mend, and nobody is made."""
    result = command("user", "create", *arguments)
    assert result.exit_code != 0
    assert part in result.output
    assert "Traceback" not in result.output
    assert find_member(application.storage, "b@example.com") is None
