"""Secrets are planted, used, misused, and then looked for wherever they must not be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import falcon
import pytest
import requests
import structlog

from ipcraft.logs import configure_logs
from ipcraft.plugin import Application
from ipcraft.testing import Client, Databases, make_session
from ipcraft.testing.applications import SECRET_KEY
from ipcraft.testing.databases import dump
from ipcraft.testing.serving import Served
from ipcraft_accounts import Member, new_token
from ipcraft_apikeys import create_key

Sign = Callable[[str], Client]
PATIENCE = 60


def tell(client: Client, secret: str) -> str:
    """Send a secret as every credential, and where it does not belong; give all answers."""
    answers = [
        client.request(method, path, headers={**credentials, **headers}, **options)
        for credentials in (
            {"Cookie": f"session={secret}", "X-Requested-With": "XMLHttpRequest"},
            {"Authorization": f"Bearer {secret}"},
        )
        for method, path, headers, options in _misuses(secret)
    ]
    return "".join(answer.text + str(answer.headers) for answer in answers)


def _misuses(secret: str) -> list[tuple[str, str, dict[str, str], dict[str, Any]]]:
    return [
        ("GET", "/api/v1/auth/me", {}, {}),
        ("GET", f"/api/v1/users/{secret}", {}, {}),
        ("GET", "/api/v1/users", {}, {"params": {"limit": "x", "token": secret}}),
        ("POST", "/api/v1/sections", {}, {"json": {"name": 5}}),
        ("POST", "/api/v1/sections", {}, {"body": "{"}),
        ("POST", "/api/v1/auth/logout", {"Origin": "https://evil.example"}, {}),
        ("GET", f"/nowhere/{secret}", {}, {}),
    ]


def key_of(app: Application, member: Member) -> str:
    """Make a key of the member."""
    return app.storage.transact(
        member.organization.id,
        lambda tx: create_key(
            tx, name="CI", role="owner", user_id=member.user.id, maker_role="owner"
        ),
    ).secret


@pytest.fixture(params=["json", "text"])
def all_logs(request: pytest.FixtureRequest) -> Iterator[None]:
    """Write every line there is, in either form."""
    configure_logs(level="debug", form=request.param)
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("all_logs")
def test_no_log_error_or_table_holds_a_secret(
    application: Application, ada: Member, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of sessions and keys that are alive, dead, made up or sent where they do not belong."""
    session, dead = (make_session(application, ada.user.email) for _ in range(2))
    key, made_up = key_of(application, ada), new_token()
    secrets = (session, dead, key, made_up)
    Client(application, session=dead).post("/api/v1/auth/logout")
    told = "".join(tell(Client(application), secret) for secret in secrets)
    written = capsys.readouterr()
    application.storage.close()
    kept = dump(application.settings.database_url)
    assert ada.user.email in kept
    for secret in secrets:
        assert secret not in written.out + written.err
        assert secret not in told
        assert secret not in kept
    assert SECRET_KEY not in written.out + written.err + told + kept


@pytest.mark.usefixtures("all_logs")
def test_a_crash_logs_no_secret(
    application: Application, ada: Member, capsys: pytest.CaptureFixture[str]
) -> None:
    """The traceback of a resource that fails with the credentials in its message is cut."""
    session, key = make_session(application, ada.user.email), key_of(application, ada)

    class Broken:
        def on_get(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
            raise RuntimeError(f"{dict(req.headers)} {req.get_header('Cookie')}")

    for route in application.routes:
        if route.path == "/api/v1/users/{user_id}":
            object.__setattr__(route, "resource", Broken())
    for client in (Client(application, session=session), Client(application, key)):
        answer = client.get("/api/v1/users/1")
        assert answer.status_code == 500
        assert session not in answer.text + str(answer.headers)
        assert key not in answer.text + str(answer.headers)
    written = capsys.readouterr()
    assert "RuntimeError" in written.out + written.err
    assert session not in written.out + written.err
    assert key not in written.out + written.err


def test_a_served_process_writes_no_secret(databases: Databases, tmp_path: Path) -> None:
    """Neither to its log nor into its database, over real HTTP."""
    with Served(
        databases.create(), tmp_path, workers=1, environ={"IPCRAFT_LOG_LEVEL": "debug"}
    ) as server:
        org = server.organization()
        session, made_up = make_session(server.application, org.email), new_token()
        for token in (session, made_up):
            for path in ("/api/v1/auth/me", f"/api/v1/users/{token}?token={token}", f"/{token}"):
                requests.get(server.url + path, cookies={"session": token}, timeout=PATIENCE)
            for headers in ({}, {"X-Requested-With": "XMLHttpRequest"}):
                requests.post(
                    f"{server.url}/api/v1/auth/logout",
                    cookies={"session": token},
                    headers=headers,
                    timeout=PATIENCE,
                )
        org.get("/api/v1/auth/me")
        log, url = server.log, server.database_url
    kept = log.read_text() + dump(url)
    assert "/api/v1/auth/logout" in kept
    assert org.email in kept
    for secret in (session, made_up, org.key, SECRET_KEY):
        assert secret not in kept
    databases.drop(url)
