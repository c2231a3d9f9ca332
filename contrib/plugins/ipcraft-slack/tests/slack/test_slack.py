"""A chat hears what changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from ipcraft.config import ConfigError
from ipcraft.logs import configure_logs
from ipcraft.plugin import Application
from ipcraft.testing import make_application, make_organization

from .room import Room

Make = Callable[..., Application]
SUBNET = "*subnet.created* Created subnet 10.0.1.0/24"


def add_subnet(app: Application, network: str = "10.0.1.0/24") -> str:
    """Create a subnet in an organization of its own, and give the organization's id."""
    organization = make_organization(app)
    answer = organization.client.post("/api/v1/subnets", json={"network": network})
    assert answer.status_code == 201
    return organization.id


def test_a_change_is_told(make: Make, room: Room) -> None:
    """A moment after its commit: its type, and its sentence."""
    add_subnet(make())
    assert room.lines(4)[-1] == SUBNET


def test_changes_that_come_together_are_one_message(make: Make, room: Room) -> None:
    """A line for each, in their order."""
    app = make(event_types=["subnet.created"])
    organization = make_organization(app)
    networks = [{"network": f"10.{number}.0.0/16"} for number in range(50)]
    assert organization.client.post("/api/v1/subnets", json=networks).status_code == 201
    lines = room.lines(50)
    wanted = [f"*subnet.created* Created subnet {each['network']}" for each in networks]
    assert lines == wanted
    assert len(room.said) <= 2


def test_a_chat_that_refuses_is_told_later(
    make: Make, room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is skipped, and the log gives the reason without the chat's secret URL."""
    room.refusals = [429, 500]
    app = make(event_types=["subnet.created"])
    configure_logs()
    add_subnet(app)
    assert room.lines(1) == [SUBNET]
    log = capsys.readouterr().err
    assert "the chat answers 500: rate_limited" in log
    assert "XXXX" not in log


def test_a_chat_that_may_not_be_reached_is_not(
    make: Make, room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    """An address that the operator does not allow is refused, and the log says so."""
    app = make(allowed=())
    configure_logs()
    add_subnet(app)
    log, pause = "", Event()
    while "the chat cannot be told" not in log:
        pause.wait(0.02)
        log += capsys.readouterr().err
    assert "XXXX" not in log
    assert room.said == []


def test_only_wanted_organizations_and_types_are_told(
    database_url: str, make: Make, room: Room
) -> None:
    """Others are passed over, and hold up nothing."""
    quiet = make_application(database_url)
    others, wanted = add_subnet(quiet, "10.9.0.0/16"), add_subnet(quiet)
    assert others != wanted
    quiet.close()
    make(organizations=[wanted], event_types=["subnet.created", "subnet.deleted"])
    assert room.lines(1) == [SUBNET]


def test_what_people_write_calls_nobody(make: Make, room: Room) -> None:
    """A name is shown as it is, in one line, whatever is in it."""
    app = make(event_types=["folder.created"])
    organization = make_organization(app)
    name = "<!channel> & <https://evil.example|here>\nnext"
    answer = organization.client.post("/api/v1/sections", json={"name": name})
    assert answer.status_code == 201
    (line,) = room.lines(1)
    assert line == (
        "*folder.created* Created folder "
        "&lt;!channel&gt; &amp; &lt;https://evil.example|here&gt; next"
    )


def test_without_a_url_there_is_no_sink(database_url: str) -> None:
    """The plugin may be enabled before the chat is there."""
    app = make_application(database_url, enable=["slack"])
    assert dict(app.event_sinks) == {}
    app.close()


@pytest.mark.parametrize(
    ("key", "value"), [("url", "hooks.slack.com/x"), ("organizations", ["Acme"])]
)
def test_bad_settings_stop_the_start(tmp_path: Path, key: str, value: object) -> None:
    """The message names the key."""
    with pytest.raises(ConfigError, match=key):
        make_application(
            f"sqlite:///{tmp_path}/x.db", enable=["slack"], sections={"slack": {key: value}}
        )
