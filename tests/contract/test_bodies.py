"""Bodies that cannot be read: malformed, too large, of another type, with unknown fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .answers import created, found, refused, refused_field
from .inventory import add_address, add_section, add_subnet

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org

    from .clients import Client

MEBIBYTE = 1024 * 1024

MALFORMED = {
    "empty": b"",
    "blank": b"   ",
    "open brace": b"{",
    "open string": b'{"name": "Production',
    "no value": b'{"name": }',
    "trailing comma": b'{"name": "Production",}',
    "single quotes": b"{'name': 'Production'}",
    "comment": b'{"name": "Production"} // folder',
    "two objects": b'{"name": "Production"} {}',
    "form": b"name=Production",
    "not UTF-8": b'{"name": "Pr\xf6d"}',
    "UTF-16": '{"name": "Production"}'.encode("utf-16"),
    "overlong UTF-8": b'{"name": "\xc0\x80"}',
    "raw control character": b'{"name": "a\nb"}',
    "bad escape": b'{"name": "\\x41"}',
    "leading zero": b'{"name": "Production", "sort_order": 01}',
    "plus sign": b'{"name": "Production", "sort_order": +1}',
    "hexadecimal": b'{"name": "Production", "sort_order": 0x1}',
    "duplicate key": b'{"name": "Production", "name": "Production"}',
    "duplicate key, escaped": b'{"name": "Production", "n\\u0061me": "Development"}',
    "NaN": b'{"name": "Production", "sort_order": NaN}',
    "Infinity": b'{"name": "Production", "sort_order": Infinity}',
    "minus Infinity": b'{"name": "Production", "sort_order": -Infinity}',
    "overflow": b'{"name": "Production", "sort_order": 1e999}',
    "huge integer": b'{"name": "Production", "sort_order": 1' + b"0" * 5000 + b"}",
    "text": b'"Production"',
    "number": b"5",
    "true": b"true",
    "null": b"null",
    "list": b'["Production"]',
    "list of lists": b'[["name", "Production"]]',
    "NUL": b'{"name": "Prod\\u0000uction"}',
    "NUL byte": b'{"name": "Prod\x00uction"}',
    "NUL after the object": b'{"name": "Production"}\x00',
    "lone high surrogate": b'{"name": "\\ud800"}',
    "lone low surrogate": b'{"name": "\\udc00"}',
    "surrogates swapped": b'{"name": "\\udc00\\ud800"}',
    "encoded surrogate": b'{"name": "\xed\xa0\x80"}',
    "33 levels": b'{"name": ' + b"[" * 32 + b"]" * 32 + b"}",
    "100,000 lists": b"[" * 100_000,
    "100,000 objects": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_body_is_400(client: Client, org: Org, body: bytes) -> None:
    """What is no clean JSON object is refused, and nothing is kept of it."""
    refused(client.send("/api/v1/sections", body))
    assert found(org.get("/api/v1/sections")) == []


@pytest.mark.parametrize(
    "body",
    [
        b'[{"ip": "10.0.1.1", "ip": "10.0.1.2"}]',
        b'[{"ip": "10.0.1.1"}, {"ip": "10.0.1.2", "hostname": "a\\u0000b"}]',
        b'[{"ip": "10.0.1.1", "hostname": "\\udfff"}]',
        b'[{"ip": "10.0.1.1"}',
        b'[{"ip": "10.0.1.1"},]',
        b'"10.0.1.1"',
        b"[null]",
        b'["10.0.1.1"]',
        b"[[]]",
    ],
)
def test_a_malformed_list_is_400(client: Client, org: Org, body: bytes) -> None:
    """List bodies are read as strictly as objects."""
    subnet = add_subnet(org, "10.0.1.0/24")
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    refused(client.send(path, body))
    assert found(org.get(path)) == []


@pytest.mark.parametrize("path", ["/api/v1/sections", "/api/v1/subnets", "/api/v1/api-keys"])
def test_every_route_reads_bodies_alike(client: Client, path: str) -> None:
    """Malformed JSON is a 400 wherever it is sent."""
    refused(client.send(path, b"{"))


def test_a_malformed_patch_is_400(client: Client, org: Org) -> None:
    """PATCH reads its body as POST does."""
    section = add_section(org, "Production")
    path = f"/api/v1/sections/{section['id']}"
    refused(client.send(path, b'{"name": "a", "name": "b"}', method="PATCH"))
    assert found(org.get(path)) == section


@pytest.mark.parametrize(
    "name",
    ["Prüfung", "生产", "\U0001f600", "a\tb", 'quo"te', "back\\slash", "e\u0301", "\u202eabc"],
)
def test_text_of_every_script_is_kept(org: Org, name: str) -> None:
    """Well-formed text comes back as it was sent."""
    assert add_section(org, name)["name"] == name


def test_a_surrogate_pair_is_a_character(client: Client) -> None:
    """Two escapes that make one character are no lone surrogates."""
    answer = client.send("/api/v1/sections", b'{"name": "\\ud83d\\ude00"}')
    assert created(answer)["name"] == "\U0001f600"


def padded(size: int) -> bytes:
    """Make a good body of the given size."""
    return b'{"name": "Production"}'.ljust(size)


def in_pieces(body: bytes) -> Iterator[bytes]:
    """Give the body in pieces of 64 KiB."""
    for start in range(0, len(body), 65536):
        yield body[start : start + 65536]


def test_a_body_of_one_mebibyte_is_read(client: Client) -> None:
    """The limit itself is allowed."""
    created(client.send("/api/v1/sections", padded(MEBIBYTE)))


@pytest.mark.parametrize("size", [MEBIBYTE + 1, 3 * MEBIBYTE])
def test_a_larger_body_is_413(client: Client, org: Org, size: int) -> None:
    """More than 1 MiB is refused."""
    refused(client.send("/api/v1/sections", padded(size)), 413)
    assert found(org.get("/api/v1/sections")) == []


def test_a_larger_body_without_a_length_is_413(client: Client, org: Org) -> None:
    """The limit holds for a chunked body too, whose size nobody announced."""
    refused(client.send("/api/v1/sections", in_pieces(padded(MEBIBYTE + 1))), 413)
    assert found(org.get("/api/v1/sections")) == []


def test_a_chunked_body_is_read(client: Client) -> None:
    """A body without a length is read like any other."""
    created(client.send("/api/v1/sections", in_pieces(padded(200_000))))


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonx",
        "nonsense",
    ],
)
def test_another_content_type_is_415(client: Client, org: Org, content_type: str) -> None:
    """A body that does not call itself JSON is refused, even if it is."""
    body = b'{"name": "Production"}'
    refused(client.send("/api/v1/sections", body, content_type=content_type), 415)
    assert found(org.get("/api/v1/sections")) == []


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"],
)
def test_json_is_accepted_with_its_parameters(client: Client, content_type: str) -> None:
    """A charset beside the type does no harm."""
    created(client.send("/api/v1/sections", b'{"name": "A"}', content_type=content_type))


MISSPELT = (
    ("/api/v1/sections", {"name": "Production", "descripton": "x"}, "descripton", "description"),
    ("/api/v1/sections", {"name": "Production", "sort_ordr": 1}, "sort_ordr", "sort_order"),
    ("/api/v1/subnets", {"network": "10.1.0.0/16", "gatway": "10.1.0.1"}, "gatway", "gateway"),
    ("/api/v1/subnets", {"network": "10.1.0.0/16", "is_pol": True}, "is_pol", "is_pool"),
    ("/api/v1/subnets", {"network": "10.1.0.0/16", "section": None}, "section", "section_id"),
    ("/api/v1/subnets/{subnet}/addresses", {"ip": "10.0.1.1", "host": ""}, "host", "hostname"),
    ("/api/v1/subnets/{subnet}/addresses", {"ip": "10.0.1.1", "ownr": ""}, "ownr", "owner"),
    ("/api/v1/subnets/{subnet}/split", {"parts": 2, "part": 2}, "part", "parts"),
    ("/api/v1/subnets/{subnet}/first-free", {"cuont": 2}, "cuont", "count"),
    ("/api/v1/subnets/{subnet}/first-free", {"stategy": "last"}, "stategy", "strategy"),
    (
        "/api/v1/subnets/{subnet}/first-free-subnet",
        {"prefix_length": 26, "prefix_lenght": 26},
        "prefix_lenght",
        "prefix_length",
    ),
    ("/api/v1/api-keys", {"name": "CI", "expires": None}, "expires", "expires_at"),
)


@pytest.mark.parametrize(("path", "body", "field", "nearest"), MISSPELT)
def test_an_unknown_field_is_named_with_its_nearest(
    org: Org, path: str, body: dict[str, Any], field: str, nearest: str
) -> None:
    """A misspelt field is refused, and the field that was meant is named."""
    subnet = add_subnet(org, "10.0.1.0/24")
    answer = refused_field(org.post(path.format(subnet=subnet["id"]), json=body), field)
    assert nearest in json.dumps(answer)


@pytest.mark.parametrize(
    ("kind", "field", "nearest"),
    [
        ("sections", "nam", "name"),
        ("subnets", "gatewy", "gateway"),
        ("addresses", "hostnam", "hostname"),
    ],
)
def test_an_unknown_field_of_a_patch_is_named(
    org: Org, kind: str, field: str, nearest: str
) -> None:
    """PATCH refuses what it does not know, instead of leaving it aside."""
    subnet = add_subnet(org, "10.0.1.0/24")
    made = {
        "sections": add_section(org, "Production"),
        "subnets": subnet,
        "addresses": add_address(org, subnet, "10.0.1.10"),
    }
    answer = org.patch(f"/api/v1/{kind}/{made[kind]['id']}", json={field: None})
    assert nearest in json.dumps(refused_field(answer, field))


def test_a_field_like_no_other_is_refused(org: Org) -> None:
    """An unknown field is refused also when nothing is near it."""
    refused_field(org.post("/api/v1/sections", json={"name": "A", "zzzzzz": 1}), "zzzzzz")


WRONG_TYPES = (
    ("/api/v1/sections", {"name": 5}, "name"),
    ("/api/v1/sections", {"name": None}, "name"),
    ("/api/v1/sections", {"name": ["Production"]}, "name"),
    ("/api/v1/sections", {"name": True}, "name"),
    ("/api/v1/sections", {"name": "A", "description": 5}, "description"),
    ("/api/v1/sections", {"name": "A", "description": {}}, "description"),
    ("/api/v1/sections", {"name": "A", "sort_order": "first"}, "sort_order"),
    ("/api/v1/sections", {"name": "A", "sort_order": 1.5}, "sort_order"),
    ("/api/v1/sections", {"name": "A", "sort_order": True}, "sort_order"),
    ("/api/v1/sections", {"name": "A", "sort_order": [1]}, "sort_order"),
    ("/api/v1/sections", {"name": "A", "sort_order": 10**30}, "sort_order"),
    ("/api/v1/sections", {"name": "A", "sort_order": -(2**63) - 1}, "sort_order"),
    ("/api/v1/subnets", {"network": 5}, "network"),
    ("/api/v1/subnets", {"network": ["10.1.0.0/16"]}, "network"),
    ("/api/v1/subnets", {"network": "10.1.0.0/16", "name": 5}, "name"),
    ("/api/v1/subnets", {"network": "10.1.0.0/16", "is_pool": "yes"}, "is_pool"),
    ("/api/v1/subnets", {"network": "10.1.0.0/16", "is_pool": 1}, "is_pool"),
    ("/api/v1/subnets", {"network": "10.1.0.0/16", "gateway": 167837697}, "gateway"),
    ("/api/v1/subnets", {"network": "10.1.0.0/16", "section_id": 5}, "section_id"),
    ("/api/v1/subnets", {"network": "10.1.0.0/16", "vrf_id": 5}, "vrf_id"),
    ("/api/v1/subnets/{subnet}/addresses", {"ip": 167837953}, "ip"),
    ("/api/v1/subnets/{subnet}/addresses", {"ip": None}, "ip"),
    ("/api/v1/subnets/{subnet}/addresses", {"ip": "10.0.1.1", "hostname": 5}, "hostname"),
    ("/api/v1/subnets/{subnet}/addresses", {"ip": "10.0.1.1", "owner": []}, "owner"),
    ("/api/v1/subnets/{subnet}/addresses", {"ip": "10.0.1.1", "status": 1}, "status"),
    ("/api/v1/subnets/{subnet}/addresses", {"ip": "10.0.1.1", "mac_address": 1}, "mac_address"),
)


@pytest.mark.parametrize(("path", "body", "field"), WRONG_TYPES)
def test_a_value_of_a_wrong_type_is_400(
    org: Org, path: str, body: dict[str, Any], field: str
) -> None:
    """Values are not converted from other types; the field is named."""
    subnet = add_subnet(org, "10.0.1.0/24")
    refused_field(org.post(path.format(subnet=subnet["id"]), json=body), field)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/sections", "name"),
        ("/api/v1/subnets", "network"),
        ("/api/v1/subnets/{subnet}/addresses", "ip"),
        ("/api/v1/subnets/{subnet}/split", "parts"),
        ("/api/v1/subnets/{subnet}/first-free-subnet", "prefix_length"),
        ("/api/v1/api-keys", "name"),
    ],
)
def test_a_missing_field_is_400(org: Org, path: str, field: str) -> None:
    """The field that is required is named."""
    subnet = add_subnet(org, "10.0.1.0/24")
    refused_field(org.post(path.format(subnet=subnet["id"]), json={}), field)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"network": "10.0.0.0"}, "invalid_network"),
        ({"network": "10.0.0.0/33"}, "invalid_network"),
        ({"network": "10.0.0.1/24"}, "host_bits_set"),
        ({"network": "ten"}, "invalid_network"),
        ({"network": "ten/8"}, "invalid_address"),
        ({"network": "10.0.0.0/24", "gateway": "10.0.0.256"}, "invalid_address"),
        ({"network": 10}, "invalid"),
        ({"network": "10.0.0.1/24", "gateway": "10.0.0.256"}, "invalid"),
        ({"network": "10.0.0.1/24", "nmae": "x"}, "invalid"),
    ],
)
def test_the_only_fault_gives_its_code(org: Org, body: dict[str, object], code: str) -> None:
    """A field's own code is the answer's; several faults have the general one."""
    assert refused(org.post("/api/v1/subnets", json=body))["code"] == code


def test_the_only_fault_of_a_list_gives_its_code(org: Org) -> None:
    """The same in a list: one bad item with one fault has its code, two have the general one."""
    good, bad = {"network": "10.0.0.0/24"}, {"network": "10.0.0.1/24"}
    answer = refused(org.post("/api/v1/subnets", json=[good, bad]))
    assert answer["code"] == "host_bits_set"
    assert answer["error"].startswith("item 1: ")
    assert list(answer["fields"]) == ["1.network"]
    assert refused(org.post("/api/v1/subnets", json=[bad, good, bad]))["code"] == "invalid"
