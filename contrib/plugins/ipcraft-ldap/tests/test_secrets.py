"""Passwords are planted, and then looked for wherever they must not be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import structlog

from ipcraft.logs import configure_logs
from ipcraft.testing import Databases, Served
from ipcraft.testing.databases import dump
from ipcraft.testing.services import FaultProxy, Slapd
from ipcraft_accounts import create_organization

pytestmark = pytest.mark.slapd

OpenDoor = Callable[..., Any]
CANARIES = ("wonderland", "reads a lot", "canary-9f3c")
PATIENCE = 60


@pytest.fixture(params=["json", "text"])
def form(request: pytest.FixtureRequest) -> Iterator[str]:
    """Name a form of the logs, all lines of which are written."""
    yield request.param
    structlog.reset_defaults()


def test_no_log_answer_or_table_holds_a_password(
    open_door: OpenDoor, slapd: Slapd, form: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a right one nor a wrong one, nor that of the service account."""
    with FaultProxy("127.0.0.1", slapd.port) as proxy:
        door = open_door(url=f"ldap://127.0.0.1:{proxy.port}", timeout=0.5)
        configure_logs(level="debug", form=form)
        answers = [door("alice", "wonderland"), door("alice", "canary-9f3c")]
        answers += [door.post(body) for body in malformed("canary-9f3c")]
        proxy.down()
        answers += [door("alice", "wonderland"), door("alice", "canary-9f3c")]
    assert [each.status_code for each in answers] == [200, 401, 400, 400, 400, 503, 503]
    door.app.storage.close()
    kept = dump(door.app.settings.database_url)
    assert "alice@example.com" in kept
    absent(
        "".join(each.text + str(each.headers) for each in answers),
        "".join(capsys.readouterr()),
        kept,
        repr(door.app.settings),
    )


def test_a_served_process_signs_in_and_writes_no_password(
    databases: Databases, slapd: Slapd, section: dict[str, Any], tmp_path: Path
) -> None:
    """As an operator starts it, over real HTTP; the service account's password is in a file."""
    secret = tmp_path / "bind_password"
    secret.write_text("reads a lot\n")
    (tmp_path / "ipcraft.toml").write_text(CONFIGURATION.format(**section))
    environ = {"IPCRAFT_LDAP_BIND_PASSWORD_FILE": str(secret), "IPCRAFT_LOG_LEVEL": "debug"}
    with Served(databases.create(), tmp_path, workers=1, environ=environ) as server:
        create_organization(
            server.application.storage, name="Acme", owner_email="founder@example.com"
        )
        url = f"{server.url}/api/v1/auth/ldap"
        with requests.Session() as session:
            for password, status in (("canary-9f3c", 401), ("wonderland", 200)):
                answer = session.post(
                    url, json={"username": "alice", "password": password}, timeout=PATIENCE
                )
                assert answer.status_code == status
            me = session.get(f"{server.url}/api/v1/auth/me", timeout=PATIENCE).json()
            form = {"username": "alice", "password": "canary-9f3c"}
            assert session.post(url, data=form, timeout=PATIENCE).status_code == 415
    assert (me["user"]["email"], me["role"]) == ("alice@example.com", "admin")
    written = server.log.read_text()
    assert "/api/v1/auth/ldap" in written
    absent(written, dump(server.database_url))
    databases.drop(server.database_url)


CONFIGURATION = """\
[plugins]
enable = ["ldap"]

[plugins.ldap]
url = "{url}"
ca_file = "{ca_file}"
bind_dn = "{bind_dn}"
user_base = "{user_base}"
group_base = "{group_base}"
organization = "{organization}"

[plugins.ldap.roles]
"Network Admins" = "admin"
"""


def malformed(password: str) -> list[Any]:
    """Give bodies that are refused before anybody is asked."""
    return [
        {"username": "alice", "password": [password]},
        {"username": 5, "password": password},
        {"username": "alice", "password": password, "passwort": password},
    ]


def absent(*texts: str) -> None:
    """Check that no text holds a password."""
    for text in texts:
        assert not [canary for canary in CANARIES if canary in text]
