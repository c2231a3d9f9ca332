"""What is in the stream when something has changed, and when the server is not well."""

from __future__ import annotations

import threading
from collections import defaultdict

import orjson
import pytest
import trustme
from sqlalchemy import select

from ipcraft.app import begin_jobs
from ipcraft.plugin import (
    Application,
    Change,
    Event,
    StartError,
    Statement,
    Transaction,
    event_body,
    events,
    events_after,
)
from ipcraft.testing import Clock, Organization, make_application, make_organization, take_events
from ipcraft.testing.services import FaultProxy, free_port

from .conftest import Open
from .server import NatsServer, Stored

ORGANIZATIONS = Statement(select(events.c.organization_id).distinct(), str)
MADE_WITH_AN_ORGANIZATION = 3
PATIENCE = 120


def test_each_event_is_a_message(
    application: Application, organization: Organization, server: NatsServer
) -> None:
    """Named by the event's id, under organization and type, with the body of a webhook."""
    organization.client.post("/api/v1/subnets", json={"network": "10.0.0.0/24"})
    take_events(application)
    assert server.stored() == [_stored(event) for event in all_events(application)]
    last = server.stored()[-1]
    assert last.subject == f"ipcraft.{organization.id}.subnet.created"
    assert orjson.loads(last.body)["data"]["network"] == "10.0.0.0/24"


def test_a_message_that_comes_again_is_kept_once(
    application: Application, organization: Organization, server: NatsServer
) -> None:
    """The server knows the id."""
    record(application, organization.id, 20)
    take_events(application)
    kept = server.stored()
    application.event_sinks["nats"].deliver(all_events(application))
    assert server.stored() == kept


def test_a_server_that_is_away_misses_nothing(
    application: Application, organization: Organization, server: NatsServer, clock: Clock
) -> None:
    """What could not be published is, in order, when it is back."""
    take_events(application)
    server.kill()
    for _ in range(3):
        record(application, organization.id, 150)
        take_events(application)
        clock.advance(seconds=60)
    server.resume()
    take_events(application)
    assert server.stored() == [_stored(event) for event in all_events(application)]


def test_a_server_that_is_killed_again_and_again_keeps_each_event_once(
    database_url: str, server: NatsServer
) -> None:
    """While several organizations' events flow: none lost, none twice, each in its order."""
    app = make_application(
        database_url, enable=["nats"], sections={"nats": {"servers": [server.url]}}
    )
    begin_jobs(app)
    ids = [make_organization(app).id for _ in range(4)]
    for kills in range(1, 6):
        for each in ids:
            record(app, each, 200)
        reach(server, (kills - 1) * 800 + 100)
        server.kill()
        server.resume()
    total = 4 * (MADE_WITH_AN_ORGANIZATION + 5 * 200)
    reach(server, total)
    expected = [_stored(event) for event in all_events(app)]
    app.close()
    stored = server.stored()
    assert len(stored) == len({each.id for each in stored}) == total
    assert by_organization(stored) == by_organization(expected)


def test_a_server_that_hangs_is_not_waited_for(
    open_with: Open, server: NatsServer, clock: Clock
) -> None:
    """After the time-out the events are put off, and published when it goes on."""
    app = open_with(servers=[server.url], timeout=0.5)
    organization_id = make_organization(app).id
    take_events(app)
    server.freeze()
    record(app, organization_id, 5)
    take_events(app)
    server.thaw()
    clock.advance(seconds=10)
    take_events(app)
    assert server.stored() == [_stored(event) for event in all_events(app)]


def test_a_cut_connection_is_opened_again(
    open_with: Open, server: NatsServer, clock: Clock
) -> None:
    """Whatever was under way is published once."""
    with FaultProxy("127.0.0.1", server.port) as proxy:
        app = open_with(servers=[f"nats://127.0.0.1:{proxy.port}"])
        organization_id = make_organization(app).id
        take_events(app)
        proxy.cut(after=2_000)
        record(app, organization_id, 300)
        for _ in range(3):
            take_events(app)
            clock.advance(seconds=10)
        proxy.heal()
        take_events(app)
        assert server.stored() == [_stored(event) for event in all_events(app)]


def test_a_stream_that_is_there_is_used_as_it_is(open_with: Open, server: NatsServer) -> None:
    """Of another name and another beginning of the subjects."""

    async def make(client: object) -> None:
        await client.jetstream().add_stream(name="EVENTS", subjects=["site.a.>"])  # type: ignore[attr-defined]  # a nats client

    server.ask(make)
    app = open_with(servers=[server.url], stream="EVENTS", subject="site.a", create_stream=False)
    organization = make_organization(app)
    take_events(app)
    assert server.stored("EVENTS")[0].subject.startswith(f"site.a.{organization.id}.")


def test_a_stream_that_is_not_to_be_made_is_waited_for(open_with: Open, server: NatsServer) -> None:
    """The reason says that there is none."""
    app = open_with(servers=[server.url], create_stream=False)
    make_organization(app)
    with pytest.raises(Exception, match="stream not found"):
        deliver(app)
    assert server.count() == 0


