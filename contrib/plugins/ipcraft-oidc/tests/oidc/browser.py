"""A browser: it keeps cookies, and goes to the issuer and back."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import falcon.testing
import requests

from ipcraft.plugin import Application
from ipcraft.testing import Client

LOGIN = "/api/v1/auth/oidc/login"
CALLBACK = "/api/v1/auth/oidc/callback"
ME = "/api/v1/auth/me"

_PATIENCE = 10


class Browser:
    """Be a browser without a session, at first."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self._client = Client(app)
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **options: Any) -> falcon.testing.Result:
        """Go to a page of ours, with the cookies we set, and keep those that come."""
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": sent or None, **options.pop("headers", {})}
        answer = self._client.get(path, headers=headers, **options)
        for name, cookie in answer.cookies.items():
            self.cookies[name] = cookie.value or ""
            if not cookie.value:
                del self.cookies[name]
        return answer

    def post(self, path: str) -> falcon.testing.Result:
        """Send a POST."""
        return self._client.post(path)

    def begin(self, **params: str) -> str:
        """Begin to sign in; give where the issuer is."""
        answer = self.get(LOGIN, params=params)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def come_back(self, params: dict[str, str], **options: Any) -> falcon.testing.Result:
        """Come back from the issuer with these parameters."""
        return self.get(CALLBACK, params=params, **options)

    def sign_in(self, **params: str) -> falcon.testing.Result:
        """Go all the way; give the last answer of ours."""
        return self.come_back(visit(self.begin(**params)))

    def role(self) -> str | None:
        """Give the role that we have by now, None when we are nobody."""
        answer = self.get(ME)
        return answer.json["role"] if answer.status_code == 200 else None


def visit(location: str) -> dict[str, str]:
    """Go to the issuer, where the person is signed in; give what it sends us back with."""
    answer = requests.get(location, allow_redirects=False, timeout=_PATIENCE)
    assert answer.status_code == 303, answer.text
    return query_of(answer.headers["Location"])


def query_of(url: str) -> dict[str, str]:
    """Give the parameters of a URL."""
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
