"""The way to the issuer and back, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import falcon
import structlog

from ipcraft.plugin import (
    Application,
    Content,
    Invalid,
    NotFound,
    Unauthenticated,
    Unavailable,
    operation,
)
from ipcraft_accounts import Organization, find_organization, sign_in
from ipcraft_oidc.attempts import LIFETIME, Attempt, Attempts, Secrets, same
from ipcraft_oidc.client import Client
from ipcraft_oidc.configuration import Configuration
from ipcraft_oidc.id_tokens import Untrusted
from ipcraft_oidc.people import person_of
from ipcraft_oidc.questions import Deadline, NoAnswer
from ipcraft_oidc.schemas import CallbackQuery, LoginQuery
from ipcraft_oidc.subjects import member_of

LOGIN = "/api/v1/auth/oidc/login"
"""The path at which a sign-in begins."""

METHOD = "oidc"
"""How a session says that it was begun."""

_PURPOSE = "oidc attempts"
_LONGEST_PATH = 1000
# What is left after one slash: visible ASCII without a backslash, which browsers take for a slash.
_PATH = re.compile(r"/(?!/)[!-\[\]-~]*")
_ERROR = re.compile(r"[a-z_]{1,40}")
_PAST = datetime(1970, 1, 1, tzinfo=UTC)

_log = structlog.get_logger("ipcraft.oidc")


_SEES_OTHER = {303: Content(headers={"Location": "Where to go on."})}


class LoginResource:
    """Answer ``/api/v1/auth/oidc/login``."""

    def __init__(self, app: Application, client: Client) -> None:
        self._app = app
        self._client = client

    @operation(query=LoginQuery(), answers=_SEES_OTHER)
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any]) -> None:
        """Send the browser to the issuer; ``next`` is the path to come back to in the end."""
        attempts = _attempts(self._app)
        attempt = attempts.begin(_destination(query["next"]), now=int(self._app.clock()))
        with _answered():
            url = self._client.authorization_url(attempts.secrets_of(attempt), Deadline())
        _set_cookie(self._client.configuration, resp, attempts.seal(attempt))
        _see_other(resp, url)


class CallbackResource:
    """Answer ``/api/v1/auth/oidc/callback``."""

    def __init__(self, app: Application, client: Client) -> None:
        self._app = app
        self._client = client
        self._configuration = client.configuration

    @operation(
        query=CallbackQuery(),
        answers=_SEES_OTHER,
        errors={
            401: "This browser did not begin the sign-in, or the issuer cannot be trusted.",
            402: "The organization's plan has no room for another user.",
            403: "The issuer knows this person, and nobody has let them in.",
        },
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any]) -> None:
        """Sign the person in whom the issuer sends back, and go on to the app."""
        attempt, secrets = self._attempt(req, query.get("state", ""))
        _clear_cookie(self._configuration, resp)
        deadline = Deadline()
        with _answered():
            self._client.refuse_other_issuer(query.get("iss"), deadline)
            claims = self._client.claims(_code(query), secrets, deadline)
        member = member_of(
            self._app,
            _organization(self._app, self._configuration).id,
            issuer=self._configuration.issuer,
            person=person_of(claims, self._configuration),
        )
        sign_in(self._app, req, resp, member=member, method=METHOD)
        _see_other(resp, self._configuration.public_url + attempt.destination)

    def _attempt(self, req: falcon.Request, state: str) -> tuple[Attempt, Secrets]:
        """Give the attempt that this browser began and now comes back from."""
        attempts = _attempts(self._app)
        cookie = _cookie(self._configuration, req)
        attempt = attempts.open(cookie, now=int(self._app.clock())) if cookie else None
        if attempt is not None:
            secrets = attempts.secrets_of(attempt)
            if same(state, secrets.state):
                return attempt, secrets
        raise Unauthenticated(
            f"This browser did not begin this sign-in, or too long ago; begin again at {LOGIN}",
            code="sign_in_not_begun",
        )


@contextmanager
def _answered() -> Iterator[None]:
    """Answer for the issuer: 503 when it cannot be asked, 401 when it cannot be trusted."""
    try:
        yield
    except NoAnswer as error:
        _log.error("the OpenID Connect issuer cannot be asked", reason=str(error))
        raise Unavailable(
            "The issuer where you sign in does not answer as it should; try again later"
        ) from None
    except Untrusted as error:
        _log.warning("a sign-in with OpenID Connect was refused for", reason=str(error))
        raise Unauthenticated(
            f"What the issuer says cannot be trusted; begin again at {LOGIN}",
            code="sign_in_refused",
        ) from None


def _attempts(app: Application) -> Attempts:
    # Not at boot: there need be no secret key to upgrade a database.
    return Attempts(app.key_for(_PURPOSE))


def _destination(path: str) -> str:
    if len(path) <= _LONGEST_PATH and _PATH.fullmatch(path):
        return path
    raise Invalid.field("next", "next must be one path of this server, such as /subnets")


def _code(query: Mapping[str, str]) -> str:
    """Give the code. Raises `Unauthenticated` when the issuer sends an error in its place."""
    code = query.get("code")
    if code:
        return code
    error = query.get("error", "")
    word = error if _ERROR.fullmatch(error) else "no code"
    raise Unauthenticated(
        f"The issuer did not sign you in ({word}); begin again at {LOGIN}", code="sign_in_refused"
    )


def _organization(app: Application, configuration: Configuration) -> Organization:
    try:
        return find_organization(app.storage, configuration.organization)
    except (NotFound, Invalid) as error:
        _log.error("[plugins.oidc] organization names none", reason=error.message)
        raise Unavailable("Nobody can sign in before this server's settings are mended") from None


def _see_other(resp: falcon.Response, url: str) -> None:
    resp.status = falcon.HTTP_303
    resp.set_header("Location", url)


def _name(configuration: Configuration) -> str:
    # Browsers take a __Host- cookie from no other host, not even from a neighbour in our domain.
    return "__Host-oidc" if configuration.secure else "oidc"


def _cookie(configuration: Configuration, req: falcon.Request) -> str | None:
    values = set(req.get_cookie_values(_name(configuration)) or ())
    return values.pop() if len(values) == 1 else None


def _set_cookie(configuration: Configuration, resp: falcon.Response, value: str) -> None:
    resp.cache_control = ["no-store"]
    resp.set_cookie(
        _name(configuration),
        value,
        max_age=LIFETIME,
        path="/",
        secure=configuration.secure,
        http_only=True,
        same_site="Lax",
    )


def _clear_cookie(configuration: Configuration, resp: falcon.Response) -> None:
    resp.cache_control = ["no-store"]
    resp.set_cookie(
        _name(configuration),
        "",
        expires=_PAST,
        path="/",
        secure=configuration.secure,
        http_only=True,
        same_site="Lax",
    )
