"""Files as they really come: odd, broken and hostile ones; nothing of a bad one is imported."""

from __future__ import annotations

import gzip
import io
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from ipcraft.app import Application
from ipcraft.testing import Organization, make_application, make_organization
from ipcraft_interchange.files import spreadsheets

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


def sheet(rows: str, *, size: str = "A1", bomb: bool = False) -> bytes:
    """Give a workbook whose only sheet has these rows, whatever they are."""
    packed = io.BytesIO()
    Workbook().save(packed)
    with ZipFile(packed) as made:
        members = {name: made.read(name) for name in made.namelist()}
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    head = f'<!DOCTYPE x [<!ENTITY e0 "x">{entities}]>' if bomb else ""
    if bomb:
        rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>&e9;</t></is></c></row>'
    members["xl/worksheets/sheet1.xml"] = (
        f'{head}<worksheet xmlns="{space}"><dimension ref="{size}"/>'
        f"<sheetData>{rows}</sheetData></worksheet>"
    ).encode()
    return archive(members)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (bomb(3 << 20), "more than 2097152 bytes"),
        (gzip.compress(b"0" * (3 << 20)), "more than 2097152 bytes"),
        (lying((4 << 30) - 2), "more than 2097152 bytes"),
        (lying(16), "cannot be unpacked"),
        (archive({f"{n}.csv": b"x" for n in range(101)}), "101 files"),
        (archive({}), "there is nothing in the archive"),
        (archive({"__MACOSX/a": b"x", "b/": b""}), "there is nothing in the archive"),
        (bomb(100)[:-30], "cannot be unpacked"),
        (b"PK\x03\x04nonsense", "cannot be unpacked"),
        (gzip.compress(b"network\n" * 100)[:-9], "cannot be unpacked"),
        (b"\xd0\xcf\x11\xe0nonsense", "no Excel file"),
        (archive({"[Content_Types].xml": b"<x/>"}), "no Excel file"),
        (archive({"[Content_Types].xml": b"<x/>", "big": b"0" * (3 << 20)}), "more than 2097152"),
        (sheet('<row r="1048578"><c r="A1048578"><v>1</v></c></row>'), "more than 1048576 rows"),
        (sheet('<row r="1"><c r="BBB1"><v>1</v></c></row>'), "1406 cells"),
        (sheet('<row r="1"><c r="AAAA1"><v>1</v></c></row>'), "the sheet cannot be read"),
        (sheet('<row r="x"><c r="A1"><v>1</v></c></row>'), "the sheet cannot be read"),
        (sheet('<row r="1"><c r="A1"><v>1</v></row>'), "the sheet cannot be read"),
        (sheet('<row r="1"><c r="A1" t="s"><v>7</v></c></row>'), "the sheet cannot be read"),
        (sheet("", bomb=True), "no Excel file|cannot be read"),
    ],
)
def test_archives_that_explode_or_break_are_told(
    database_url: str, body: bytes, words: str
) -> None:
    """An archive is unpacked as far as there is room, whatever it says of itself."""
    app = make_application(database_url, sections={"interchange": {"max_unpacked_bytes": 2 << 20}})
    organization = make_organization(app)
    answer = post(organization, body)
    assert answer.status_code == 202, answer.text
    found = settled(organization, answer.json["id"])
    [(_, _, reason)] = refusals(organization, found)
    assert any(word in reason for word in words.split("|")), reason
    app.close()


def test_texts_of_a_workbook_are_limited(
    organization: Organization, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not in the sheets is held in memory, so there is less room for it."""
    monkeypatch.setattr(spreadsheets, "MOST_SHARED", 1000)
    [(_, _, reason)] = refusals(organization, send(sheet("")))
    assert reason == "the workbook has more than 1000 bytes besides its sheets"


def test_a_sheet_is_read_beyond_what_it_says(organization: Organization, send: Send) -> None:
    """Many programs write a wrong size into a sheet, and formats of cells that have no text."""
    cells = "".join(
        f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>{text}</t></is></c>'
        f'<c r="XFD{n}" s="0"/></row>'
        for n, text in enumerate(["network", "10.0.0.0/24", "10.0.1.0/24"], start=1)
    )
    found = send(sheet(cells, size="A1:A2"), run="true")
    assert (found["state"], total(found)) == ("done", {"created": 2}), found


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


def test_places_are_told_in_the_words_of_the_file(organization: Organization, send: Send) -> None:
    """A rule that is only checked later names the file's own column, too."""
    text = "Prefix;Router\n10.0.0.0/24;10.0.1.1\n10.0.1.0/24;\n10.0.1.0/24;\n"
    found = refusals(organization, send(text))
    assert [(line, column) for line, column, _ in found] == [(2, "Router"), (4, "Prefix")]
