"""TLS servers on loopback, and an application that may look at them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
import trustme

from ipcraft.plugin import Application
from ipcraft.testing import Client, make_application
from ipcraft.testing.services import DNSServer

HOST = "127.0.0.1"

Serve = Callable[..., int]
Talk = Callable[[socket.socket], None]


@pytest.fixture
def backend() -> str:
    """Run each test once: the tool touches no database."""
    return "sqlite"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Give an authority that no system trusts."""
    return trustme.CA()


@pytest.fixture
def name_server() -> Iterator[DNSServer]:
    """Give a name server that knows where secure.example is."""
    with DNSServer() as server:
        server.tell("secure.example", HOST)
        yield server


@pytest.fixture
def application(
    authority: trustme.CA, name_server: DNSServer, tmp_path: Path
) -> Iterator[Application]:
    """Give an application with the plugin; it trusts the authority and may reach loopback."""
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    app = make_application(
        f"sqlite:///{tmp_path / 'ipcraft.db'}",
        enable=["tls_check"],
        sections={"nettools": {"requests_per_minute": 1000}},
        settings={
            "allowed_networks": [f"{HOST}/32"],
            "outbound_name_servers": [name_server.address],
            "outbound_ca_file": str(tmp_path / "authority.pem"),
        },
    )
    yield app
    app.close()


@pytest.fixture
def client(application: Application) -> Client:
    """Give a client without credentials."""
    return Client(application)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Give a way to serve TLS with a certificate, or to say anything else."""
    listeners: list[socket.socket] = []
    threads: list[Thread] = []

    def serve(certificate: trustme.LeafCert | None = None, talk: Talk = lambda _: None) -> int:
        listener = socket.create_server((HOST, 0))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if certificate is not None:
            certificate.configure_cert(context)
            talk = _handshake(context)
        threads.append(Thread(target=_accept, args=(listener, talk)))
        threads[-1].start()
        listeners.append(listener)
        port: int = listener.getsockname()[1]
        return port

    yield serve
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def _handshake(context: ssl.SSLContext) -> Talk:
    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as spoken:
            spoken.recv(1)

    return talk


def _accept(listener: socket.socket, talk: Talk) -> None:
    with suppress(OSError):  # the listener is closed at the end, and clients leave when they like
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.settimeout(10)
                talk(connection)
