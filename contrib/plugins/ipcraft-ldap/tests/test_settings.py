"""Settings that make no sense stop the start, and a missing directory is told at once."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ipcraft.plugin import StartError
from ipcraft.testing import Client, make_application
from ipcraft.testing.services import free_port

WORKING: dict[str, Any] = {
    "url": "ldap://127.0.0.1",
    "user_base": "ou=people,dc=example,dc=com",
    "group_base": "ou=groups,dc=example,dc=com",
    "organization": "Acme",
    "roles": {"noc": "editor"},
}


@pytest.mark.parametrize(
    ("differing", "complaint"),
    [
        ({"url": "https://ldap.example.com"}, r"\[plugins.ldap\] url"),
        ({"url": "ldap://cn=a:secret@host"}, r"\[plugins.ldap\] url"),
        ({"url": None}, r"\[plugins.ldap\] url"),
        ({"organization": ""}, r"\[plugins.ldap\] organization"),
        ({"user_base": None}, "Either user_base or user_dn must be set"),
        ({"user_dn": "uid={username}"}, "Either user_base or user_dn must be set"),
        ({"user_filter": "(uid=alice)"}, r"user_filter.* Does not contain \{username\}"),
        ({"user_base": None, "user_dn": "uid=x"}, r"user_dn.* Does not contain \{username\}"),
        ({"bind_dn": "cn=reader"}, "bind_dn and bind_password go together"),
        ({"bind_password": "x"}, "bind_dn and bind_password go together"),
        ({"roles": {}}, "nobody gets in"),
        ({"roles": {"noc": "king"}}, r"\[plugins.ldap\] roles"),
        ({"default_role": "king"}, r"\[plugins.ldap\] default_role"),
        ({"group_base": None}, "Needed to find the groups"),
        ({"timeout": 0}, r"\[plugins.ldap\] timeout"),
        ({"attempts_per_minute": 0}, r"\[plugins.ldap\] attempts_per_minute"),
        ({"ca_file": "/nowhere/ca.pem"}, "cannot read certificates from /nowhere/ca.pem"),
        ({"ca_file": "/dev/null"}, "cannot read certificates from /dev/null"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start(
    database_url: str, differing: dict[str, Any], complaint: str
) -> None:
    """The error names the key."""
    with pytest.raises(StartError, match=complaint):
        make_application(database_url, enable=["ldap"], sections={"ldap": section(**differing)})


def test_a_directory_that_is_down_is_503(database_url: str) -> None:
    """The application starts all the same, and nobody gets in."""
    settings = section(url=f"ldap://127.0.0.1:{free_port()}")
    app = make_application(database_url, enable=["ldap"], sections={"ldap": settings})
    started = time.monotonic()
    answer = Client(app).post(
        "/api/v1/auth/ldap", json={"username": "alice", "password": "wonderland"}
    )
    app.storage.close()
    assert time.monotonic() - started < 2
    assert (answer.status_code, answer.json["code"]) == (503, "directory_unavailable")
    assert "session" not in answer.cookies


def section(**differing: Any) -> dict[str, Any]:
    """Give settings of which some differ; one given as None is left out."""
    settings = {**WORKING, **differing}
    return {name: value for name, value in settings.items() if value is not None}
