"""The plugins that the pages show can be installed, and do what is said of them."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from ipcraft.app import Application
from ipcraft.errors import Hopeless, Invalid, Unavailable
from ipcraft.testing import Client, Clock, make_application, make_organization
from ipcraft.testing.distributions import write_distribution
from ipcraft.testing.services import free_port
from ipcraft_accounts import create_organization
from ipcraft_interchange.importing import opened
from ipcraft_interchange.intake import Choices, Upload
from ipcraft_interchange.services import importers
from ipcraft_interchange.writing import Target

from .pages import DOCS, ROOT, snippet_of, snippets

Enable = Callable[..., Application]


@pytest.fixture
def enable(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Enable]:
    """Install a plugin of one module and give the application with it."""
    opened: list[Application] = []

    def install(
        name: str,
        text: str,
        *,
        settings: Mapping[str, Any] = MappingProxyType({}),
        **section: object,
    ) -> Application:
        module = f"ipcraft_{name}"
        write_distribution(
            tmp_path, f"ipcraft-{name}", plugins={name: module}, files={f"{module}.py": text}
        )
        monkeypatch.syspath_prepend(tmp_path)
        sections = {name: section} if section else {}
        opened.append(
            make_application(database_url, enable=[name], sections=sections, settings=settings)
        )
        monkeypatch.delitem(sys.modules, module)
        return opened[-1]

    yield install
    for app in opened:
        app.close()


def test_the_readmes_tests_are_what_ci_runs() -> None:
    """The README's command for the tests is the line in .ci/run."""
    line = snippet_of(
        ROOT / "README.md",
        "python3 -m venv .venv && .venv/bin/pip install tox && .venv/bin/tox -m test",
    ).strip()
    assert line in [each.strip() for each in (ROOT / ".ci/run").read_text().splitlines()]


def test_the_readmes_plugin_works(enable: Enable) -> None:
    """It answers its route, and its strategy gives even addresses."""
    app = enable("even", snippet_of(ROOT / "README.md", "# ipcraft_even.py"))
    made = make_organization(app)
    assert made.client.get("/api/v1/greeting").json == {"hello": made.id}
    subnet = made.client.post("/api/v1/subnets", json={"network": "3.0.5.224/27"}).json
    path = f"/api/v1/subnets/{subnet['id']}/first-free"
    taken = made.client.post(path, json={"strategy": "even", "count": 2}).json
    assert [address["ip"] for address in taken] == ["3.0.5.226", "3.0.5.228"]


def test_the_how_tos_plugin_works(enable: Enable) -> None:
    """It shows its setting, and refuses a name off the pattern."""
    page = DOCS / "how-to" / "write-a-plugin.md"
    app = enable("naming", snippet_of(page, "# ipcraft_naming.py"))
    client = make_organization(app).client
    assert client.get("/api/v1/naming").json["example"] == "web-01"
    subnet = client.post("/api/v1/subnets", json={"network": "10.0.0.0/24"}).json
    path = f"/api/v1/subnets/{subnet['id']}/first-free"
    assert client.post(path, json={"hostname": "Web_01"}).status_code == 400
    assert client.post(path, json={"hostname": "web-01"}).status_code == 201


def test_the_how_tos_strategy_works(enable: Enable) -> None:
    """It leaves three addresses free after each one, then gives those."""
    page = DOCS / "how-to" / "write-a-strategy.md"
    app = enable("spaced", snippet_of(page, "from __future__ import annotations"))
    client = make_organization(app).client
    subnet = client.post("/api/v1/subnets", json={"network": "10.0.0.0/29"}).json
    path = f"/api/v1/subnets/{subnet['id']}/first-free"
    taken = client.post(path, json={"strategy": "spaced", "count": 6}).json
    assert [address["ip"][-1] for address in taken] == ["1", "5", "2", "3", "4", "6"]


def test_the_how_tos_tool_works(enable: Enable) -> None:
    """It reads a greeting, for anybody, and only where it may."""
    page = DOCS / "how-to" / "write-a-network-tool.md"
    settings = {"allowed_networks": ["127.0.0.1"]}
    app = enable("banner", snippet_of(page, "# ipcraft_banner.py"), settings=settings)
    client = Client(app)
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        params = {"host": "127.0.0.1", "port": listener.getsockname()[1]}
        asked = pool.submit(client.get, "/api/v1/tools/banner", params=params)
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\nmore")
            assert asked.result(10).json == {"host": "127.0.0.1", "line": "SSH-2.0-OpenSSH_9.9"}
    assert client.get("/api/v1/tools/banner", params={"host": "127.0.0.2"}).status_code == 400


def test_the_billing_providers_page_sells(enable: Enable) -> None:
    """An owner is sent to the counter, and what is paid there is the plan."""
    page = DOCS / "how-to" / "write-a-billing-provider.md"
    app = enable("counter", snippet_of(page, "# ipcraft_counter.py"), code="open sesame")
    buyer = make_organization(app, plan="free")
    answer = buyer.client.post("/api/v1/billing/checkout", json={"plan": "teams"})
    assert answer.json == {
        "url": f"https://counter.example.com/?plan=teams&organization={buyer.id}"
    }
    assert buyer.client.post("/api/v1/billing/checkout", json={"plan": "gold"}).status_code == 400
    assert buyer.client.post("/api/v1/billing/portal").status_code == 200
    paid = {"organization_id": buyer.id, "plan": "teams"}
    assert buyer.client.post("/counter/payments", json=paid).status_code == 401
    code = {"X-Counter-Code": "open sesame"}
    assert buyer.client.post("/counter/payments", json=paid, headers=code).status_code == 204
    assert buyer.client.get("/api/v1/billing/plan").json["plan"] == "teams"


