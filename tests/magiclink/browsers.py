"""Browsers, and what they send and see."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from falcon.testing import Result

from ipcraft.plugin import Application
from ipcraft.testing import Client

PUBLIC_URL = "https://ipam.example.com"
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
JSON = {"Accept": "application/json"}


class Browser:
    """Keep the cookies that it is given, as a browser does."""

    def __init__(self, app: Application) -> None:
        self._client = Client(app)
        self.cookies: dict[str, str] = {}

    def request(self, method: str, path: str, **options: Any) -> Result:
        """Send a request with the cookies."""
        headers: dict[str, str] = dict(options.pop("headers", {}))
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={text}" for name, text in self.cookies.items())
        result = self._client.request(method, path, headers=headers, **options)
        for name, cookie in result.cookies.items():
            if cookie.value:
                self.cookies[name] = cookie.value
            else:
                self.cookies.pop(name, None)
        return result

    def ask(self, email: str, **options: Any) -> Result:
        """Ask for a link."""
        return self.request("POST", "/api/v1/auth/send-link", json={"email": email}, **options)

    def open(self, link: str, *, headers: dict[str, str] = HTML, method: str = "GET") -> Result:
        """Open a link."""
        parts = urlsplit(link)
        return self.request(
            method, parts.path, query_string=parts.query, headers=headers, host="elsewhere.example"
        )

    def press(self, page: Result) -> Result:
        """Press the button of a page."""
        return self.send_form(form_fields(page))

    def send_form(self, fields: dict[str, str]) -> Result:
        """Send a form as the one of a page is sent."""
        return self.request(
            "POST",
            "/api/v1/auth/verify",
            body=urlencode(fields),
            headers={**HTML, "Content-Type": "application/x-www-form-urlencoded"},
        )

    def me(self) -> Result:
        """Ask who is signed in."""
        return self.request("GET", "/api/v1/auth/me")


def form_fields(page: Result) -> dict[str, str]:
    """Give what the form of a page sends."""
    return {
        name: page.text.partition(f'name="{name}" value="')[2].partition('"')[0]
        for name in ("token", "proof")
    }


def token_of(link: str) -> str:
    """Give the token in a link."""
    (token,) = parse_qs(urlsplit(link).query)["token"]
    return token
