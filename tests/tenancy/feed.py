"""What the matrix must know of a route to use it: resources for its ids, a body that it takes.

Whoever adds a route adds a line here, if its path has a new variable or it takes a body; until then
the matrix fails and says which line is missing.
"""

from __future__ import annotations

import atexit
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ipcraft.testing import Organization
from ipcraft.testing.organizations import make_session
from ipcraft.testing.services import WebhookReceiver
from ipcraft_accounts import create_user

_PATIENCE = 60.0

Body = dict[str, Any] | list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Exempt:
    """Say why a request is left out: it takes no id of anything, and would change its sender."""

    reason: str


def create(organization: Organization, path: str, body: Mapping[str, Any]) -> str:
    """Create a resource and give its id."""
    answer = organization.client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    identifier: str = answer.json["id"]
    return identifier


def join(organization: Organization) -> str:
    """Add a person to the organization and give the user's id."""
    storage = organization.client.app.storage
    email = f"{secrets.token_hex(8)}@example.com"
    return create_user(storage, organization.id, email=email, role="viewer").id


def begin_session(organization: Organization) -> str:
    """Begin a session of the owner and give its id."""
    make_session(organization.client.app, organization.email)
    identifier: str = organization.client.get("/api/v1/auth/sessions").json[0]["id"]
    return identifier


@cache
def receiver() -> WebhookReceiver:
    """Give what webhooks lead to."""
    opened = WebhookReceiver().__enter__()
    atexit.register(opened.close)
    return opened


def upload(organization: Organization) -> str:
    """Upload a file whose rows are refused, wait for its report, and give the import's id."""
    answer = organization.client.post("/api/v1/imports", body=b"network\n10.0.0.1/24\n")
    assert answer.status_code == 202, answer.text
    identifier: str = answer.json["id"]
    deadline, pause = time.monotonic() + _PATIENCE, threading.Event()
    while organization.client.get(f"/api/v1/imports/{identifier}").json["state"] != "checked":
        assert time.monotonic() < deadline
        pause.wait(0.02)
    return identifier


def deliver(organization: Organization, webhook_id: str) -> str:
    """Send a webhook something and give the id of the delivery."""
    answer = organization.client.post(f"/api/v1/webhooks/{webhook_id}/test")
    assert answer.status_code == 200, answer.text
    identifier: str = answer.json["id"]
    return identifier


MAKERS: dict[str, Callable[[Organization, Mapping[str, str]], str]] = {
    "section_id": lambda org, made: create(org, "/api/v1/sections", {"name": secrets.token_hex(4)}),
    "vrf_id": lambda org, made: create(org, "/api/v1/vrfs", {"name": secrets.token_hex(4)}),
    "vlan_id": lambda org, made: create(
        org, "/api/v1/vlans", {"number": 120, "name": secrets.token_hex(4)}
    ),
    "subnet_id": lambda org, made: create(
        org,
        "/api/v1/subnets",
        {
            "network": "10.0.1.0/24",
            "section_id": made["section_id"],
            "vlan_id": made["vlan_id"],
        },
    ),
    "address_id": lambda org, made: create(
        org, f"/api/v1/subnets/{made['subnet_id']}/addresses", {"ip": "10.0.1.10"}
    ),
    "user_id": lambda org, made: join(org),
    "session_id": lambda org, made: begin_session(org),
    "invitation_id": lambda org, made: create(
        org, "/api/v1/invitations", {"email": f"{secrets.token_hex(8)}@example.com"}
    ),
    "key_id": lambda org, made: create(org, "/api/v1/api-keys", {"name": "automation"}),
    "webhook_id": lambda org, made: create(org, "/api/v1/webhooks", {"url": receiver().url}),
    "import_id": lambda org, made: upload(org),
    "delivery_id": lambda org, made: deliver(org, made["webhook_id"]),
}
"""How an organization gets one resource for a path's variable; `made` are those above it."""

BODIES: dict[tuple[str, str], tuple[Body, ...] | Exempt] = {
    ("POST", "/api/v1/sections"): ({"name": "Mine"},),
    ("PATCH", "/api/v1/sections/{section_id}"): ({"name": "Mine"},),
    ("POST", "/api/v1/vrfs"): ({"name": "Mine", "rd": "65000:1"},),
    ("PATCH", "/api/v1/vrfs/{vrf_id}"): ({"name": "Mine"}, {"rd": "65000:1"}),
    ("POST", "/api/v1/vlans"): ({"number": 7, "name": "Mine"},),
    ("PATCH", "/api/v1/vlans/{vlan_id}"): ({"name": "Mine"}, {"number": 8}),
    ("POST", "/api/v1/subnets"): ({"network": "10.9.0.0/16"}, [{"network": "10.9.0.0/16"}]),
    ("PATCH", "/api/v1/subnets/{subnet_id}"): ({"name": "Mine"}, {"gateway": "10.0.1.1"}),
    ("POST", "/api/v1/subnets/{subnet_id}/split"): ({"parts": 2},),
    ("POST", "/api/v1/subnets/{subnet_id}/first-free"): ({}, {"count": 2}),
    ("POST", "/api/v1/subnets/{subnet_id}/first-free-subnet"): ({"prefix_length": 26},),
    ("POST", "/api/v1/subnets/{subnet_id}/addresses"): ({"ip": "10.0.1.11"}, [{"ip": "10.0.1.11"}]),
    ("PATCH", "/api/v1/addresses/{address_id}"): ({"hostname": "mine"},),
    ("POST", "/api/v1/imports"): Exempt("its body is a file, kept as it is, and names no id"),
    ("POST", "/api/v1/imports/{import_id}/run"): ({"skip_bad_rows": True},),
    ("POST", "/api/v1/api-keys"): ({"name": "mine"},),
    ("POST", "/api/v1/auth/logout"): Exempt("it ends the session it came with, if there is one"),
    ("PATCH", "/api/v1/organization"): ({"name": "Mine"},),
    ("DELETE", "/api/v1/organization"): Exempt("it leaves nothing of the sender's own"),
    ("PATCH", "/api/v1/users/{user_id}"): ({"name": "Mine"},),
    ("POST", "/api/v1/invitations"): ({"email": "mine@example.com"},),
    ("POST", "/api/v1/billing/checkout"): ({}, {"plan": "teams"}),
    ("POST", "/api/v1/billing/portal"): ({},),
    ("POST", "/api/v1/webhooks"): ({"url": "https://example.com/hook"},),
    ("PATCH", "/api/v1/webhooks/{webhook_id}"): ({"description": "Mine"}, {"is_active": True}),
    ("POST", "/api/v1/webhooks/{webhook_id}/test"): ({},),
    ("POST", "/api/v1/webhooks/{webhook_id}/rotate-secret"): ({}, {"overlap_seconds": 60}),
    ("POST", "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver"): ({},),
}
"""The bodies a route takes, each valid when sent for the sender's own resources."""

QUERIES: dict[str, dict[str, str]] = {
    "/api/v1/subnets/{subnet_id}/first-free-subnet": {"prefix_length": "26"},
    "/api/v1/search": {"q": "10.0.0.0/8"},
}
"""What a path cannot be read without in its query."""

PASSING = frozenset({"last_used_at"})
"""Columns that change when nobody changes anything."""
