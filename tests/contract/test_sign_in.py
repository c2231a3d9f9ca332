"""Sign-in as the reference shows it, with a cookie; the link is in the log for want of mail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import requests

from ipcraft.testing.services.processes import wait_until

from .answers import created, found, gone, refused
from .clients import TIMEOUT
from .reference import EXAMPLES, differences

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org, Served

OURS = {"X-Requested-With": "XMLHttpRequest"}


class Browser:
    """Keep cookies, and find one's links in the server's log."""

    def __init__(self, served: Served, org: Org) -> None:
        self._served = served
        self._email = org.email
        self.session = requests.Session()

    def send(
        self, method: str, path: str, *, json: object = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        """Send a request with the cookies."""
        return self.session.request(
            method, self._served.url + path, json=json, headers=headers, timeout=TIMEOUT
        )

    def ask(self) -> requests.Response:
        """Ask for a link."""
        return self.send("POST", "/api/v1/auth/send-link", json={"email": self._email})

    def verify(self) -> requests.Response:
        """Open the link, as a program that asked for it."""
        wait_until(lambda: bool(self._links()), process=self._served.process, log=self._served.log)
        return self.session.get(self._links()[-1], timeout=TIMEOUT)

    def _links(self) -> list[str]:
        """Give the links of this address."""
        lines = self._served.log.read_text().splitlines()
        return [
            found
            for line in lines
            if self._email in line
            for found in re.findall(r"http://[^\s'\"]+/auth/verify\?token=[\w-]+", line)
        ]


@pytest.fixture
def browser(served: Served, org: Org) -> Browser:
    """Give a browser of the organization's owner."""
    return Browser(served, org)


@pytest.fixture
def signed_in(browser: Browser) -> Browser:
    """Give it when the owner has signed in."""
    browser.ask()
    found(browser.verify())
    return browser


def test_send_link(browser: Browser) -> None:
    """The answer is word for word the reference's."""
    assert found(browser.ask()) == EXAMPLES["POST /api/v1/auth/send-link"].response


def test_verify(browser: Browser, org: Org) -> None:
    """The link gives a session cookie, and tells who signed in."""
    browser.ask()
    answer = found(browser.verify())
    assert differences(EXAMPLES["GET /api/v1/auth/verify"].response, answer) == []
    assert answer["user"]["id"] == org.user_id
    assert answer["organization"]["id"] == org.id
    assert browser.session.cookies["session"]


def test_get_current_user_with_a_cookie(signed_in: Browser, org: Org) -> None:
    """The cookie works where a key does."""
    answer = found(signed_in.send("GET", "/api/v1/auth/me"))
    assert differences(EXAMPLES["GET /api/v1/auth/me"].response, answer) == []
    assert answer["user"]["id"] == org.user_id


def test_a_write_with_a_cookie(signed_in: Browser) -> None:
    """It needs the header of the reference's example."""
    body = {"name": "Production"}
    refused(signed_in.send("POST", "/api/v1/sections", json=body), 403)
    created(signed_in.send("POST", "/api/v1/sections", json=body, headers=OURS))


def test_logout(signed_in: Browser) -> None:
    """The session is destroyed: the cookie opens nothing any more."""
    cookie = signed_in.session.cookies["session"]
    gone(signed_in.send("POST", "/api/v1/auth/logout", headers=OURS))
    signed_in.session.cookies.set("session", cookie)
    refused(signed_in.send("GET", "/api/v1/auth/me"), 401)


def test_get_plan(served: Served) -> None:
    """Plan, usage and limits, with a number for each limit."""
    answer = found(served.organization(plan="free").get("/api/v1/billing/plan"))
    assert differences(EXAMPLES["GET /api/v1/billing/plan"].response, answer) == []
    assert answer["plan"] == "free"
