"""Files as they really come: odd, broken and hostile ones; nothing of a bad one is imported."""

from __future__ import annotations

import gzip
import io
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from ipcraft.app import Application
from ipcraft.testing import Organization, make_application, make_organization

from .conftest import Send, archive, post, rows, settled, total

TABLE = "network;name;description\n10.0.0.0/24;Büro;Straße, 3. Stock\n"


def refusals(
    organization: Organization, found: dict[str, Any]
) -> list[tuple[int, str | None, str]]:
    """Give line, column and reason of what is refused."""
    assert found["state"] == "checked", found
    refused = rows(organization, found, outcome="refused")
    assert organization.client.get("/api/v1/subnets").json == []
    return [(row["line"], row["column"], row["reason"]) for row in refused]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_any_usual_text_is_read(
    organization: Organization, send: Send, encoding: str, delimiter: str
) -> None:
    """Encoding, byte order mark and delimiter are found out."""
    found = send(TABLE.replace(";", delimiter).encode(encoding), run="true")
    assert found["state"] == "done", found
    [subnet] = organization.client.get("/api/v1/subnets").json
    assert (subnet["name"], subnet["description"]) == ("Büro", "Straße, 3. Stock")


def test_the_ends_of_lines_of_every_system_are_read(organization: Organization, send: Send) -> None:
    """Windows and old Macs end their lines otherwise; a quoted cell may have several."""
    send('network,description\r10.0.0.0/24,"one\r\ntwo"\r', run="true")
    [subnet] = organization.client.get("/api/v1/subnets").json
    assert subnet["description"] == "one\r\ntwo"


def test_a_formula_of_a_foreign_file_stays_as_it_is(organization: Organization, send: Send) -> None:
    """Import changes no text; it is the export that keeps spreadsheets from running it."""
    send('network,name,description\n10.0.0.0/24,=1+1,"\'=quoted"\n', run="true")
    [subnet] = organization.client.get("/api/v1/subnets").json
    assert (subnet["name"], subnet["description"]) == ("=1+1", "'=quoted")
    with ZipFile(io.BytesIO(organization.client.get("/api/v1/export").content)) as packed:
        assert b",'=1+1,''=quoted," in packed.read("subnets.csv")


@pytest.mark.parametrize(
    ("body", "line", "column", "words"),
    [
        ('network,name\n10.0.0.0/24,ok\n10.0.1.0/24,"open\n10.0.2.0/24,x\n', 3, "13", "quote"),
        ('network,name\n10.0.0.0/24,"a"b\n', 2, "13", "quote"),
        ("network\n10.0.0.0/24\n10.0.0.0/24\n", 3, "network", "line 2 has the same network"),
        ("ip,subnet\n10.0.0.5,10.0.0.0/24\n10.0.0.5,\n", 3, "ip", "line 2 has the same address"),
        (
            "network,parent\n10.0.0.0/24,10.0.1.0/24\n10.0.1.0/24,10.0.0.0/24\n",
            2,
            "parent",
            "10.0.0.0/24 is not inside its parent 10.0.1.0/24",
        ),
        ("network\n10.0.0.0/33\n", 2, "network", "prefix length"),
        ("network,gateway\n10.0.0.0/24,10.0.1.1\n", 2, "gateway", "not inside"),
        ("network,mask\n10.0.0.0,255.0.255.0\n", 2, "network", "no network mask"),
        ("ip,subnet\n10.0.0.0,10.0.0.0/24\n", 2, "ip", "network address"),
        ("ip,status\n10.0.0.1/24,aktiv\n", 2, "status", "must be one of"),
        ("ip,mac\n10.0.0.1/24,00:11\n", 2, "mac", "MAC address"),
        ("network,name\n10.0.0.0/24," + "x" * 256 + "\n", 2, "name", "longer than"),
        ("network,vrf_id\n10.0.0.0/24,vrf_x\n", 2, "vrf_id", "none of yours"),
        ("network,vlan\n10.0.0.0/24,Blue\n", 2, "vlan", "has no number"),
        ("vlan,name\n4095,x\n", 2, "vlan", "from 1 to 4094"),
        ("colour\nred\n", 1, None, "no column has networks or addresses"),
        ('[{"network": "10.0.0.0/24"}, {"network": "10.0.1', 1, "42", "no JSON"),
        ('{"list": [\n {"network": "10.0.0.0/24", "network": "x"}]}', 2, "2", "twice"),
        ('[{"network": NaN}]', 1, "2", "NaN"),
        ("[" * 100_000, 1, "2", "too deeply"),
        ("network," + ",".join(map(str, range(1000))) + "\n", 1, None, "1001 cells"),
        ("network," + "," * 2_000_000 + "\n", 1, None, "longer than"),
        ("network\n\x00\n", 2, "network", "prefix length"),
        ("network\n", 1, None, "nothing in the file"),
    ],
)
def test_what_is_bad_is_told_by_its_place(
    organization: Organization, send: Send, body: str, line: int, column: str | None, words: str
) -> None:
    """Line, column and reason of each bad row are told, and no row is imported."""
    found = refusals(organization, send(body, run="true"))
    assert any((line, column) == (at, where) and words in reason for at, where, reason in found), (
        found
    )


