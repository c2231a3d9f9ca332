"""The command ``ipcraft user``."""

from __future__ import annotations

import json

import click

from ipcraft.plugin import Application, pass_application
from ipcraft_accounts.organizations import find_organization
from ipcraft_accounts.representation import user_object
from ipcraft_accounts.roles import ROLES
from ipcraft_accounts.users import create_user


@click.group("user")
def user_commands() -> None:
    """Add people to organizations."""


@user_commands.command("create")
@click.argument("email")
@click.option("--organization", "--org", metavar="ORG", required=True, help="Its name or its id.")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True)
@click.option("--name", help="What the person is called; by default the address before the @.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_application
def create_user_command(
    app: Application, *, email: str, organization: str, role: str, name: str | None, as_json: bool
) -> None:
    """Add a person to an organization, so that they can sign in."""
    found = find_organization(app.storage, organization)
    user = create_user(app.storage, found.id, email=email, role=role, name=name)
    if as_json:
        click.echo(json.dumps(user_object(user), ensure_ascii=False))
    else:
        click.echo(f"{user.id}  {user.email}  {user.role}")