@pytest.mark.parametrize(
    ("options", "credentials"),
    [
        (
            'authorization { user: "ipcraft", password: "s3cret" }',
            {"user": "ipcraft", "password": "s3cret"},
        ),
        ('authorization { token: "s3cret" }', {"token": "s3cret"}),
    ],
)
def test_credentials_let_in(open_with: Open, options: str, credentials: dict[str, str]) -> None:
    """Wrong ones do not, and are not shown."""
    with NatsServer(options, **credentials) as server:
        app = open_with(servers=[server.url], **credentials)
        make_organization(app)
        take_events(app)
        assert server.count() == MADE_WITH_AN_ORGANIZATION
        wrong = {**credentials, list(credentials)[-1]: "wr0ng"}
        with pytest.raises(Exception, match=r"(?i)authorization violation") as caught:
            deliver(open_with(servers=[server.url], **wrong))
        assert "wr0ng" not in str(caught.value)


def test_tls_is_spoken_with_whom_we_trust(
    open_with: Open, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With our own authority and a certificate of our own; no stranger is told anything."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    ours, theirs = folder / "client.pem", folder / "server.pem"
    authority.issue_cert("ipcraft@example.com").private_key_and_cert_chain_pem.write_to_path(ours)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(theirs)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    options = (
        f'tls {{ cert_file: "{theirs}", key_file: "{theirs}", '
        f'ca_file: "{folder}/ca.pem", verify: true }}'
    )
    context = authority_context(authority, str(ours))
    with NatsServer(options, tls=context) as server:
        url = server.url.replace("nats:", "tls:")
        trusting = {"ca_file": f"{folder}/ca.pem", "certificate_file": str(ours)}
        app = open_with(servers=[url], **trusting)
        make_organization(app)
        take_events(app)
        assert server.count() == MADE_WITH_AN_ORGANIZATION
        with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
            deliver(open_with(servers=[url], certificate_file=str(ours)))


def test_nothing_is_said_in_the_clear_where_tls_is_named(
    open_with: Open, server: NatsServer
) -> None:
    """A server that does not ask for TLS is refused, before it gets the credentials."""
    app = open_with(servers=[server.url.replace("nats:", "tls:")], token="s3cret")
    make_organization(app)
    with pytest.raises(Exception, match="secure connection not available"):
        deliver(app)


def test_a_server_that_is_not_there_is_named_as_such(open_with: Open) -> None:
    """The reason is the network's."""
    app = open_with(servers=[f"nats://127.0.0.1:{free_port()}"])
    make_organization(app)
    with pytest.raises(Exception, match=r"(?i)connect call failed"):
        deliver(app)


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({}, "servers"),
        ({"servers": []}, "servers"),
        ({"servers": ["http://nats.example"]}, "Not a server"),
        ({"servers": ["nats://u:SECRET@nats.example"]}, "Credentials do not belong here"),
        ({"servers": ["nats://nats.example"], "user": "me"}, "set together"),
        (
            {"servers": ["nats://n"], "user": "me", "password": "SECRET", "token": "SECRET"},
            "There is a user already",
        ),
        ({"servers": ["nats://n"], "stream": "a.b"}, "Not a stream's name"),
        ({"servers": ["nats://n"], "subject": "a.>"}, "Not a subject"),
        ({"servers": ["nats://n"], "ca_file": "/none.pem"}, "ca_file: /none.pem cannot be used"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start(
    database_url: str, section: dict[str, object], problem: str
) -> None:
    """The error says what to mend, and nothing that is secret."""
    with pytest.raises(StartError) as caught:
        make_application(database_url, enable=["nats"], sections={"nats": section})
    assert problem in str(caught.value)
    assert "SECRET" not in str(caught.value)


def authority_context(authority: trustme.CA, certificate: str) -> object:
    """Give what a test connects with."""
    import ssl

    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.load_cert_chain(certificate)
    return context


def record(app: Application, organization_id: str, count: int) -> None:
    """Record so many changes, in one transaction."""

    def work(tx: Transaction) -> None:
        tx.record_many(
            Change(type="folder.created", resource_id=f"sec_{n}", label=str(n), details=f"Made {n}")
            for n in range(count)
        )

    app.storage.transact(organization_id, work)


def all_events(app: Application) -> list[Event]:
    """Give every event, one organization's after the other's."""
    with app.storage.read_system() as tx:
        organizations = tx.all(ORGANIZATIONS)
    found = []
    for each in organizations:
        with app.storage.look(each) as reader:
            found += events_after(reader, 0, limit=1_000_000)
    return found


def deliver(app: Application) -> None:
    """Offer the sink an event, as the core does."""
    event = Event(
        id="evt_1",
        organization_id="org_1",
        sequence=1,
        type="folder.created",
        resource_id="sec_1",
        label="Lab",
        details="Created folder Lab",
        data={},
        actor=None,
        request_id=None,
        created_at=0,
    )
    app.event_sinks["nats"].deliver([event])


def reach(server: NatsServer, count: int) -> None:
    """Wait until the stream keeps so many messages."""
    pause = threading.Event()
    for _ in range(PATIENCE * 20):
        if server.count() >= count:
            return
        pause.wait(0.05)
    raise AssertionError(f"the stream keeps {server.count()} messages, not {count}")


def by_organization(messages: list[Stored]) -> dict[str, list[Stored]]:
    """Give each organization's messages in their order."""
    found: defaultdict[str, list[Stored]] = defaultdict(list)
    for each in messages:
        found[each.subject.split(".")[1]].append(each)
    return dict(found)


def _stored(event: Event) -> Stored:
    subject = f"ipcraft.{event.organization_id}.{event.type}"
    return Stored(subject, event.id, orjson.dumps(event_body(event)))
