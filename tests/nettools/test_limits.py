"""How often and how much at once, and what an operator may switch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from marshmallow import fields

from ipcraft.config import ConfigError
from ipcraft.errors import StartError
from ipcraft.plugin import Application, BadGateway, Invalid, Unavailable
from ipcraft.testing import Client, Clock, make_application, make_organization
from ipcraft.testing.distributions import write_distribution
from ipcraft.testing.services import DNSServer
from ipcraft_nettools import Call, Finding, NetworkTool, Parameters
from ipcraft_nettools.answer_memory import AnswerMemory
from ipcraft_nettools.running import LARGEST_ANSWER, Runner

from .conftest import Tools

TOOLS = {
    "dns": {"domain": "example.com", "type": "A"},
    "rdns": {"ip": "8.8.8.8"},
    "whois": {"query": "example.com"},
    "ping": {"host": "127.0.0.1"},
    "ports": {"host": "127.0.0.1"},
    "myip": {},
    "headers": {},
}


def ask(tools: Client, name: str, peer: str = "203.0.113.42") -> Any:
    """Ask a tool from an address."""
    return tools.get(f"/api/v1/tools/{name}", params=TOOLS[name], remote_addr=peer)


def test_ten_a_minute_over_all_tools(make_tools: Tools, clock: Clock) -> None:
    """Each answer tells what is left; the eleventh is refused until the minute is over."""
    tools = make_tools(requests_per_minute=10)
    for number, name in enumerate([*TOOLS, *TOOLS][:10]):
        answer = ask(tools, name)
        assert answer.headers["ratelimit-policy"] == '"tools";q=10;w=60'
        assert answer.headers["ratelimit"] == f'"tools";r={9 - number};t=60'
        assert answer.status_code in (200, 400)
    refused = ask(tools, "myip")
    assert (refused.status_code, refused.json["code"]) == (429, "rate_limited")
    assert refused.headers["retry-after"] == "60"
    assert ask(tools, "myip", "203.0.113.43").status_code == 200
    clock.advance(seconds=60)
    assert ask(tools, "myip").status_code == 200


def test_ten_a_minute_is_what_there_is_without_a_setting(database_url: str) -> None:
    """The documented limit is the default."""
    app = make_application(database_url)
    answer = ask(Client(app), "myip")
    app.close()
    assert answer.headers["ratelimit"] == '"tools";r=9;t=60'


def test_a_client_is_a_64_of_ipv6(make_tools: Tools) -> None:
    """Its 2^64 addresses share what one IPv4 address has."""
    tools = make_tools(requests_per_minute=2)
    assert ask(tools, "myip", "2001:db8::1").status_code == 200
    assert ask(tools, "headers", "2001:db8::ffff:2").status_code == 200
    assert ask(tools, "myip", "2001:db8:0:0:3::").status_code == 429
    assert ask(tools, "myip", "2001:db8:0:1::1").status_code == 200


def test_what_is_refused_counts(make_tools: Tools) -> None:
    """Guessing what may be reached costs as much as reaching it."""
    tools = make_tools(requests_per_minute=2)
    for _ in range(2):
        assert ask(tools, "ping").status_code == 400
    assert ask(tools, "ping").status_code == 429


def test_no_credentials_are_needed(tools: Client) -> None:
    """The tools are public."""
    assert {ask(tools, name).status_code for name in TOOLS} == {200}


def test_credentials_can_be_required(make_tools: Tools) -> None:
    """Then any role may use them, within the same limit."""
    tools = make_tools(public=False, settings={"allowed_networks": ["127.0.0.0/8"]})
    assert {ask(tools, name).status_code for name in TOOLS} == {401}
    owner = make_organization(tools.app).client
    answer = ask(owner, "myip")
    assert answer.status_code == 200
    assert '"tools"' in answer.headers["ratelimit"]


def test_any_tool_can_be_switched_off(make_tools: Tools) -> None:
    """It has no route then; the others have."""
    tools = make_tools(disable=["ports", "whois"])
    assert ask(tools, "ports").status_code == 404
    assert ask(tools, "whois").status_code == 404
    assert ask(tools, "myip").status_code == 200


def test_a_tool_that_is_not_there_cannot_be_switched_off(make_tools: Tools) -> None:
    """The start says so, and what is near."""
    with pytest.raises(StartError, match='there is no tool port; did you mean "ports"'):
        make_tools(disable=["port"])


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ({"resolvers": ["8.8.8.8"]}, "NAME=ADDRESS"),
        ({"resolvers": ["google=dns.google"]}, "resolvers"),
        ({"resolvers": ["google=8.8.8.8:0"]}, "there is no port 0"),
        ({"resolvers": ["a=8.8.8.8", "a=8.8.4.4"]}, "Two have one name"),
        ({"resolvers": []}, "resolvers"),
        ({"whois_server": "whois iana org"}, "whois_server"),
        ({"whois_server": "whois.iana.org:99999"}, "there is no port 99999"),
        ({"whois_registries": ["whois://example.com"]}, "whois_registries"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"concurrency": 0}, "concurrency"),
    ],
)
def test_a_setting_that_cannot_be_meant_stops_the_start(
    make_tools: Tools, section: dict[str, object], why: str
) -> None:
    """The message names the key."""
    with pytest.raises(ConfigError, match=why):
        make_tools(**section)


class Nothing(Parameters):
    """Take a word."""

    word = fields.String(load_default="")


def made(run: Any, **options: Any) -> NetworkTool:
    """Make a tool."""
    return NetworkTool(name="made", summary="Made.", parameters=Nothing, run=run, **options)


def test_so_many_run_at_once(application: Application) -> None:
    """The next one is told to come again, and waits for nobody; those about a request go on."""
    runner = Runner(application, concurrency=2)
    begun, end = threading.Semaphore(0), threading.Event()

    def wait(values: Any, call: Call) -> Finding:
        begun.release()
        assert end.wait(10)
        return Finding({})

    waiting = made(wait)
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(runner.run, waiting, {}, None) for _ in range(2)]
        assert begun.acquire(timeout=10)
        assert begun.acquire(timeout=10)
        with pytest.raises(Unavailable):
            runner.run(waiting, {}, None)
        about = made(lambda values, call: Finding({}), about_request=True)
        assert runner.run(about, {}, None).data == b"{}"
        end.set()
        assert [future.result().data for future in futures] == [b"{}", b"{}"]
    assert runner.run(waiting, {}, None).data == b"{}"


def test_a_tool_that_fails_gives_its_place_back(application: Application) -> None:
    """Whatever it raises."""
    runner = Runner(application, concurrency=1)

    def fail(values: Any, call: Call) -> Finding:
        raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            runner.run(made(fail), {}, None)


def test_an_answer_has_a_largest_size(application: Application) -> None:
    """Beyond it there is none."""
    runner = Runner(application, concurrency=1)
    large = made(lambda values, call: Finding({"text": "x" * LARGEST_ANSWER}))
    with pytest.raises(BadGateway):
        runner.run(large, {}, None)


def test_a_target_that_is_refused_is_the_senders_fault(application: Application) -> None:
    """Also where the tool itself says nothing about it."""
    runner = Runner(application, concurrency=1)

    def dial(values: Any, call: Call) -> Finding:
        call.connect("127.0.0.1", 80)
        raise AssertionError

    with pytest.raises(Invalid) as caught:
        runner.run(made(dial), {}, None)
    assert caught.value.code == "target_refused"


def test_the_memory_has_a_largest_size() -> None:
    """What was used least goes first."""
    memory = AnswerMemory(clock=Clock(0))
    for number in range(20):
        memory.put(b"%d" % number, bytes(500_000), ttl=60)
        assert memory.get(b"0") is not None
    kept = [number for number in range(20) if memory.get(b"%d" % number)]
    assert len(kept) == 16
    assert kept[0] == 0
    assert kept[-1] == 19


def test_nothing_is_remembered_for_more_than_an_hour() -> None:
    """Nor when the clock is set back."""
    clock = Clock(10_000)
    memory = AnswerMemory(clock=clock)
    memory.put(b"key", b"{}", ttl=86_400)
    clock.advance(seconds=3599)
    assert memory.get(b"key") is not None
    clock.advance(seconds=1)
    assert memory.get(b"key") is None
    memory.put(b"key", b"{}", ttl=60)
    clock.advance(hours=-2)
    assert memory.get(b"key") is None


SHOUT = """
from marshmallow import fields, validate

