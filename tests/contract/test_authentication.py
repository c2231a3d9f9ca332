"""Who may ask: keys, bad keys, no keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .answers import found, refused

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org

    from .clients import Client

READABLE = (
    "/api/v1/auth/me",
    "/api/v1/sections",
    "/api/v1/subnets",
    "/api/v1/addresses",
    "/api/v1/api-keys",
    "/api/v1/activity",
)


@pytest.mark.parametrize("path", READABLE)
def test_no_credentials_are_refused(anonymous: Client, path: str) -> None:
    """Every route of the inventory needs credentials."""
    refused(anonymous.call("GET", path), 401)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer junk",
        "Bearer ipc_",
        f"Bearer ipc_{'a' * 40}",
        f"Bearer ipc_{'a' * 39}",
        f"Bearer ipc_{'a' * 6000}",
        "Bearer ipc_\xe9\xe9",
        "Basic dXNlcjpwYXNzd29yZA==",
    ],
)
def test_bad_credentials_are_refused(anonymous: Client, header: str) -> None:
    """Whatever is no living key is a 401 in the shape of every error."""
    refused(anonymous.call("GET", "/api/v1/sections", headers={"Authorization": header}), 401)


@pytest.mark.parametrize("position", [4, 20, 37, 38, 43])
def test_a_key_with_one_wrong_character_is_refused(
    org: Org, anonymous: Client, position: int
) -> None:
    """A key that differs in one character is no key."""
    wrong = "b" if org.key[position] == "a" else "a"
    key = org.key[:position] + wrong + org.key[position + 1 :]
    headers = {"Authorization": f"Bearer {key}"}
    refused(anonymous.call("GET", "/api/v1/sections", headers=headers), 401)


def test_bad_credentials_come_before_a_bad_body(anonymous: Client) -> None:
    """A stranger learns nothing about the routes: 401 before 400."""
    refused(anonymous.send("/api/v1/sections", b"{"), 401)


def test_the_key_counts_beside_a_cookie(client: Client, org: Org) -> None:
    """A request that carries a session cookie and a key uses the key."""
    answer = client.call("GET", "/api/v1/auth/me", headers={"Cookie": "session=stale"})
    assert found(answer)["organization"]["id"] == org.id


def test_a_key_needs_no_csrf_header(client: Client) -> None:
    """Writes with a key need no X-Requested-With header."""
    answer = client.call("POST", "/api/v1/sections", json={"name": "Production"})
    assert answer.status_code == 201
