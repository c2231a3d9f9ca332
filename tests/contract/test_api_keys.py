"""API keys: their form, their life, their end."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from .answers import found, gone, is_id, is_time, refused, refused_field
from .clients import Client
from .inventory import add_key

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org, Served

KEY = re.compile(r"ipc_[0-9A-Za-z]{40}")


def test_a_key_is_ipc_and_forty_base62_characters(org: Org) -> None:
    """A key has the documented form, and its prefix is its first 12 characters."""
    made = add_key(org)
    assert KEY.fullmatch(made["key"])
    assert made["key_prefix"] == made["key"][:12]


def test_keys_differ(org: Org) -> None:
    """No two keys are alike, even of one name."""
    made = [add_key(org) for _ in range(5)]
    assert len({key["key"] for key in made}) == len({key["id"] for key in made}) == 5


def test_a_listed_key_has_an_id_a_prefix_and_times(org: Org) -> None:
    """A listed key shows when it was made and by which prefix it is known."""
    made = add_key(org, "Terraform")
    listed = {key["id"]: key for key in found(org.get("/api/v1/api-keys"))}[made["id"]]
    assert is_id(listed["id"], "key")
    assert is_time(listed["created_at"])
    assert listed["name"] == "Terraform"
    assert listed["key_prefix"] == made["key_prefix"]


def test_no_answer_repeats_a_key(org: Org) -> None:
    """The full key is in the answer to its creation and nowhere else."""
    made = add_key(org)
    for path in ("/api/v1/api-keys", "/api/v1/activity"):
        assert made["key"] not in org.get(path).text


def test_a_new_key_works_at_once(org: Org, served: Served) -> None:
    """A key opens the organization it was made in, with the next request."""
    client = Client(url=served.url, key=add_key(org)["key"])
    assert found(client.call("GET", "/api/v1/auth/me"))["organization"]["id"] == org.id


def test_a_revoked_key_is_refused_by_the_very_next_request(org: Org, served: Served) -> None:
    """Revocation acts at once in every worker, also on those that knew the key."""
    made = add_key(org)
    client = Client(url=served.url, key=made["key"])
    for _ in range(10):
        found(client.call("GET", "/api/v1/sections"))
    gone(org.delete(f"/api/v1/api-keys/{made['id']}"))
    for _ in range(10):
        refused(client.call("GET", "/api/v1/sections"), 401)


def test_a_key_is_revoked_once(org: Org) -> None:
    """A second revocation finds nothing."""
    path = f"/api/v1/api-keys/{add_key(org)['id']}"
    gone(org.delete(path))
    refused(org.delete(path), 404)


def test_revoking_one_key_leaves_the_others(org: Org, served: Served) -> None:
    """Only the revoked key is refused."""
    first, second = add_key(org), add_key(org)
    gone(org.delete(f"/api/v1/api-keys/{first['id']}"))
    found(Client(url=served.url, key=second["key"]).call("GET", "/api/v1/sections"))


@pytest.mark.parametrize("name", ["missing", None, 5, ["Ansible"], {"is": "Ansible"}])
def test_a_key_needs_a_name(org: Org, name: object) -> None:
    """A key without a name, or with one that is no text, is refused."""
    body = {} if name == "missing" else {"name": name}
    refused_field(org.post("/api/v1/api-keys", json=body), "name")


@pytest.mark.parametrize("role", ["root", "", "Editor", 1, ["editor"]])
def test_an_unknown_role_is_refused(org: Org, role: object) -> None:
    """A key's role is one of the four."""
    refused_field(org.post("/api/v1/api-keys", json={"name": "CI", "role": role}), "role")


def test_a_key_may_end_in_the_future(org: Org, served: Served) -> None:
    """A key works until its end."""
    end = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = add_key(org, expires_at=end)
    found(Client(url=served.url, key=made["key"]).call("GET", "/api/v1/sections"))


def test_a_key_never_works_after_its_end(org: Org, served: Served) -> None:
    """An end in the past is refused at the creation or by the key's first use."""
    body = {"name": "CI", "expires_at": "2020-01-01T00:00:00Z"}
    answer = org.post("/api/v1/api-keys", json=body)
    if answer.status_code == 201:
        client = Client(url=served.url, key=answer.json()["key"])
        refused(client.call("GET", "/api/v1/sections"), 401)
    else:
        refused_field(answer, "expires_at")


@pytest.mark.parametrize("end", ["tomorrow", "2026-13-01T00:00:00Z", 5, True, []])
def test_an_end_that_is_no_time_is_refused(org: Org, end: object) -> None:
    """`expires_at` is an RFC 3339 time."""
    body = {"name": "CI", "expires_at": end}
    refused_field(org.post("/api/v1/api-keys", json=body), "expires_at")
