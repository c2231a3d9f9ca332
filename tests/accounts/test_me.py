"""Who the sender is."""

from __future__ import annotations

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Client
from ipcraft_accounts import create_organization
from ipcraft_apikeys import create_key


@pytest.mark.parametrize("role", ["owner", "viewer"])
def test_the_sender_is_told_user_organization_and_role(application: Application, role: str) -> None:
    """`GET auth/me` answers the documented body, and beside it the role of this request."""
    organization, user = create_organization(
        application.storage,
        name="Acme",
        owner_email="ada@example.com",
        owner_name="Ada Lovelace",
        plan="teams",
    )
    made = application.storage.transact(
        organization.id,
        lambda tx: create_key(tx, name="CI", role=role, user_id=user.id, maker_role="owner"),
    )
    answer = Client(application, made.secret).get("/api/v1/auth/me")
    assert answer.status_code == 200
    assert answer.json == {
        "user": {"id": user.id, "email": "ada@example.com", "name": "Ada Lovelace"},
        "organization": {"id": organization.id, "name": "Acme", "plan": "teams"},
        "role": role,
    }


def test_strangers_are_told_nothing(application: Application) -> None:
    """Without credentials the answer is 401."""
    assert Client(application).get("/api/v1/auth/me").status_code == 401
