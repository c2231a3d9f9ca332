"""A person with a browser."""

from __future__ import annotations

from typing import Any

import requests

from ipcraft.testing.services import MailSink

PATIENCE = 60
PUBLIC_URL = "http://ipam.example.com"
"""Where links lead: a proxy there passes requests on."""


class Person:
    """Have an address and a browser, which sends what our own pages send."""

    def __init__(self, email: str) -> None:
        self.email = email
        self.browser = requests.Session()
        self.api = ""

    def visit(self, url: str) -> None:
        """Go on at this server."""
        self.api = f"{url}/api/v1"

    def sign_up(self, sink: MailSink) -> Any:
        """Ask for a link and open it in the same browser."""
        before = len(sink.mails)
        answer = self.post("auth/send-link", {"email": self.email})
        assert answer.json() == {"message": "magic link sent"}
        return self.open(sink, number=before + 1)

    def open(self, sink: MailSink, *, number: int) -> Any:
        """Open the link of the mail that came last, as a program does; give who one is."""
        mail = sink.wait_for(number)[-1]
        assert mail.recipients == (self.email,)
        answer = self.browser.get(
            mail.link.replace(f"{PUBLIC_URL}/api/v1", self.api),
            headers={"Accept": "application/json"},
            timeout=PATIENCE,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        """Look at something that is there."""
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> requests.Response:
        """Make something."""
        return self.send("POST", path, body)

    def send(self, method: str, path: str, body: Any = None, *, key: str = "") -> requests.Response:
        """Send a request, again and again while it is one too many; with a key instead."""
        headers = {"X-Requested-With": "XMLHttpRequest"}
        if key:
            headers = {"Authorization": f"Bearer {key}"}
        while True:
            answer = self.browser.request(
                method, f"{self.api}/{path}", json=body, headers=headers, timeout=PATIENCE
            )
            if answer.status_code != 429:
                return answer
