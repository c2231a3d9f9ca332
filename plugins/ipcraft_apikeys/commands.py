"""The commands ``ipcraft key`` and ``ipcraft org``.

`org create` prints a key, so both groups live here, in the plugin that builds on the other.
"""

from __future__ import annotations

import json
from typing import Any

import click

from ipcraft.plugin import Application, Transaction, pass_application
from ipcraft_accounts import (
    ROLES,
    Organization,
    change_plan,
    create_organization,
    find_organization,
    find_owner,
    list_organizations,
)
from ipcraft_apikeys.keys import NewKey, create_key
from ipcraft_apikeys.schemas import LONGEST_NAME

_FIRST_KEY = "Command line"


@click.group("org")
def organization_commands() -> None:
    """Make, list and change organizations."""


@organization_commands.command("create")
@click.argument("name")
@click.option("--owner", metavar="EMAIL", required=True, help="The first user, in role owner.")
@click.option(
    "--plan",
    metavar="PLAN",
    help="The organization's plan; by default the one the settings name.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_application
def create_organization_command(
    app: Application, *, name: str, owner: str, plan: str | None, as_json: bool
) -> None:
    """Make an organization, its owner and a key with all rights."""
    organization, user = create_organization(
        app.storage, name=name, owner_email=owner, plan=plan or app.settings.default_plan
    )
    made = _make_key(app, organization.id, name=_FIRST_KEY, role="owner")
    if as_json:
        _print_json(
            {
                "organization": _organization(organization),
                "user": {
                    "id": user.id,
                    "email": user.email,
                    "name": user.name,
                    "role": user.role,
                },
                "api_key": _key(made),
            }
        )
        return
    click.echo(f"organization  {organization.id}  {organization.name}  ({organization.plan})")
    click.echo(f"owner         {user.id}  {user.email}")
    click.echo(f"API key       {made.secret}")


@organization_commands.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@pass_application
def list_organizations_command(app: Application, *, as_json: bool) -> None:
    """List the organizations, the oldest first."""
    found = list_organizations(app.storage)
    if as_json:
        _print_json([_organization(each) for each in found])
        return
    for each in found:
        click.echo(f"{each.id}  {each.plan:<10}  {each.name}")


@organization_commands.command("set-plan")
@click.argument("organization")
@click.argument("plan")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_application
def set_plan_command(app: Application, *, organization: str, plan: str, as_json: bool) -> None:
    """Give an organization, named by its name or its id, another plan.

    What it has beyond the new plan's limits stays, and no more can be added.
    """
    found = find_organization(app.storage, organization)
    changed = app.storage.transact(found.id, lambda tx: change_plan(tx, plan))
    if as_json:
        _print_json(_organization(changed))
    else:
        click.echo(f"{changed.id}  {changed.plan:<10}  {changed.name}")


@click.group("key")
def key_commands() -> None:
    """Make API keys."""


@key_commands.command("create")
@click.option("--org", "organization", metavar="ORG", required=True, help="Its name or its id.")
@click.option("--name", required=True, help="What the key is for.")
@click.option("--role", type=click.Choice(ROLES), default="editor", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_application
def create_key_command(
    app: Application, *, organization: str, name: str, role: str, as_json: bool
) -> None:
    """Make an API key in the name of the organization's owner and print it, this once."""
    if not 1 <= len(name) <= LONGEST_NAME:
        raise click.BadParameter(f"must have 1 to {LONGEST_NAME} characters", param_hint="--name")
    found = find_organization(app.storage, organization)
    made = _make_key(app, found.id, name=name, role=role)
    if as_json:
        _print_json(_key(made) | {"role": role})
    else:
        click.echo(made.secret)


def _make_key(app: Application, organization_id: str, *, name: str, role: str) -> NewKey:
    def work(tx: Transaction) -> NewKey:
        owner = find_owner(tx)
        return create_key(tx, name=name, role=role, user_id=owner.id, maker_role=owner.role)

    return app.storage.transact(organization_id, work)


def _organization(organization: Organization) -> dict[str, Any]:
    return {"id": organization.id, "name": organization.name, "plan": organization.plan}


def _key(made: NewKey) -> dict[str, Any]:
    return {
        "id": made.api_key.id,
        "name": made.api_key.name,
        "key": made.secret,
        "key_prefix": made.api_key.key_prefix,
    }


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))
