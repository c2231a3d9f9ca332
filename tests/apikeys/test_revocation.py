"""Revoking a key ends it, everywhere and at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

import pytest
import requests

from ipcraft.testing.serving import Served
from ipcraft_apikeys import NewKey

from .conftest import Ask

CLIENTS = 8
PATIENCE = 60
ROUTES = [
    ("GET", "/api/v1/subnets"),
    ("GET", "/api/v1/subnets?limit=1"),
    ("GET", "/api/v1/addresses/addr_none"),
    ("POST", "/api/v1/sections"),
    ("POST", "/api/v1/subnets/sub_none/first-free"),
    ("GET", "/api/v1/auth/me"),
    ("GET", "/api/v1/api-keys"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_next_request_of_a_revoked_key_is_refused(
    ask: Ask, make_key: Callable[..., NewKey], method: str, path: str
) -> None:
    """Whatever it asks for, and whether or not it is well-formed: 401."""
    key, other = make_key(), make_key()
    for _ in range(2):
        assert ask(method, path, key=key.secret, json={}).status_code != 401
    assert ask("DELETE", f"/api/v1/api-keys/{key.api_key.id}", key=other.secret).status_code == 204
    for body in ({}, {"name": "x"}):
        answer = ask(method, path, key=key.secret, json=body)
        assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")


def test_no_worker_serves_a_revoked_key(database_url: str, tmp_path: Path) -> None:
    """Eight clients at four workers, reading and writing: after the 204 not one succeeds."""
    with Served(database_url, tmp_path, workers=4, threads=4) as served:
        org = served.organization()
        made = org.post("/api/v1/api-keys", json={"name": "hammer"}).json()
        subnet = org.post("/api/v1/subnets", json={"network": "10.0.0.0/24"}).json()["id"]
        requested = [
            ("POST", "sections", {"name": "x"}),
            ("GET", f"subnets/{subnet}", None),
            ("GET", "auth/me", None),
        ]
        revoked = threading.Event()
        successes = threading.Semaphore(0)

        def hammer() -> list[int]:
            late: list[int] = []
            with requests.Session() as session:
                session.headers["Authorization"] = f"Bearer {made['key']}"
                for method, path, body in cycle(requested):
                    if len(late) == 40:
                        break
                    is_late = revoked.is_set()
                    answer = session.request(
                        method, f"{served.url}/api/v1/{path}", json=body, timeout=PATIENCE
                    )
                    if is_late:
                        late.append(answer.status_code)
                    elif answer.ok:
                        successes.release()
            return late

        with ThreadPoolExecutor(CLIENTS) as pool:
            hammering = [pool.submit(hammer) for _ in range(CLIENTS)]
            for _ in range(10 * CLIENTS):
                assert successes.acquire(timeout=30)
            assert org.delete(f"/api/v1/api-keys/{made['id']}").status_code == 204
            revoked.set()
            statuses = {status for each in hammering for status in each.result()}
    assert statuses == {401}
