"""The settings: what stops the start, and where they may stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ipcraft_oidc.configuration import Configuration
from ipcraft_oidc.schemas import Settings

from ipcraft.config import load_settings
from ipcraft.plugin import Application, StartError
from ipcraft.testing import make_application

from .conftest import PUBLIC_URL, section
from .issuer import SECRET

ISSUER = "https://login.example.com/realms/acme"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("issuer", "http://login.example.com"),
        ("issuer", "login.example.com"),
        ("issuer", "https://"),
        ("issuer", "https://[x"),
        ("issuer", "https://login.example.com?a=b"),
        ("issuer", "https://ada:secret@login.example.com"),
        ("issuer", None),
        ("client_id", ""),
        ("client_secret", ""),
        ("organization", ""),
        ("roles", {"staff": "king"}),
        ("roles", {"staff": None}),
        ("roles", ["staff"]),
        ("roles", {}),
        ("default_role", "king"),
        ("groups_claim", ""),
        ("scopes", ["a b"]),
        ("scopes", [""]),
        ("clock_skew", -1),
        ("clock_skew", 301),
        ("require_verified_email", "maybe"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start(
    database_url: str, key: str, value: object
) -> None:
    """The error names the key."""
    with pytest.raises(StartError, match=rf"\[plugins.oidc\] {key}"):
        opened(database_url, {**section(ISSUER), key: value})


@pytest.mark.parametrize("key", ["issuer", "client_id", "organization"])
def test_settings_without_which_nothing_works_stop_the_start(database_url: str, key: str) -> None:
    """The error says where they could stand."""
    settings = section(ISSUER)
    del settings[key]
    with pytest.raises(StartError, match=f"IPCRAFT_OIDC_{key.upper()}"):
        opened(database_url, settings)


def test_without_a_public_url_it_does_not_start(database_url: str) -> None:
    """The way back cannot be built from what a request claims."""
    with pytest.raises(StartError, match="IPCRAFT_PUBLIC_URL"):
        opened(database_url, section(ISSUER), public_url=None)


def test_an_error_does_not_show_the_secret(database_url: str) -> None:
    """Neither does the repr of the settings."""
    with pytest.raises(StartError) as caught:
        opened(database_url, {**section(ISSUER), "clock_skew": -1})
    assert SECRET not in str(caught.value)
    app = opened(database_url, section(ISSUER))
    assert SECRET not in repr(Configuration.of(app)) + repr(app.settings)
    app.storage.close()


def test_everything_may_stand_in_the_environment(tmp_path: Path) -> None:
    """The secret also in a file, the roles as JSON."""
    file = tmp_path / "secret"
    file.write_text("hidden\n")
    environ = {
        "IPCRAFT_OIDC_ISSUER": ISSUER,
        "IPCRAFT_OIDC_CLIENT_ID": "ipcraft",
        "IPCRAFT_OIDC_CLIENT_SECRET_FILE": str(file),
        "IPCRAFT_OIDC_ORGANIZATION": "Acme",
        "IPCRAFT_OIDC_ROLES": '{"staff": "viewer"}',
        "IPCRAFT_OIDC_SCOPES": "email,groups",
        "IPCRAFT_OIDC_REQUIRE_VERIFIED_EMAIL": "no",
    }
    settings = load_settings(path=Path("/dev/null"), environ=environ)
    values = settings.section("oidc", Settings)
    assert values["client_secret"] == "hidden"
    assert values["roles"] == {"staff": "viewer"}
    assert values["scopes"] == ["email", "groups"]
    assert values["require_verified_email"] is False


def test_an_issuer_may_not_verify_addresses(database_url: str) -> None:
    """Where the operator says so, its word is taken for addresses as they are."""
    app = opened(database_url, {**section(ISSUER), "require_verified_email": False})
    assert not Configuration.of(app).require_verified_email
    app.storage.close()


def test_the_start_loads_nothing_heavy() -> None:
    """Cryptography and HTTP are loaded when somebody signs in."""
    program = (
        "import sys, ipcraft_oidc; "
        "print([m for m in ('joserfc', 'cryptography', 'requests') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def opened(
    database_url: str, settings: dict[str, Any], *, public_url: str | None = PUBLIC_URL
) -> Application:
    """Open an application with these settings."""
    return make_application(
        database_url,
        enable=["oidc"],
        sections={"oidc": settings},
        settings={"public_url": public_url},
    )
