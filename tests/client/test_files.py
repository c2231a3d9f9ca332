"""Files that a program sends and gets with the client."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipcraft.client import Client, RequestRefused, Unreachable
from ipcraft.client.files import Files

from .conftest import Script

DONE = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


def written(folder: Path, **files: bytes) -> list[Path]:
    """Write files."""
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return [folder / name for name in files]


@pytest.mark.parametrize("files", [{"a": b"network\n"}, {"a": b"one", "b": b"\x00two"}])
def test_files_are_sent_again_as_they_were(
    scripted: Client, tmp_path: Path, files: dict[str, bytes]
) -> None:
    """A request that was not answered comes a second time with the same key and the same bytes."""
    Script.answers = [b"", DONE]
    assert scripted.upload("imports", written(tmp_path, **files)).status == 202
    first, second = Script.seen
    assert first == second
    assert first.key
    assert all(body in first.body for body in files.values())


def test_large_files_are_sent_once(scripted: Client, tmp_path: Path) -> None:
    """A server keeps no key for a body so large; so nobody knows whether it was taken."""
    Script.answers = [b""]
    with pytest.raises(Unreachable):
        scripted.upload("imports", written(tmp_path, a=b"x" * (16 << 20)))
    assert [(each.key, len(each.body)) for each in Script.seen] == [(None, 16 << 20)]


def test_a_form_is_as_long_as_a_server_takes(tmp_path: Path) -> None:
    """Two files that are few have a body that goes with a key, whatever is around them."""
    half = (16 << 20) // 2 - (32 << 10)
    files = Files(written(tmp_path, a=b"x" * half, b=b"y" * half))
    assert files.are_few
    with files.opened() as (body, kind):
        assert isinstance(body, bytes)
        assert len(body) <= 16 << 20
        assert kind == f"multipart/form-data; boundary={files.boundary}"


def test_a_file_comes_in_pieces(ipam: Client, tmp_path: Path) -> None:
    """What is sent is there, and what is asked for comes whole."""
    path = tmp_path / "plan.csv"
    path.write_text("network\n10.0.0.0/24\n")
    made = ipam.upload("imports", [path], filename="plan.csv").body
    assert (made["files"], made["size"]) == (["plan.csv"], 20)
    document = json.loads(b"".join(ipam.download("export", format="json")))
    assert document["subnets"] == []


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nbegun",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n",
    ],
)
def test_a_file_that_is_cut_is_told(scripted: Client, cut: bytes) -> None:
    """Half a file is an error, not a short one."""
    Script.answers = [cut]
    with pytest.raises(Unreachable, match="was cut"):
        list(scripted.download("export"))
    assert Script.answers == []


def test_a_file_is_asked_for_again(scripted: Client) -> None:
    """As long as nothing of it came."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole"
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    Script.answers = [b"", busy, whole]
    assert b"".join(scripted.download("export")) == b"whole"


def test_a_file_that_is_refused_is_told(ipam: Client) -> None:
    """With the reason that the server gives."""
    with pytest.raises(RequestRefused, match="format"):
        next(ipam.download("export", format="pdf"))
