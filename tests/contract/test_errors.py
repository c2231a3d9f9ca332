"""Errors: one shape whatever goes wrong, and a request id on every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .answers import found, refused
from .inventory import add_section

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org

    from .clients import Client

UNKNOWN = "01h455vb4pex5vsknk084sn02q"


@pytest.mark.parametrize("path", ["/api", "/api/v1", "/api/v1/nothing", "/api/v2/sections"])
def test_an_unknown_path_is_404(client: Client, path: str) -> None:
    """A path that no plugin serves is a 404 in the shape of every error."""
    refused(client.call("GET", path), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/sections"),
        ("DELETE", "/api/v1/sections"),
        ("PATCH", "/api/v1/subnets"),
        ("POST", "/api/v1/addresses"),
        ("POST", "/api/v1/activity"),
        ("DELETE", "/api/v1/auth/me"),
        ("PUT", f"/api/v1/subnets/sub_{UNKNOWN}"),
        ("DELETE", f"/api/v1/subnets/sub_{UNKNOWN}/addresses"),
        ("GET", f"/api/v1/subnets/sub_{UNKNOWN}/split"),
        ("POST", f"/api/v1/subnets/sub_{UNKNOWN}/usage"),
    ],
)
def test_an_unknown_method_is_405(client: Client, method: str, path: str) -> None:
    """A method that a path has not is a 405 that lists those it has."""
    response = client.call(method, path)
    refused(response, 405)
    assert response.headers["Allow"]
    assert method not in [allowed.strip() for allowed in response.headers["Allow"].split(",")]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/sections/sec_{}", None),
        ("PATCH", "/api/v1/sections/sec_{}", {"name": "Production"}),
        ("DELETE", "/api/v1/sections/sec_{}", None),
        ("GET", "/api/v1/subnets/sub_{}", None),
        ("PATCH", "/api/v1/subnets/sub_{}", {"name": "Web servers"}),
        ("DELETE", "/api/v1/subnets/sub_{}", None),
        ("POST", "/api/v1/subnets/sub_{}/split", {"parts": 2}),
        ("GET", "/api/v1/subnets/sub_{}/usage", None),
        ("GET", "/api/v1/subnets/sub_{}/first-free", None),
        ("POST", "/api/v1/subnets/sub_{}/first-free", {}),
        ("GET", "/api/v1/subnets/sub_{}/first-free-subnet?prefix_length=26", None),
        ("POST", "/api/v1/subnets/sub_{}/first-free-subnet", {"prefix_length": 26}),
        ("GET", "/api/v1/subnets/sub_{}/addresses", None),
        ("POST", "/api/v1/subnets/sub_{}/addresses", {"ip": "10.0.1.10"}),
        ("POST", "/api/v1/subnets/sub_{}/addresses", [{"ip": "10.0.1.10"}]),
        ("GET", "/api/v1/addresses/addr_{}", None),
        ("PATCH", "/api/v1/addresses/addr_{}", {"hostname": "web-01.prod"}),
        ("DELETE", "/api/v1/addresses/addr_{}", None),
        ("DELETE", "/api/v1/api-keys/key_{}", None),
    ],
)
def test_an_unknown_id_is_404(client: Client, method: str, path: str, body: object) -> None:
    """A well-formed id that names nothing is a 404."""
    refused(client.call(method, path.format(UNKNOWN), json=body), 404)


@pytest.mark.parametrize(
    "identifier",
    [
        "1",
        "sub_1",
        f"sec_{UNKNOWN}",
        f"SUB_{UNKNOWN.upper()}",
        UNKNOWN,
        f"sub_{UNKNOWN}x",
        "sub_" + "z" * 26,
        "x" * 2000,
        "%00",
        "%FF%FE",
        "'%20OR%201=1",
        "%F0%9F%98%80",
    ],
)
@pytest.mark.parametrize("rest", ["", "/usage", "/addresses"])
def test_an_id_of_no_form_is_404(client: Client, identifier: str, rest: str) -> None:
    """What cannot be an id names nothing either."""
    refused(client.call("GET", f"/api/v1/subnets/{identifier}{rest}"), 404)


def test_a_validation_error_names_the_fields(client: Client) -> None:
    """A 400 lists the complaints of each field."""
    body = {"network": 5, "is_pool": "perhaps"}
    fields = refused(client.call("POST", "/api/v1/subnets", json=body))["fields"]
    assert {"network", "is_pool"} <= set(fields)


def test_request_ids_differ(client: Client) -> None:
    """Each request has an id of its own, in the header and in the error."""
    answers = [client.call("GET", "/api/v1/nothing") for _ in range(3)]
    ids = [refused(answer, 404)["request_id"] for answer in answers]
    assert len(set(ids)) == 3
    assert [answer.headers["X-Request-Id"] for answer in answers] == ids


def test_a_request_id_is_taken_from_the_client(client: Client) -> None:
    """A client's own id comes back, in the header and in the error."""
    response = client.call("GET", "/api/v1/nothing", headers={"X-Request-Id": "trace-4711"})
    assert refused(response, 404)["request_id"] == "trace-4711"
    assert response.headers["X-Request-Id"] == "trace-4711"


def test_a_good_answer_has_a_request_id(client: Client) -> None:
    """Answers that are no errors carry the id in the header as well."""
    response = client.call("GET", "/api/v1/sections")
    assert found(response) == []
    assert response.headers["X-Request-Id"]


def test_a_hostile_request_id_is_not_echoed(client: Client) -> None:
    """An id too long to be one is replaced."""
    response = client.call("GET", "/api/v1/nothing", headers={"X-Request-Id": "x" * 4000})
    assert len(refused(response, 404)["request_id"]) < 300


def test_an_error_changes_nothing(org: Org) -> None:
    """After a refused change the resource is as before."""
    section = add_section(org, "Production", sort_order=3)
    path = f"/api/v1/sections/{section['id']}"
    refused(org.patch(path, json={"name": "Changed", "sort_order": "many"}))
    assert found(org.get(path)) == section
