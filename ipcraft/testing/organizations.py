"""Organizations for tests, each with an owner and the owner's key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from ipcraft.app import Application
from ipcraft.testing.clients import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Be an organization nobody else uses; `client` speaks with its owner's key."""

    id: str
    user_id: str
    email: str
    key: str
    client: Client

    def client_as(self, app: Application, role: str) -> Client:
        """Give a client with a key of another role."""
        return Client(app, make_key(app, self.id, self.user_id, role=role))

    def browser(self, app: Application) -> Client:
        """Give a client with a session of the owner, which sends what our own pages send."""
        return Client(app, session=make_session(app, self.email))


def make_organization(app: Application, *, plan: str = "enterprise") -> Organization:
    """Make an organization with an owner and a key."""
    # The core imports no plugin; its tests' helpers make accounts, and these live in plugins.
    from ipcraft_accounts import create_organization

    email = f"{secrets.token_hex(8)}@example.com"
    organization, user = create_organization(
        app.storage, name=f"Test {email}", owner_email=email, plan=plan
    )
    key = make_key(app, organization.id, user.id, role="owner")
    return Organization(
        id=organization.id, user_id=user.id, email=email, key=key, client=Client(app, key)
    )


def make_key(app: Application, organization_id: str, user_id: str, *, role: str) -> str:
    """Make an API key and give its secret."""
    from ipcraft_apikeys import create_key

    made = app.storage.transact(
        organization_id,
        lambda tx: create_key(tx, name="test", role=role, user_id=user_id, maker_role="owner"),
        actor=user_id,
    )
    return made.secret


def make_session(app: Application, email: str) -> str:
    """Sign the user of this address in and give the session's token."""
    from ipcraft_accounts import begin_session, find_member

    member = find_member(app.storage, email)
    assert member is not None, f"nobody has the address {email}"
    return begin_session(app, member, method="test")
