"""Billing: each example of the reference, against a served process and the stand-in for Stripe."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests

from ipcraft.testing.organizations import make_session
from ipcraft.testing.services import StripeStandIn
from ipcraft.testing.services.processes import wait_until
from ipcraft_accounts import find_organization

from .answers import created, found, refused
from .clients import Client
from .reference import EXAMPLES, differences

if TYPE_CHECKING:
    from ipcraft.testing import Databases
    from ipcraft.testing.fixtures import Org, Served

CHECKOUT = "/api/v1/billing/checkout"
PORTAL = "/api/v1/billing/portal"
PLAN = "/api/v1/billing/plan"
WEBHOOK = "/api/v1/billing/webhook"


@pytest.fixture(scope="module")
def stripe() -> Iterator[StripeStandIn]:
    """Give the stand-in for Stripe."""
    with StripeStandIn() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def served(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, stripe: StripeStandIn
) -> Iterator[Served]:
    """Give a served process that sells."""
    from ipcraft.testing.serving import Served

    folder = tmp_path_factory.mktemp("served")
    with Served(databases.create(), folder, environ=stripe.environ) as server:
        stripe.post.url = f"{server.url}{WEBHOOK}"
        yield server


@pytest.fixture
def free(served: Served) -> Org:
    """Give an organization on Free."""
    return served.organization(plan="free")


def becomes(served: Served, org: Org, plan: str) -> None:
    """Wait until what Stripe has told is acted upon, without a request that the plan limits."""
    storage = served.application.storage
    wait_until(
        lambda: find_organization(storage, org.id).plan == plan,
        process=served.process,
        log=served.log,
    )


def test_checkout(free: Org) -> None:
    """The URL of Stripe's page is answered, without a body and with one."""
    answer = found(free.post(CHECKOUT))
    assert differences(EXAMPLES["POST /api/v1/billing/checkout"].response, answer) == []
    assert answer["url"].startswith("https://checkout.stripe.com/c/pay/cs_")
    found(free.post(CHECKOUT, json={}))
    found(free.post(CHECKOUT, json={"plan": "teams"}))


def test_portal(free: Org) -> None:
    """The URL of Stripe's portal is answered."""
    answer = found(free.post(PORTAL))
    assert differences(EXAMPLES["POST /api/v1/billing/portal"].response, answer) == []
    assert answer["url"].startswith("https://billing.stripe.com/p/session/")


def test_an_organization_s_life(served: Served, free: Org, stripe: StripeStandIn) -> None:
    """Upgrade, limits on the next request, failure, recovery, cancellation; the data is read on."""
    refused(free.post("/api/v1/sections", json={"name": "Too early"}), 402)
    subscription = stripe.pay_at(found(free.post(CHECKOUT))["url"])
    stripe.post.deliver()
    becomes(served, free, "pro")
    made = created(free.post("/api/v1/sections", json={"name": "Paid for"}))
    stripe.ledger.fail(subscription)
    stripe.post.deliver()
    stripe.ledger.recover(subscription)
    stripe.post.deliver()
    assert found(free.get(PLAN))["plan"] == "pro"
    stripe.ledger.cancel(subscription)
    stripe.post.deliver()
    becomes(served, free, "free")
    assert [each["id"] for each in found(free.get("/api/v1/sections"))] == [made["id"]]
    refused(free.post("/api/v1/sections", json={"name": "Too late"}), 402)


def test_only_owners_are_led_to_stripe(admin: Client) -> None:
    """403 for every other role."""
    refused(admin.call("POST", CHECKOUT), 403)
    refused(admin.call("POST", PORTAL), 403)


def test_a_browser_of_the_owner_is(served: Served, free: Org) -> None:
    """With the session's cookie, and the header that says it is ours."""
    cookies = {"session": make_session(served.application, free.email)}
    url = f"{served.url}{CHECKOUT}"
    refused(requests.post(url, cookies=cookies, timeout=60), 403)
    ours = {"X-Requested-With": "XMLHttpRequest"}
    found(requests.post(url, cookies=cookies, headers=ours, timeout=60))


@pytest.mark.parametrize(
    "signature",
    [None, b"", b"t=1,v1=0", b"t=\xff\xfe,v1=\xe9", b"\xc3\xa9" * 500, b"t=" + b"9" * 99, b",,,="],
)
@pytest.mark.parametrize("body", [b"", b"\xff\xfe\xfd", b"{}", b"[" * 9_000])
def test_a_malformed_event_is_a_400(served: Served, signature: bytes | None, body: bytes) -> None:
    """Whatever bytes come as a header and as a body."""
    lines = [b"POST %s HTTP/1.1" % WEBHOOK.encode(), b"Host: test", b"Connection: close"]
    lines += [b"Content-Length: %d" % len(body)]
    lines += [] if signature is None else [b"Stripe-Signature: " + signature]
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        connection.sendall(b"\r\n".join([*lines, b"", body]))
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b'"code":"bad_signature"' in answer
