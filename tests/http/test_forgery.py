"""Writes that another site makes a browser send are refused, on whatever route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import falcon
import pytest
from falcon.testing import TestClient

from ipcraft.contributions import Identity, Route

Serve = Callable[..., TestClient]

COOKIE = Identity(organization_id="org_1", user_id="usr_1", role="owner", scheme="test")
OURS = {"X-Requested-With": "XMLHttpRequest"}
WRITES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Backend:
    """Recognize everybody as this one."""

    identity: Identity
    name: str = "test"

    def authenticate(self, request: falcon.Request) -> Identity:
        """Give the identity."""
        return self.identity


class Thing:
    """Answer every method."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer."""
        resp.media = "done"

    on_post = on_put = on_patch = on_delete = on_get


@pytest.fixture
def client(serve: Serve) -> TestClient:
    """Speak as one whose browser sends the proof, to a server that knows no public URL."""
    return serve(Route("/", Thing()), backends=[Backend(COOKIE)])


@pytest.mark.parametrize("method", WRITES)
def test_a_write_needs_the_header(client: TestClient, method: str) -> None:
    """Without `X-Requested-With: XMLHttpRequest` no write passes."""
    answer = client.simulate_request(method, "/")
    assert (answer.status_code, answer.json["code"]) == (403, "csrf")
    assert "X-Requested-With: XMLHttpRequest" in answer.json["error"]
    assert client.simulate_request(method, "/", headers=OURS).status_code == 200


@pytest.mark.parametrize("value", ["", "fetch", "XMLHttpRequest, XMLHttpRequest"])
def test_the_header_has_one_value(client: TestClient, value: str) -> None:
    """Any other value is as good as none."""
    answer = client.simulate_post("/", headers={"X-Requested-With": value})
    assert (answer.status_code, answer.json["code"]) == (403, "csrf")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_look_needs_no_header(client: TestClient, method: str) -> None:
    """What changes nothing cannot be forged."""
    answer = client.simulate_request(method, "/", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 200


@pytest.mark.parametrize("method", WRITES)
def test_a_proof_that_no_browser_sends_needs_no_header(serve: Serve, method: str) -> None:
    """A key in a header is there because the program put it there."""
    backend = Backend(replace(COOKIE, ambient=False))
    client = serve(Route("/", Thing()), backends=[backend])
    headers = {"Origin": "https://evil.example"}
    assert client.simulate_request(method, "/", headers=headers).status_code == 200


def test_a_public_route_is_not_guarded(serve: Serve) -> None:
    """Where nobody is recognized, nothing is done in anybody's name."""
    client = serve(Route("/", Thing(), public=True), backends=[Backend(COOKIE)])
    assert client.simulate_post("/").status_code == 200


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("ipam.example.com", "https://ipam.example.com", 200),
        ("ipam.example.com", "http://ipam.example.com", 200),
        ("ipam.example.com:443", "https://ipam.example.com", 200),
        ("IPAM.example.com", "https://ipam.example.com", 200),
        ("ipam.example.com:8000", "http://ipam.example.com:8000", 200),
        ("[::1]:8000", "http://[::1]:8000", 200),
        ("ipam.example.com", "https://evil.example", 403),
        ("ipam.example.com", "https://evil.ipam.example.com", 403),
        ("ipam.example.com", "https://ipam.example.com.evil.example", 403),
        ("ipam.example.com", "https://ipam.example.com:8443", 403),
        ("ipam.example.com", "ftp://ipam.example.com", 403),
        ("ipam.example.com", "https://evil.example@ipam.example.com.evil", 403),
        ("ipam.example.com", "null", 403),
        ("ipam.example.com", "", 403),
        ("ipam.example.com", "https://[", 403),
        ("ipam.example.com", "https://ipam.example.com:x", 403),
    ],
)
def test_the_origin_is_the_hosts(client: TestClient, host: str, origin: str, status: int) -> None:
    """Without a public URL a write comes from the host it is sent to."""
    answer = client.simulate_post("/", headers={**OURS, "Host": host, "Origin": origin})
    assert answer.status_code == status
    if status == 403:
        assert answer.json["code"] == "foreign_origin"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://ipam.example.com", 200),
        ("https://IPAM.example.com:443", 200),
        ("http://ipam.example.com", 403),
        ("https://localhost", 403),
        ("https://evil.example", 403),
        ("null", 403),
    ],
)
def test_the_origin_is_the_public_urls(serve: Serve, origin: str, status: int) -> None:
    """With a public URL nothing else counts, whatever host or forwarding the request claims."""
    client = serve(
        Route("/", Thing()),
        backends=[Backend(COOKIE)],
        public_url="https://ipam.example.com/tools",
    )
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    answer = client.simulate_post("/", headers={**OURS, **forged, "Origin": origin})
    assert answer.status_code == status


def test_no_origin_is_no_foreign_one(client: TestClient) -> None:
    """Programs with a cookie send none; the header they must send is enough."""
    assert client.simulate_post("/", headers=OURS).status_code == 200
