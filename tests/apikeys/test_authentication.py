"""Recognizing the sender by a key."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import falcon.testing
import pytest
from sqlalchemy import select

from ipcraft.plugin import Application, LastUsed, Statement, Unauthenticated
from ipcraft_accounts import Organization, User
from ipcraft_apikeys import NewKey, delete_key
from ipcraft_apikeys.authentication import KeyBackend
from ipcraft_apikeys.key_format import new_key
from ipcraft_apikeys.tables import api_keys

MakeKey = Callable[..., NewKey]
DAY = 86_400


class Recognition:
    """Ask the backend alone, and count the queries of the last time."""

    def __init__(self, application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queries = 0
        self.application = application
        self._backend = KeyBackend(application, last_used=LastUsed(application, api_keys))
        look_up = type(application.storage).look_up

        def counted(storage: Any, statement: Any, /, **parameters: Any) -> Any:
            self.queries += 1
            return look_up(storage, statement, **parameters)

        monkeypatch.setattr(type(application.storage), "look_up", counted)

    def __call__(self, header: str | None) -> Any:
        """Give the identity behind a header."""
        self.queries = 0
        headers = {} if header is None else {"Authorization": header}
        identity = self._backend.authenticate(falcon.testing.create_req(headers=headers))
        if identity is None or identity.claim is None:
            return identity
        self.application.settle(identity.claim)
        return identity.claim.confirmed


@pytest.fixture
def recognize(application: Application, monkeypatch: pytest.MonkeyPatch) -> Recognition:
    """Give a way to ask the backend who sends a request with this Authorization."""
    return Recognition(application, monkeypatch)


def test_a_key_tells_organization_user_role_and_plan(
    recognize: Recognition, make_key: MakeKey, member: tuple[Organization, User]
) -> None:
    """All that is known of the sender comes from one query."""
    organization, user = member
    made = make_key("editor")
    identity = recognize(f"Bearer {made.secret}")
    assert identity.organization_id == organization.id
    assert identity.user_id == user.id
    assert (identity.role, identity.plan, identity.scheme) == ("editor", "enterprise", "api_key")
    assert identity.credential_id == made.api_key.id
    assert recognize.queries == 1


def test_a_key_seen_before_is_asked_for_again(
    recognize: Recognition, make_key: MakeKey, application: Application
) -> None:
    """Whose key it was is remembered only as a claim: each time costs one query, and may fail."""
    made = make_key()
    header = f"Bearer {made.secret}"
    first, again = recognize(header), recognize(header)
    assert (again, recognize.queries) == (first, 1)
    application.storage.transact(first.organization_id, lambda tx: delete_key(tx, made.api_key.id))
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="not valid"):
            recognize(header)


@pytest.mark.parametrize("form", ["bearer {}", "BEARER {}", "Bearer  {}"])
def test_the_scheme_is_spelled_in_any_case(
    recognize: Recognition, make_key: MakeKey, form: str
) -> None:
    """Schemes are case-insensitive (RFC 9110, section 11.1)."""
    assert recognize(form.format(make_key().secret)) is not None


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer junk", "Basic dXNlcjpwYXNz", f"Basic {new_key()}"]
)
def test_other_credentials_are_left_to_other_backends(
    recognize: Recognition, header: str | None
) -> None:
    """What does not look like a key may be somebody else's."""
    assert recognize(header) is None
    assert recognize.queries == 0


@pytest.mark.parametrize("token", ["ipc_", "ipc_" + "a" * 40, new_key() + "x", "ipc_é"])
def test_junk_is_refused_without_a_query(recognize: Recognition, token: str) -> None:
    """The checksum tells a key from junk."""
    with pytest.raises(Unauthenticated):
        recognize(f"Bearer {token}")
    assert recognize.queries == 0


def test_an_unknown_key_is_refused(recognize: Recognition) -> None:
    """A well-formed key that nobody made opens nothing."""
    with pytest.raises(Unauthenticated, match="not valid"):
        recognize(f"Bearer {new_key()}")
    assert recognize.queries == 1


def test_a_key_ends_at_its_end(recognize: Recognition, make_key: MakeKey) -> None:
    """A key opens until the second of its end and not in it."""
    end = int(time.time()) + DAY
    header = f"Bearer {make_key(expires_at=end).secret}"
    recognize.application.clock = lambda: float(end - 1)
    assert recognize(header) is not None
    recognize.application.clock = lambda: float(end)
    with pytest.raises(Unauthenticated, match="expired"):
        recognize(header)


def test_the_secret_is_stored_nowhere(application: Application, make_key: MakeKey) -> None:
    """Only a hash of 32 bytes and the first 12 characters are kept."""
    made = make_key()
    with application.storage.read_system() as tx:
        (row,) = tx.all(Statement(select(api_keys)))
    kept = dict(zip(api_keys.c.keys(), row, strict=True))
    assert len(kept["key_hash"]) == 32
    assert kept["key_prefix"] == made.secret[:12]
    assert not any(made.secret in str(value) for value in row)
