"""What is left of a connection whose server has gone."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from ipcraft_nats.broker import Broker, Connection
from ipcraft_nats.configuration import Configuration
from nats.errors import TimeoutError as NoAnswer

from .server import NatsServer


def test_a_connection_that_cannot_say_its_last_words_ends_whole(server: NatsServer) -> None:
    """A server that dies with one message unread and another under way leaves no task waiting."""

    async def lose() -> set[asyncio.Task[object]]:
        connection = Connection(configuration(server))
        await connection.open()
        server.freeze()
        await connection.publish("ipcraft.unread", b"")
        with pytest.raises(NoAnswer):
            await connection.flush(timeout=1)
        server.kill()
        await connection.publish("ipcraft.unsent", b"")
        await Broker(configuration(server))._drop(connection)
        assert connection.ended.done()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            _, left = await asyncio.wait(left, timeout=1)
        return left

    assert asyncio.run(lose()) == set()


def test_a_broker_that_is_closed_leaves_nothing_waiting(server: NatsServer) -> None:
    """What is still in its loop then is cancelled, and whoever waits for it is told."""
    broker = Broker(configuration(server))
    waiting = broker._call(asyncio.Event().wait())
    broker.close()
    assert waiting.cancelled()


def configuration(server: NatsServer) -> Configuration:
    """Give the settings for a server that lets everybody in."""
    return Configuration(
        servers=(server.url,),
        user=None,
        password=None,
        token=None,
        tls=ssl.create_default_context(),
        stream="IPCRAFT",
        create_stream=True,
        subject="ipcraft",
        timeout=5.0,
    )
