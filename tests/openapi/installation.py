"""An installation for requests that nobody has thought of: all it reaches is on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipcraft.testing import Org, Served
from ipcraft.testing.services import DNSServer, StripeStandIn, WebhookReceiver, WhoisServer
from ipcraft_accounts import create_user

VIEWERS = 30
"""People besides the owner: no request makes one, and many delete one."""

RESOLVERS = ("google", "cloudflare", "quad9")


@dataclass(frozen=True, slots=True)
class Installation:
    """Be a served process with an organization that has something of everything."""

    served: Served
    org: Org
    needed: tuple[str, ...]
    """Ids of the organization's key and of whose it is."""
    receiver: str
    """The URL of what webhooks lead to."""


@contextmanager
def install(database_url: str, folder: Path) -> Iterator[Installation]:
    """Serve an installation that may reach one port of this machine and nothing else.

    Its name servers, WHOIS server, Stripe and webhooks' receiver are our own.
    """
    with (
        DNSServer() as names,
        WhoisServer() as whois,
        WebhookReceiver() as receiver,
        StripeStandIn() as stripe,
    ):
        names.tell("example.com", "127.0.0.1")
        names.tell_records("8.8.8.8.in-addr.arpa", "PTR", "dns.google.")
        environ = {
            **stripe.environ,
            "IPCRAFT_ALLOWED_NETWORKS": "127.0.0.0/8",
            "IPCRAFT_OUTBOUND_NAME_SERVERS": names.address,
            "IPCRAFT_OUTBOUND_PORTS": str(receiver.port),
            "IPCRAFT_NETTOOLS_RESOLVERS": ",".join(f"{each}={names.address}" for each in RESOLVERS),
            "IPCRAFT_NETTOOLS_WHOIS_SERVER": whois.address,
            "IPCRAFT_NETTOOLS_REQUESTS_PER_MINUTE": "1000000",
        }
        with Served(database_url, folder, environ=environ) as served:
            org = served.organization()
            furnish(served, org, receiver.url)
            (key,) = made(org.get("/api/v1/api-keys"))
            yield Installation(served, org, (org.user_id, key["id"]), receiver.url)


def made(answer: Any) -> Any:
    """Give the JSON of an answer that went well."""
    assert answer.ok, answer.text
    return answer.json()


def furnish(served: Served, org: Org, receiver: str) -> None:
    """Make one of everything, so that there are ids to ask for."""
    section = made(org.post("/api/v1/sections", json={"name": "Production"}))
    vrf = made(org.post("/api/v1/vrfs", json={"name": "Blue", "rd": "65000:1"}))
    vlan = made(org.post("/api/v1/vlans", json={"number": 120, "name": "Servers"}))
    placed = {"section_id": section["id"], "vlan_id": vlan["id"]}
    made(org.post("/api/v1/subnets", json={"network": "10.0.0.0/16", **placed}))
    small = made(org.post("/api/v1/subnets", json={"network": "10.0.1.0/24", "name": "Web"}))
    made(org.post("/api/v1/subnets", json={"network": "2001:db8::/48", "vrf_id": vrf["id"]}))
    address = {"ip": "10.0.1.10", "hostname": "web-01", "mac_address": "001a.2b3c.4d5e"}
    made(org.post(f"/api/v1/subnets/{small['id']}/addresses", json=address))
    webhook = made(org.post("/api/v1/webhooks", json={"url": receiver}))
    made(org.post(f"/api/v1/webhooks/{webhook['id']}/test"))
    made(org.post("/api/v1/imports", json=made(org.get("/api/v1/export?format=json"))))
    made(org.post("/api/v1/invitations", json={"email": "invited@example.com"}))
    for number in range(VIEWERS):
        create_user(
            served.application.storage, org.id, email=f"{number}-of-{org.email}", role="viewer"
        )
