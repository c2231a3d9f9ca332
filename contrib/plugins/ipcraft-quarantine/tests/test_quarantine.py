"""What the plugin does, through the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from ipcraft.plugin import Application, StartError
from ipcraft.testing import Client, Clock, Organization, make_application, make_organization

ENTRIES = "/api/v1/quarantine"
UNKNOWN = "quar_01jx0000000000000000000000"


def test_a_released_address_is_refused(client: Client) -> None:
    """The refusal says of which address it is and until when."""
    subnet = _subnet(client)
    _release(client, subnet, "10.0.0.5")
    answer = _assign(client, subnet, "10.0.0.5")
    sentence = "10.0.0.5 was released and is in quarantine until 2026-03-01T14:00:00Z"
    assert answer.status_code == 400
    assert answer.json["code"] == "address_in_quarantine"
    assert answer.json["error"] == sentence
    assert answer.json["fields"] == {"ip": [sentence]}


def test_a_rested_address_is_assigned(client: Client, clock: Clock) -> None:
    """The quarantine ends by itself, to the second."""
    subnet = _subnet(client)
    _release(client, subnet, "10.0.0.5")
    clock.advance(hours=2, seconds=-1)
    assert _assign(client, subnet, "10.0.0.5").status_code == 400
    clock.advance(seconds=1)
    assert _assign(client, subnet, "10.0.0.5").status_code == 201


def test_other_addresses_are_assigned(client: Client) -> None:
    """Only what was released rests."""
    subnet = _subnet(client)
    _release(client, subnet, "10.0.0.5")
    assert _assign(client, subnet, "10.0.0.6").status_code == 201


def test_a_list_with_a_resting_address_is_refused(client: Client) -> None:
    """Nothing of a list is assigned when one of its addresses rests."""
    subnet = _subnet(client)
    _release(client, subnet, "10.0.0.5")
    answer = client.post(
        f"/api/v1/subnets/{subnet}/addresses", json=[{"ip": "10.0.0.4"}, {"ip": "10.0.0.5"}]
    )
    assert (answer.status_code, answer.json["code"]) == (400, "address_in_quarantine")
    assert client.get(f"/api/v1/subnets/{subnet}/addresses").json == []


def test_another_release_begins_another_rest(client: Client, clock: Clock) -> None:
    """An address has one entry: that of its last release."""
    subnet = _subnet(client)
    _release(client, subnet, "10.0.0.5")
    clock.advance(hours=3)
    _release(client, subnet, "10.0.0.5")
    assert [each["ends_at"] for each in client.get(ENTRIES).json] == ["2026-03-01T17:00:00Z"]


def test_ipv6_addresses_rest_too(client: Client) -> None:
    """An address is compared as an address, however it is written."""
    subnet = _subnet(client, "2001:db8::/64")
    _release(client, subnet, "2001:db8::5")
    assert _assign(client, subnet, "2001:0DB8:0::5").json["code"] == "address_in_quarantine"


def test_the_first_free_address_may_be_refused(client: Client) -> None:
    """The built-in strategy knows nothing of the quarantine; nothing is taken."""
    subnet = _subnet(client)
    _release(client, subnet, "10.0.0.1")
    answer = _next(client, subnet, strategy="first")
    assert (answer.status_code, answer.json["code"]) == (400, "address_in_quarantine")


def test_rested_passes_over_the_quarantine(client: Client) -> None:
    """The strategy takes the lowest addresses that do not rest."""
    subnet = _subnet(client)
    _assign(client, subnet, "10.0.0.3")
    _release(client, subnet, "10.0.0.1", "10.0.0.2", "10.0.0.5")
    taken = _next(client, subnet, strategy="rested", count=3).json
    assert [each["ip"] for each in taken] == ["10.0.0.4", "10.0.0.6", "10.0.0.7"]


def test_rested_takes_what_has_rested(client: Client, clock: Clock) -> None:
    """An address whose quarantine has ended is the next again."""
    subnet = _subnet(client)
    _release(client, subnet, "10.0.0.1")
    clock.advance(hours=2)
    assert _next(client, subnet, strategy="rested").json["ip"] == "10.0.0.1"


def test_rested_reads_a_long_quarantine(client: Client) -> None:
    """More addresses rest than are read at once."""
    subnet = _subnet(client, "10.0.0.0/21")
    resting = [f"10.0.{number // 256}.{number % 256}" for number in range(1, 601)]
    _release(client, subnet, *resting)
    assert _next(client, subnet, strategy="rested").json["ip"] == "10.0.2.89"


def test_a_subnet_that_only_rests_is_full(client: Client) -> None:
    """When every free address rests, `rested` finds none."""
    subnet = _subnet(client, "10.0.0.0/30")
    _release(client, subnet, "10.0.0.1", "10.0.0.2")
    answer = _next(client, subnet, strategy="rested")
    assert (answer.status_code, answer.json["code"]) == (400, "subnet_full")


def test_the_quarantine_is_listed(client: Client) -> None:
    """Each entry says which address rests, since when and until when; lowest address first."""
    subnet = _subnet(client)
    _release(client, subnet, "10.0.0.9", "10.0.0.5")
    listed = client.get(ENTRIES).json
    assert [each["ip"] for each in listed] == ["10.0.0.5", "10.0.0.9"]
    assert listed[0] == {
        "id": listed[0]["id"],
        "ip": "10.0.0.5",
        "vrf_id": None,
        "released_at": "2026-03-01T12:00:00Z",
        "ends_at": "2026-03-01T14:00:00Z",
    }


def test_what_has_rested_is_not_listed(client: Client, clock: Clock) -> None:
    """An entry leaves the list at its end."""
    _release(client, _subnet(client), "10.0.0.5")
    clock.advance(hours=2)
    assert client.get(ENTRIES).json == []


def test_the_list_has_pages(client: Client) -> None:
    """`limit` and `offset` work as on every list."""
    _release(client, _subnet(client), "10.0.0.5", "10.0.0.6", "10.0.0.7")
    answer = client.get(ENTRIES, params={"limit": 1, "offset": 1})
    assert [each["ip"] for each in answer.json] == ["10.0.0.6"]
    assert answer.headers["X-Total-Count"] == "3"


def test_a_cleared_address_is_assigned(client: Client) -> None:
    """Who deletes the entry need not wait; the activity log tells of it."""
    subnet = _subnet(client)
    _release(client, subnet, "10.0.0.5")
    entry = client.get(ENTRIES).json[0]["id"]
    assert client.delete(f"{ENTRIES}/{entry}").status_code == 204
    assert client.get("/api/v1/activity").json[0]["details"] == "Let 10.0.0.5 out of quarantine"
    assert _assign(client, subnet, "10.0.0.5").status_code == 201


@pytest.mark.parametrize("entry", [UNKNOWN, "5"])
def test_an_unknown_entry_is_not_found(client: Client, entry: str) -> None:
    """Clearing what is not there answers 404."""
    assert client.delete(f"{ENTRIES}/{entry}").status_code == 404


def test_an_ended_entry_is_not_found(client: Client, clock: Clock) -> None:
    """Clearing what has rested answers 404."""
    _release(client, _subnet(client), "10.0.0.5")
    entry = client.get(ENTRIES).json[0]["id"]
    clock.advance(hours=2)
    assert client.delete(f"{ENTRIES}/{entry}").status_code == 404


def test_viewers_look_only(application: Application, organization: Organization) -> None:
    """A viewer sees the quarantine and cannot clear it."""
    _release(organization.client, _subnet(organization.client), "10.0.0.5")
    viewer = organization.client_as(application, "viewer")
    entry = viewer.get(ENTRIES).json[0]["id"]
    assert viewer.delete(f"{ENTRIES}/{entry}").status_code == 403


def test_organizations_have_their_own_quarantine(application: Application, client: Client) -> None:
    """Another organization neither sees nor clears nor minds what rests here."""
    _release(client, _subnet(client), "10.0.0.5")
    entry = client.get(ENTRIES).json[0]["id"]
    stranger = make_organization(application).client
    assert stranger.get(ENTRIES).json == []
    assert stranger.delete(f"{ENTRIES}/{entry}").status_code == 404
    assert _assign(stranger, _subnet(stranger), "10.0.0.5").status_code == 201


def test_without_the_setting_a_day_is_waited(database_url: str, clock: Clock) -> None:
    """The default is 24 hours."""
    app = make_application(database_url, enable=["quarantine"], clock=clock)
    client = make_organization(app).client
    _release(client, _subnet(client), "10.0.0.5")
    ends_at = client.get(ENTRIES).json[0]["ends_at"]
    app.storage.close()
    assert ends_at == "2026-03-02T12:00:00Z"


@pytest.mark.parametrize("hours", [0, -1, 87601, 1.5, "2", None])
def test_hours_that_make_no_sense_stop_the_start(database_url: str, hours: object) -> None:
    """The error names the key."""
    with pytest.raises(StartError, match=r"\[plugins.quarantine\] hours"):
        make_application(
            database_url, enable=["quarantine"], sections={"quarantine": {"hours": hours}}
        )


def _subnet(client: Client, network: str = "10.0.0.0/24") -> str:
    answer = client.post("/api/v1/subnets", json={"network": network})
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def _assign(client: Client, subnet: str, ip: str) -> Any:
    return client.post(f"/api/v1/subnets/{subnet}/addresses", json={"ip": ip})


def _next(client: Client, subnet: str, **body: object) -> Any:
    return client.post(f"/api/v1/subnets/{subnet}/first-free", json=body)


def _release(client: Client, subnet: str, *ips: str) -> None:
    answer = client.post(f"/api/v1/subnets/{subnet}/addresses", json=_bodies(ips))
    assert answer.status_code == 201, answer.text
    for address in answer.json:
        assert client.delete(f"/api/v1/addresses/{address['id']}").status_code == 204


def _bodies(ips: Iterable[str]) -> list[dict[str, str]]:
    return [{"ip": ip} for ip in ips]
