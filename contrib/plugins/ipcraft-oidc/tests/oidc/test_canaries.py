"""Secrets are used and misused, and then looked for wherever they must not be."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import structlog

from ipcraft.logs import configure_logs
from ipcraft.plugin import Application
from ipcraft.testing import Databases, Served, make_application
from ipcraft.testing.databases import dump
from ipcraft.testing.services import free_port
from ipcraft_accounts import create_organization

from .browser import CALLBACK, LOGIN, Browser, query_of, visit
from .conftest import ROLES, section
from .issuer import CLIENT_ID, SECRET, Issuer

Canaries = list[str]


def _altered(**claims: Any) -> Callable[[Issuer], None]:
    return lambda issuer: setattr(issuer, "altered", lambda told: {**told, **claims})


def _answering(status: int, text: str) -> Callable[[Issuer], None]:
    return lambda issuer: issuer.failing.update({"/token": (status, text)})


def _of_person(**claims: Any) -> Callable[[Issuer], None]:
    return lambda issuer: issuer.person.update(claims)


_FAULTS: list[Callable[[Issuer], None]] = [
    lambda issuer: setattr(issuer, "secret", "another"),
    _answering(500, "{}"),
    _answering(200, "no JSON"),
    _answering(400, '{"error": "invalid_grant"}'),
    _altered(nonce="wrong"),
    _altered(exp=0),
    lambda issuer: setattr(issuer, "signed", lambda _: "canary.broken.token"),
    lambda issuer: issuer.dripping.add("/userinfo"),
    _of_person(email_verified=False),
    _of_person(groups=[]),
]


@pytest.fixture(params=["json", "text"])
def all_logs(request: pytest.FixtureRequest) -> Iterator[None]:
    """Write every line there is, those of libraries too, in either form."""
    configure_logs(level="debug", form=request.param)
    root = logging.getLogger()
    before, root.level = root.level, logging.DEBUG
    yield
    root.level = before
    structlog.reset_defaults()


@pytest.mark.usefixtures("all_logs")
def test_no_log_error_or_table_holds_a_secret(
    application: Application,
    browser: Browser,
    issuer: Issuer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not of a sign-in that succeeds, nor of one that fails, in whatever way."""
    canaries = [SECRET]
    told = [went_well(browser, canaries)]
    for fault in _FAULTS:
        issuer.secret, issuer.signed, issuer.in_id_token = SECRET, None, ()
        issuer.altered = lambda claims: claims
        issuer.failing.clear()
        fault(issuer)
        told.append(went_wrong(Browser(application), canaries))
    written = capsys.readouterr()
    application.storage.close()
    kept = dump(application.settings.database_url)
    assert "ada@example.com" in kept
    everything = "".join([written.out, written.err, *told, kept])
    assert "OpenID Connect" in everything
    assert len(issuer.given) > 10
    for secret in {*canaries, *issuer.given, "canary"}:
        assert secret not in everything


def went_well(browser: Browser, canaries: Canaries) -> str:
    """Sign in; give all that was said, without what the browser alone must get."""
    location = browser.begin()
    canaries += [*secrets_of(location), browser.cookies["oidc"]]
    answer = browser.come_back(visit(location))
    assert answer.status_code == 303
    canaries.append(browser.cookies["session"])
    return answer.text + answer.headers["location"]


def went_wrong(browser: Browser, canaries: Canaries) -> str:
    """Fail to sign in, with secrets where they do not belong; give all that was said."""
    location = browser.begin()
    canaries += secrets_of(location)
    params = visit(location)
    canaries.append(params["code"])
    kept = dict(browser.cookies)
    answers = [
        browser.get(f"/api/v1/auth/oidc/{params['code']}"),
        browser.get(LOGIN, params={"next": params["code"]}),
        browser.come_back({**params, "state": params["code"]}),
        browser.come_back({**params, "iss": f"https://{params['code']}"}),
    ]
    browser.cookies = kept
    answers.append(browser.come_back(params))
    assert [answer.status_code for answer in answers[:4]] == [404, 400, 401, 401]
    assert answers[4].status_code in (401, 403, 503)
    assert answers[4].json["code"] != "sign_in_not_begun"
    return "".join(answer.text + str(dict(answer.headers)) for answer in answers)


def secrets_of(location: str) -> Canaries:
    """Give what is secret of the way to the issuer."""
    query = query_of(location)
    return [query["state"], query["nonce"]]


def test_a_served_process_signs_in_and_writes_no_secret(
    databases: Databases, tmp_path: Path, issuer: Issuer
) -> None:
    """Over real HTTP, with the settings in the environment, as an operator runs it."""
    issuer.clock = time.time
    port = free_port()
    public_url = f"http://127.0.0.1:{port}"
    issuer.redirect_uri = public_url + CALLBACK
    url = databases.create()
    app = make_application(
        url,
        enable=["oidc"],
        sections={"oidc": section(issuer.url)},
        settings={"public_url": public_url},
    )
    create_organization(app.storage, name="Acme", owner_email="root@example.com")
    app.storage.close()
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    environ = {
        "IPCRAFT_LOG_LEVEL": "debug",
        "IPCRAFT_PUBLIC_URL": public_url,
        "IPCRAFT_PLUGINS_ENABLE": "oidc",
        "IPCRAFT_OIDC_ISSUER": issuer.url,
        "IPCRAFT_OIDC_CLIENT_ID": CLIENT_ID,
        "IPCRAFT_OIDC_CLIENT_SECRET_FILE": str(secret),
        "IPCRAFT_OIDC_ORGANIZATION": "Acme",
        "IPCRAFT_OIDC_ROLES": json.dumps(ROLES),
    }
    with Served(url, tmp_path, environ=environ) as server:
        jar = requests.Session()
        login = jar.get(f"{server.url}{LOGIN}", allow_redirects=False, timeout=30)
        params = visit(login.headers["Location"])
        back = jar.get(f"{server.url}{CALLBACK}", params=params, allow_redirects=False, timeout=30)
        assert (back.status_code, back.headers["Location"]) == (303, f"{public_url}/")
        me = jar.get(f"{server.url}/api/v1/auth/me", timeout=30).json()
        assert (me["user"]["email"], me["role"]) == ("ada@example.com", "editor")
        session = str(jar.cookies["session"])
        jar.close()
    kept = server.log.read_text() + dump(app.settings.database_url)
    assert CALLBACK in kept
    assert "ada@example.com" in kept
    for canary in (SECRET, *issuer.given, *params.values(), session, "canary"):
        assert canary not in kept.replace(issuer.url, "")
    databases.drop(url)
