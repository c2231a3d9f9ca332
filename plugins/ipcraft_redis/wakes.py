"""Wakes: telling the workers that something waits in the database.

They may be lost: whoever is told would find it by itself within a second. So nobody waits for them
to be sent, and nothing is done when they cannot be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue

import structlog
from redis import Redis, RedisError

from ipcraft_redis.connection import connect

TOGETHER = 0.02
"""Seconds in which wakes of one name are sent once."""

_TIMEOUT = 2.0
_AFTER_LOSS = 1.0

_log = structlog.get_logger("ipcraft_redis")


class Wakes:
    """Send the names of drains over a channel, from a thread started at the first one."""

    def __init__(self, url: str, *, channel: str) -> None:
        self._url = url
        self._channel = channel
        self._names: SimpleQueue[str | None] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def send(self, name: str) -> None:
        """Have the name sent soon."""
        self._names.put(name)
        # A thread does not outlive a fork: is_alive() is False in the child.
        if self._thread is None or not self._thread.is_alive():
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="wakes", daemon=True)
                    self._thread.start()

    def close(self) -> None:
        """Send what is left and end the thread."""
        if self._thread is not None:
            self._names.put(None)
            self._thread.join(_TIMEOUT)

    @contextmanager
    def heard(self, wake: Callable[[str], object]) -> Iterator[None]:
        """Call `wake` with every name that anybody sends, from a thread of its own."""
        ended = threading.Event()
        thread = threading.Thread(target=self._listen, args=(wake, ended), name="wakes-heard")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _run(self) -> None:
        pause = threading.Event()
        with connect(self._url, timeout=_TIMEOUT) as connection:
            going_on = True
            while going_on:
                names = self._take()
                going_on = None not in names
                self._publish(connection, names - {None})
                pause.wait(TOGETHER)

    def _take(self) -> set[str | None]:
        """Wait for a name, and give it with those that came meanwhile."""
        names = {self._names.get()}
        while True:
            try:
                names.add(self._names.get_nowait())
            except Empty:
                return names

    def _publish(self, connection: Redis, names: set[str | None]) -> None:
        for name in names:
            try:
                connection.publish(self._channel, name or "")
            except RedisError as error:
                _log.debug("workers are not woken", drain=name, reason=str(error))

    def _listen(self, wake: Callable[[str], object], ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                self._hear(wake, ended)
            except RedisError as error:
                _log.debug("wakes cannot be heard", reason=str(error))
                ended.wait(_AFTER_LOSS)

    def _hear(self, wake: Callable[[str], object], ended: threading.Event) -> None:
        with (
            connect(self._url, timeout=_TIMEOUT) as connection,
            connection.pubsub(ignore_subscribe_messages=True) as channel,
        ):
            channel.subscribe(self._channel)
            while not ended.is_set():
                message = channel.get_message(timeout=_AFTER_LOSS)
                if message is not None:
                    wake(message["data"].decode())