def test_the_how_tos_importer_works(enable: Enable, tmp_path: Path) -> None:
    """It reads its system's file, and a refusal names the file's own column."""
    page = DOCS / "how-to" / "write-an-importer.md"
    app = enable("openwisp", snippet_of(page, "# ipcraft_openwisp.py"))
    made = make_organization(app)
    lines = "Lab\n10.0.0.0/24\nacme\n\nip_address,description\n10.0.0.5,Printer\n10.0.9.5,Far\n"
    path = tmp_path / "lab.csv"
    path.write_text(lines)
    with opened(Target(app.storage, made.id, None)) as current:
        current.read(
            [Upload("lab.csv", path)], importers=importers(app), choices=Choices(), limit=1 << 20
        )
        current.check()
        current.write()
        [rows] = current.report()
    assert [(row["label"], row["outcome"], row["column"]) for row in rows] == [
        ("10.0.0.0/24", "created", None),
        ("10.0.0.5", "created", None),
        ("", "refused", "subnet"),
    ]
    [address] = made.client.get("/api/v1/addresses").json
    assert address["description"] == "Printer"


def test_the_metrics_of_the_how_tos_plugin_are_on_the_page(enable: Enable) -> None:
    """What it counts and what is read of it stand beside the core's own."""
    app = enable("lookups", snippet_of(DOCS / "how-to" / "monitor.md", "# ipcraft_lookups.py"))
    app.measure()
    client = make_organization(app).client
    for name in ("db", "web", "mail"):
        assert client.get(f"/api/v1/lookups/{name}").status_code == 200
    page = client.get("/metrics", remote_addr="127.0.0.1").text
    assert 'ipcraft_lookups_answers_total{outcome="found"} 1.0' in page
    assert 'ipcraft_lookups_answers_total{outcome="unknown"} 2.0' in page
    assert "ipcraft_lookups_names 1.0" in page


def test_the_sign_ins_page_lets_the_invited_in(enable: Enable) -> None:
    """Who knows the word gets a session, if they were invited; nobody else does."""
    page = DOCS / "how-to" / "write-a-sign-in.md"
    app = enable("door", snippet_of(page, "# ipcraft_door.py"))
    owner = make_organization(app)
    owner.client.post("/api/v1/invitations", json={"email": "bob@example.com", "role": "editor"})
    stranger = Client(app)
    refused = stranger.post("/door", params={"word": "sesame", "email": "eve@example.com"})
    assert (refused.status_code, refused.json["code"]) == (403, "signup_closed")
    assert stranger.post("/door", params={"word": "?"}).status_code == 401
    answer = stranger.post("/door", params={"word": "sesame", "email": "bob@example.com"})
    assert answer.json["organization"]["id"] == owner.id
    browser = Client(app, session=answer.cookies["session"].value)
    assert browser.get("/api/v1/auth/me").json["role"] == "editor"


def test_the_sign_ins_auth_backend_is_guarded(enable: Enable) -> None:
    """A certificate's owner is provisioned at the first request, and cannot be made to write."""
    page = DOCS / "how-to" / "write-a-sign-in.md"
    app = enable("certificates", snippet_of(page, "# ipcraft_certificates.py"))
    create_organization(app.storage, name="Acme", owner_email="ada@example.com")
    client = Client(app)
    known = {"extras": {"SSL_CLIENT_EMAIL": "bob@example.com"}}
    assert client.get("/api/v1/auth/me").status_code == 401
    assert client.get("/api/v1/auth/me", **known).json["role"] == "viewer"
    refused = client.post("/api/v1/sections", json={"name": "A"}, **known)
    assert (refused.status_code, refused.json["code"]) == (403, "csrf")


def test_the_how_tos_post_ends_as_a_job_should(database_url: str) -> None:
    """A bad URL is the user's to mend, a refused target is hopeless, a dead one is not."""
    text = next(each.text for each in snippets("python") if "Be a job that posts" in each.text)
    names: dict[str, Any] = {}
    exec(text, names)
    app = make_application(database_url, settings={"allowed_networks": ["127.0.0.1"]})
    with pytest.raises(Invalid) as caught:
        names["check"](app, "https://10.1/")
    problem = "10.0.0.1 is not globally reachable (private)"
    assert caught.value.fields == {"url": [problem]}
    with pytest.raises(Hopeless):
        names["tell"](app, {"url": "https://10.1/"})
    with pytest.raises(Unavailable):
        names["tell"](app, {"url": f"https://127.0.0.1:{free_port()}/"})
    app.close()


def test_the_collectors_page_works(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sink it shows passes the test it shows."""
    page = DOCS / "how-to" / "send-events-elsewhere.md"
    module = "ipcraft_collector"
    write_distribution(
        tmp_path,
        "ipcraft-collector",
        plugins={"collector": module},
        files={f"{module}.py": snippet_of(page, f"# {module}.py")},
    )
    monkeypatch.syspath_prepend(tmp_path)
    text = next(each.text for each in snippets("python") if "take_events" in each.text)
    names: dict[str, Any] = {}
    exec(text, names)
    names["test_a_collector_that_fails_misses_nothing"](database_url, Clock(1_800_000_000))
    monkeypatch.delitem(sys.modules, module)
