"""The way in for a newcomer: who starts a server for the first time gets a key that works."""

from __future__ import annotations

import shlex

from ipcraft.plugin import Application, Transaction
from ipcraft_accounts import Organization, create_organization, find_owner, list_organizations
from ipcraft_apikeys.keys import create_key

_ORGANIZATION = "Local"
_OWNER = "you@localhost"
_PLAN = "enterprise"
_KEY = "First key"


def welcome(app: Application, url: str, *, embedded: bool) -> list[str]:
    """Tell how to speak to the server at `url`.

    An embedded database without an organization gets one, without limits, and a key of it.
    """
    found = list_organizations(app.storage)
    if found:
        name = shlex.quote(found[0].name) if len(found) == 1 else "ORG"
        return [f"Make an API key: ipcraft key create --org {name} --name NAME"]
    if not embedded:
        return ["Make an organization first: ipcraft org create NAME --owner EMAIL"]
    key = _first_key(app)
    return [
        "",
        f"API key, shown only now: {key}",
        "",
        f"    curl -H 'Authorization: Bearer {key}' {url}/api/v1/auth/me",
        "",
    ]


def _first_key(app: Application) -> str:
    organization, _ = create_organization(
        app.storage, name=_ORGANIZATION, owner_email=_OWNER, plan=_PLAN
    )
    return _make_key(app, organization)


def _make_key(app: Application, organization: Organization) -> str:
    def work(tx: Transaction) -> str:
        owner = find_owner(tx)
        made = create_key(tx, name=_KEY, role=owner.role, user_id=owner.id, maker_role=owner.role)
        return made.secret

    return app.storage.transact(organization.id, work)