def test_text_that_is_none_is_told(organization: Organization, send: Send) -> None:
    """A byte that no usual encoding has is told by its line."""
    found = refusals(organization, send(b"network,name\n10.0.0.0/24,\x81\x8d\n"))
    assert found == [(2, None, "byte 26 of the file is no Windows-1252 text")]


def test_the_same_row_of_two_files_is_told_with_the_file(
    organization: Organization, send: Send
) -> None:
    """The first one may be in another file of the archive."""
    found = send(archive({"a.csv": b"network\n10.0.0.0/24\n", "b.csv": b"network\n10.0.0.0/24\n"}))
    [(line, _, reason)] = refusals(organization, found)
    assert (line, reason) == (2, "line 2 of upload, a.csv has the same network")


def bomb(size: int) -> bytes:
    """Give an archive that is small and large inside."""
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as target:
        target.writestr("big.csv", b"0" * size)
    return packed.getvalue()


def lying(size: int) -> bytes:
    """Give an archive that says of a member that it has another size."""
    body = bomb(1 << 20)
    true, false = (1 << 20).to_bytes(4, "little"), size.to_bytes(4, "little")
    return body.replace(true, false)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (bomb(3 << 20), "more than 2097152 bytes"),
        (gzip.compress(b"0" * (3 << 20)), "more than 2097152 bytes"),
        (lying(4 << 30 - 1), "more than 2097152 bytes"),
        (lying(16), "cannot be unpacked"),
        (archive({f"{n}.csv": b"x" for n in range(101)}), "101 files"),
        (archive({}), "cannot be unpacked|nothing"),
        (bomb(100)[:-30], "cannot be unpacked"),
        (b"PK\x03\x04nonsense", "cannot be unpacked"),
        (gzip.compress(b"network\n" * 100)[:-9], "cannot be unpacked"),
        (b"\xd0\xcf\x11\xe0nonsense", "no Excel file"),
        (archive({"[Content_Types].xml": b"<x/>"}), "no Excel file"),
    ],
)
def test_archives_that_explode_or_break_are_told(
    database_url: str, body: bytes, words: str
) -> None:
    """An archive is unpacked as far as there is room, whatever it says of itself."""
    app = make_application(database_url, sections={"interchange": {"max_unpacked_bytes": 2 << 20}})
    organization = make_organization(app)
    answer = post(organization, body)
    if body == archive({}):
        assert answer.status_code == 202
    found = settled(organization, answer.json["id"])
    [(_, _, reason)] = refusals(organization, found)
    assert any(word in reason for word in words.split("|")) or "columns" in reason, reason
    app.close()


def test_an_empty_body_is_refused(organization: Organization) -> None:
    """There is nothing to import in nothing."""
    answer = post(organization, b"")
    assert (answer.status_code, answer.json["code"]) == (400, "empty_file")


def test_a_form_that_breaks_off_is_refused(organization: Organization) -> None:
    """A form must end as it says."""
    answer = organization.client.post(
        "/api/v1/imports",
        body=b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nnetwork\n',
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_form")


def test_other_rows_are_imported_on_request(
    application: Application, organization: Organization, send: Send
) -> None:
    """Of a file that breaks off, what stands before the break is there to be had."""
    body = '[{"network": "10.0.0.0/24"}, {"network": "10.0.1'
    found = send(body, run="true", skip_bad_rows="true")
    assert (found["state"], total(found)) == ("done", {"created": 1, "refused": 1})
