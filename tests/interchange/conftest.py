"""Importing and exporting, as users of the API do it."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from falcon.testing import Result

from ipcraft.app import Application
from ipcraft.testing import Organization
from ipcraft_ipam.verification import verify

DATA = Path(__file__).parent / "data"

_PATIENCE = 60.0

Send = Callable[..., dict[str, Any]]


def archive(files: dict[str, bytes]) -> bytes:
    """Pack files into an archive."""
    packed = io.BytesIO()
    with ZipFile(packed, "w") as target:
        for name, body in files.items():
            target.writestr(name, body)
    return packed.getvalue()


def netbox() -> bytes:
    """Give NetBox's demo data, as it exports it, in one archive."""
    return archive({path.name: path.read_bytes() for path in sorted(DATA.glob("netbox-*.csv"))})


def settled(organization: Organization, import_id: str) -> dict[str, Any]:
    """Wait until no job is at an import any more, and give it."""
    deadline, pause = time.monotonic() + _PATIENCE, threading.Event()
    while True:
        answer = organization.client.get(f"/api/v1/imports/{import_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json
        if found["state"] not in ("checking", "running"):
            return found
        assert time.monotonic() < deadline, found
        pause.wait(0.02)


def post(organization: Organization, body: bytes, **params: str) -> Result:
    """Upload a file."""
    return organization.client.post("/api/v1/imports", body=body, params=params)


@pytest.fixture
def send(organization: Organization) -> Send:
    """Give a way to upload a file and wait for what becomes of it."""

    def send(body: bytes | str, **params: str) -> dict[str, Any]:
        data = body.encode() if isinstance(body, str) else body
        answer = post(organization, data, **params)
        assert answer.status_code == 202, answer.text
        return settled(organization, answer.json["id"])

    return send


def rows(organization: Organization, found: dict[str, Any], **params: str) -> list[dict[str, Any]]:
    """Give the rows of a report."""
    answer = organization.client.get(f"/api/v1/imports/{found['id']}/rows", params=params)
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, Any]] = answer.json
    return listed


def total(found: dict[str, Any]) -> dict[str, int]:
    """Give how many rows came to what, without the nothings."""
    counts: dict[str, int] = found["counts"]["total"]
    return {outcome: count for outcome, count in counts.items() if count}


def exported(organization: Organization, form: str = "json") -> bytes:
    """Give everything the organization has."""
    answer = organization.client.get("/api/v1/export", params={"format": form})
    assert answer.status_code == 200, answer.text
    return answer.content


def drifts(application: Application, organization: Organization) -> list[str]:
    """Recount the inventory and say what is stored otherwise."""
    with application.storage.read(organization.id) as tx:
        return [drift.message for drift in verify(tx)]
