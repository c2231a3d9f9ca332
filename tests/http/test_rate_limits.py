"""Rate limits: what a client is told, and whom a request is counted for."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import falcon
import pytest
from falcon.testing import TestClient

from ipcraft.config import NetworkAddresses
from ipcraft.contributions import Identity, Plan, RateLimit, Route
from ipcraft.http.client_addresses import client_network
from ipcraft.http.serving import make_app
from ipcraft.testing import Clock
from ipcraft_local import LocalRateLimiter

TEN_A_MINUTE = RateLimit(name="tools", requests=10, seconds=60)
TWO_A_SECOND = RateLimit(name="plan", requests=2, seconds=1)
ALICE = Identity(organization_id="org_1", user_id=None, role="owner", scheme="t", plan="p")


class Where:
    """Tell where the request comes from."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the client's address."""
        resp.media = req.context.client_address


class Alice:
    """Recognize everybody as Alice."""

    name = "alice"

    def authenticate(self, request: falcon.Request) -> Identity:
        """Give Alice."""
        return ALICE


def client(
    *, clock: Clock | None = None, proxies: tuple[str, ...] = (), rate: RateLimit | None = None
) -> TestClient:
    """Serve a public route with a limit per client, and one for Alice."""
    trusted: list[NetworkAddresses] = [ip_network(proxy) for proxy in proxies]
    app = make_app(
        [
            Route("/tool", Where(), public=True, limit=TEN_A_MINUTE),
            Route("/own", Where()),
            Route("/both", Where(), limit=TEN_A_MINUTE),
        ],
        backends=[Alice()],
        authorize=lambda *_: True,
        settle=lambda _: None,
        limiter=LocalRateLimiter(clock=clock or Clock(1000)),
        plan=lambda _: Plan(name="p", rate_limit=rate),
        trusted_proxies=trusted,
    )
    return TestClient(app)


def get(served: TestClient, peer: str, forwarded: str | None = None) -> Any:
    """Ask for the tool from a peer."""
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return served.simulate_get("/tool", headers=headers, extras={"REMOTE_ADDR": peer})


def test_each_answer_tells_what_is_left() -> None:
    """The limit, what is left of it, and until when; in refusals too."""
    served = client()
    for left in (9, 8):
        answer = get(served, "203.0.113.7")
        assert answer.headers["ratelimit-policy"] == '"tools";q=10;w=60'
        assert answer.headers["ratelimit"] == f'"tools";r={left};t=60'


def test_one_too_many_is_refused_until_the_window_ends() -> None:
    """429 with the time to wait; then the window begins anew."""
    clock = Clock(1000)
    served = client(clock=clock)
    for _ in range(10):
        assert get(served, "203.0.113.7").status_code == 200
    clock.time += 20.5
    refused = get(served, "203.0.113.7")
    assert (refused.status_code, refused.json["code"]) == (429, "rate_limited")
    assert refused.headers["retry-after"] == "40"
    clock.time += 40
    assert get(served, "203.0.113.7").status_code == 200


def test_an_organization_has_its_own_limit() -> None:
    """The plan's, whoever of it asks; without one nothing is counted or told."""
    served = client(rate=TWO_A_SECOND)
    statuses = [served.simulate_get("/own").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    unlimited = client().simulate_get("/own")
    assert "ratelimit" not in unlimited.headers


def test_both_limits_may_concern_one_request() -> None:
    """A route with a limit of its own tells that one and the plan's."""
    served = client(rate=TWO_A_SECOND)
    answer = served.simulate_get("/both")
    assert answer.headers["ratelimit-policy"] == '"tools";q=10;w=60, "plan";q=2;w=1'
    assert answer.headers["ratelimit"] == '"tools";r=9;t=60, "plan";r=1;t=1'


def test_what_is_refused_for_other_reasons_is_counted_too() -> None:
    """Nobody gets more requests by sending those that fail."""
    served = client(rate=TWO_A_SECOND)
    statuses = [served.simulate_post("/own").status_code for _ in range(3)]
    assert statuses == [403, 403, 429]


def test_a_thousand_addresses_of_one_site_are_one_client() -> None:
    """Of IPv6 a whole /64 is one client's."""
    served = client()
    statuses = [get(served, f"2001:db8::{number:x}").status_code for number in range(1000)]
    assert statuses.count(200) == 10
    assert get(served, "2001:db8:0:1::1").status_code == 200


@pytest.mark.parametrize("forged", ["198.51.100.1", "10.0.0.1", "junk", "198.51.100.1, 10.0.0.1"])
def test_who_is_no_proxy_is_not_believed(forged: str) -> None:
    """Headers of an untrusted peer change nothing."""
    served = client(proxies=("10.0.0.0/8",))
    statuses = {get(served, "203.0.113.7", f"{forged}{n}").status_code for n in range(20)}
    assert statuses == {200, 429}
    assert get(client(), "203.0.113.7", forged).json == "203.0.113.7"


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("192.0.2.9, 198.51.100.1", "198.51.100.1"),
        ("192.0.2.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("junk, 10.0.0.2", "10.0.0.2"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("198.51.100.1:1234", "198.51.100.1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        (None, "10.0.0.1"),
    ],
)
def test_behind_proxies_the_right_end_counts(forwarded: str | None, found: str) -> None:
    """What the outermost trusted proxy has written, never what stands left of it."""
    served = client(proxies=("10.0.0.0/8",))
    assert get(served, "10.0.0.1", forwarded).json == found


def test_addresses_of_one_client() -> None:
    """IPv4 as it is, IPv6 by its /64, IPv4 in IPv6's clothes as IPv4."""
    assert client_network("203.0.113.9") == "203.0.113.9"
    assert client_network("2001:db8::1:2:3:4") == "2001:db8::/64"
    assert client_network("::ffff:203.0.113.9") == "203.0.113.9"