from ipcraft.plugin import hookimpl
from ipcraft_nettools import Finding, HostName, NetworkTool, Parameters

API = 1


class Shout(Parameters):
    host = HostName(required=True, metadata={"description": "Who is shouted at."})
    times = fields.Integer(load_default=1, validate=validate.Range(1, 3))


def shout(values, call):
    addresses = [str(each) for each in call.addresses(values["host"])]
    return Finding({"addresses": addresses * values["times"]}, ttl=60)


@hookimpl
def ipcraft_network_tools(app):
    return [NetworkTool(name="NAME", summary="Shout.", parameters=Shout, run=shout)]
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a way to install a plugin that gives a tool."""

    def install(text: str) -> None:
        write_distribution(
            tmp_path,
            "ipcraft-shout",
            plugins={"shout": "ipcraft_shout"},
            files={"ipcraft_shout.py": text},
        )
        monkeypatch.syspath_prepend(tmp_path)

    yield install
    import sys

    sys.modules.pop("ipcraft_shout", None)


def test_a_strangers_tool_gets_all_that_ours_have(
    install: Any, make_tools: Tools, name_server: DNSServer
) -> None:
    """A route, the limit, the guard, checked parameters, a memory."""
    install(SHOUT.replace("NAME", "shout"))
    tools = make_tools(enable=("shout",), requests_per_minute=100)
    name_server.tell("inside.example", "10.0.0.1")
    name_server.tell("good.example", "8.8.8.8")

    def get(**params: str) -> Any:
        return tools.get("/api/v1/tools/shout", params=params)

    assert get(host="inside.example").json["code"] == "target_refused"
    assert get().json["fields"] == {"host": ["host is required"]}
    assert get(host="good.example", times="9").status_code == 400
    answer = get(host="good.example", times="2")
    assert answer.json == {"addresses": ["8.8.8.8", "8.8.8.8"]}
    assert answer.headers["ratelimit"].startswith('"tools"')
    asked = len(name_server.questions)
    assert get(host="Good.Example", times="2").json == answer.json
    assert len(name_server.questions) == asked


@pytest.mark.parametrize(
    ("name", "why"), [("dns", "as does plugin nettools"), ("../x", "hyphens"), ("", "hyphens")]
)
def test_a_name_that_cannot_be_stops_the_start(
    install: Any, make_tools: Tools, name: str, why: str
) -> None:
    """The message names the plugin."""
    install(SHOUT.replace("NAME", name))
    with pytest.raises(StartError, match=why) as caught:
        make_tools(enable=("shout",))
    assert "plugin shout" in str(caught.value)
