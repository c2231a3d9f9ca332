"""The organization over HTTP: its name, and its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Table, select

from ipcraft.data.erasure import tenant_tables
from ipcraft.data.migrations import CORE
from ipcraft.plugin import Application, Change, Forbidden, Row, Statement, Transaction
from ipcraft.testing import Client, Organization, make_organization
from ipcraft_accounts import Member, list_organizations

Sign = Callable[[str], Client]
Add = Callable[..., Member]
PATH = "/api/v1/organization"
EVERYWHERE = {
    "addresses",
    "api_keys",
    "events",
    "invitations",
    "organizations",
    "sections",
    "sessions",
    "subnets",
    "users",
}


def fill(app: Application, organization: Organization) -> None:
    """Leave a row in every table there is."""
    client = organization.client
    section = client.post("/api/v1/sections", json={"name": "A"}).json["id"]
    network = {"network": "10.0.0.0/16", "section_id": section}
    outer = client.post("/api/v1/subnets", json=network).json["id"]
    client.post("/api/v1/subnets", json={"network": "10.0.1.0/24"})
    client.post(f"/api/v1/subnets/{outer}/addresses", json={"ip": "10.0.1.1"})
    client.post("/api/v1/invitations", json={"email": "bob@example.com"})
    organization.browser(app)


def rows(app: Application) -> dict[str, list[Row]]:
    """Give every organization's rows by table."""
    histories = [CORE, *app.registry.migrations.values()]
    tables: list[Table] = [table for each in histories for table in tenant_tables(each)]
    with app.storage.read_system() as tx:
        return {
            table.name: tx.all(Statement(select(*(c for c in table.c if c.name != "last_used_at"))))
            for table in tables
        }


def only(found: dict[str, list[Row]], organization_id: str) -> dict[str, list[Row]]:
    """Give the rows of one organization, which is the first column, without order."""
    own = {
        name: sorted((row for row in all_rows if row[0] == organization_id), key=repr)
        for name, all_rows in found.items()
    }
    return {name: kept for name, kept in own.items() if kept}


def test_the_organization_is_shown(browser: Client, ada: Member) -> None:
    """Its name, plan and age."""
    assert browser.get(PATH).json == {
        "id": ada.organization.id,
        "name": "Acme",
        "plan": "teams",
        "created_at": "2026-03-01T12:00:00Z",
    }


def test_the_owner_renames_it(browser: Client) -> None:
    """The new name is there at once, and the activity tells of both."""
    answer = browser.patch(PATH, json={"name": " Acme West "})
    assert (answer.status_code, answer.json["name"]) == (200, "Acme West")
    assert browser.get(PATH).json == answer.json
    entry = browser.get("/api/v1/activity").json[0]
    assert entry["details"] == "Renamed organization Acme to Acme West"


@pytest.mark.parametrize("body", [{}, {"name": "Acme"}])
def test_the_same_name_is_no_change(browser: Client, body: dict[str, str]) -> None:
    """Nothing is recorded."""
    assert browser.patch(PATH, json=body).json["name"] == "Acme"
    actions = [entry["action"] for entry in browser.get("/api/v1/activity").json]
    assert "organization.updated" not in actions


@pytest.mark.parametrize(
    ("body", "field"),
    [({"name": ""}, "name"), ({"name": "x" * 256}, "name"), ({"plan": "free"}, "plan")],
)
def test_a_bad_change_is_refused_by_field(
    browser: Client, body: dict[str, object], field: str
) -> None:
    """Nobody gives themselves another plan."""
    answer = browser.patch(PATH, json=body)
    assert answer.status_code == 400
    assert field in answer.json["fields"]


@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_only_owners_rename_and_delete(
    application: Application, sign_in: Sign, add: Add, role: str, method: str
) -> None:
    """Not even an admin with the right name."""
    sender = sign_in(add(role).user.email)
    assert sender.request(method, PATH, json={"name": "Acme"}).status_code == 403
    assert len(list_organizations(application.storage)) == 1


@pytest.mark.parametrize(
    "body", [None, {}, {"name": ""}, {"name": "acme"}, {"name": "Acme "}, {"name": None}]
)
def test_a_deletion_is_confirmed_by_the_name(
    application: Application, browser: Client, body: Any
) -> None:
    """Letter by letter; anything else deletes nothing."""
    assert browser.delete(PATH, json=body).status_code == 400
    assert len(list_organizations(application.storage)) == 1


def test_a_deletion_leaves_no_row_of_it_and_touches_no_other(application: Application) -> None:
    """Whatever the plugin: its users, keys, sessions, inventory and events are gone."""
    ours, theirs = make_organization(application), make_organization(application)
    for organization in (ours, theirs):
        fill(application, organization)
    application.job_queue.close()  # what was asked for is done, and nothing more is
    before = rows(application)
    assert set(only(before, ours.id)) >= EVERYWHERE
    name = ours.client.get(PATH).json["name"]
    assert ours.client.delete(PATH, json={"name": name}).status_code == 204
    after = rows(application)
    assert only(after, ours.id) == {}
    assert only(after, theirs.id) == only(before, theirs.id)


def test_nobody_of_it_is_recognized_any_more(
    application: Application, browser: Client, ada: Member, sign_in: Sign
) -> None:
    """Keys and sessions open nothing in the very next request; the browser forgets its own."""
    other = sign_in(ada.user.email)
    answer = browser.delete(PATH, json={"name": "Acme"})
    assert answer.status_code == 204
    assert "expires=Thu, 01 Jan 1970" in answer.headers["set-cookie"]
    assert [client.get(PATH).status_code for client in (browser, other)] == [401, 401]


def test_a_plugin_may_veto_a_deletion(
    application: Application, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a change like any other: a hook that refuses it keeps everything."""

    def veto(change: Change, tx: Transaction) -> None:
        if change.type == "organization.deleted":
            raise Forbidden("An invoice is open")

    hooks = type(application.registry.relay)
    monkeypatch.setattr(hooks, "before_change", lambda relay, change, tx: veto(change, tx))
    answer = browser.delete(PATH, json={"name": "Acme"})
    assert (answer.status_code, answer.json["error"]) == (403, "An invoice is open")
    assert browser.get(PATH).status_code == 200
