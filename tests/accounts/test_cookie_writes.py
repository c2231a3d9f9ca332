"""Writes with a session cookie, on every route there is."""

from __future__ import annotations

from typing import Any

import pytest

from ipcraft.plugin import Application, Identity
from ipcraft.testing import Client

from .routes import requests_to

SAFE = ("GET", "HEAD", "OPTIONS")
SECTIONS = "/api/v1/sections"


def writes(app: Application) -> list[tuple[str, str]]:
    """Give method and path of every route that needs credentials and changes something."""
    return [(each.method, each.path) for each in requests_to(app) if each.method not in SAFE]


def test_no_write_passes_without_the_header(application: Application, browser: Client) -> None:
    """Every state-changing route of every plugin is guarded, from the table of routes."""
    found = writes(application)
    assert ("DELETE", "/api/v1/organization") in found
    for method, path in found:
        answer = browser.request(method, path, headers={"X-Requested-With": None}, json={})
        assert (answer.status_code, answer.json["code"]) == (403, "csrf"), (method, path)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://falconframework.org:1"])
def test_no_write_passes_from_a_foreign_origin(
    application: Application, browser: Client, origin: str
) -> None:
    """Not even with the header."""
    for method, path in writes(application):
        answer = browser.request(method, path, headers={"Origin": origin}, json={})
        assert (answer.status_code, answer.json["code"]) == (403, "foreign_origin"), (method, path)


def test_a_write_from_our_own_pages_passes(browser: Client) -> None:
    """With the header, and with the origin a browser sends along."""
    for origin in (None, "http://falconframework.org"):
        answer = browser.post(SECTIONS, json={"name": "A"}, headers={"Origin": origin})
        assert answer.status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "text/plain",
        "text/plain; charset=utf-8",
        "multipart/form-data; boundary=x",
        None,
    ],
)
def test_a_form_is_no_write(browser: Client, content_type: str | None) -> None:
    """What a page of another site can send without asking is refused as a body, too."""
    headers: dict[str, Any] = {"Content-Type": content_type}
    answer = browser.post(SECTIONS, body='{"name": "A"}', headers=headers)
    assert answer.status_code == 415
    unguarded = headers | {"X-Requested-With": None}
    assert browser.post(SECTIONS, body='{"name": "A"}', headers=unguarded).status_code == 403
    assert browser.get(SECTIONS).json == []


def test_a_refused_write_changes_nothing(browser: Client) -> None:
    """The guard stands before the resource."""
    browser.post(SECTIONS, json={"name": "A"}, headers={"X-Requested-With": None})
    browser.post(SECTIONS, json={"name": "A"}, headers={"Origin": "https://evil.example"})
    assert browser.get(SECTIONS).json == []


def test_a_plugin_that_says_nothing_is_guarded() -> None:
    """An identity counts as sent by the browser unless its backend says otherwise."""
    identity = Identity(organization_id="org_1", user_id=None, role="owner", scheme="new")
    assert identity.ambient
