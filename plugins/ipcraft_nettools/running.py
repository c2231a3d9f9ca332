"""Running tools: one way for HTTP and the command line, with every bound there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

import orjson
from marshmallow import ValidationError

from ipcraft.plugin import (
    Application,
    BadGateway,
    Deadline,
    Invalid,
    Refused,
    Unavailable,
    Unreachable,
    refusal_of,
)
from ipcraft_nettools.answer_memory import AnswerMemory, Remembered
from ipcraft_nettools.calls import Asker, Call
from ipcraft_nettools.parameters import HostOrAddress
from ipcraft_nettools.tools import NetworkTool

LARGEST_ANSWER = 512 * 1024
"""Bytes of an answer as it is sent; what a tool keeps of others may be less by far."""


class Runner:
    """Run tools, so many at once; for use by many threads."""

    __slots__ = ("_memory", "_outbound", "_places")

    def __init__(self, app: Application, *, concurrency: int) -> None:
        self._outbound = app.outbound
        self._memory = AnswerMemory(clock=app.clock)
        self._places = BoundedSemaphore(concurrency)

    def run(self, tool: NetworkTool, texts: Mapping[str, Any], asker: Asker | None) -> Remembered:
        """Run a tool with parameters as they were given, and give its answer as JSON.

        Raises `Invalid` for what cannot be meant or must not be reached, `BadGateway` when
        others do not answer, `Unavailable` when too many tools run already.
        """
        return self.answer(tool, _read(tool, texts), asker)

    def answer(
        self, tool: NetworkTool, values: Mapping[str, Any], asker: Asker | None
    ) -> Remembered:
        """Run a tool with parameters that its schema has read. Raises likewise."""
        if tool.about_request:
            return Remembered(self._answer(tool, values, asker)[0])
        key = orjson.dumps([tool.name, values], option=orjson.OPT_SORT_KEYS)
        known = self._memory.get(key)
        if known is not None:
            return known
        with self._place():
            data, ttl = self._answer(tool, values, asker)
        return self._memory.put(key, data, ttl=ttl)

    def _answer(
        self, tool: NetworkTool, values: Mapping[str, Any], asker: Asker | None
    ) -> tuple[bytes, float | None]:
        call = Call(self._outbound, deadline=Deadline(tool.deadline), asker=asker)
        try:
            finding = tool.run(values, call)
        except Refused as error:
            raise _refused(tool, error) from error
        except Unreachable as error:
            raise BadGateway(f"There is no answer: {error.reason}") from error
        data = orjson.dumps(finding.body)
        if len(data) > LARGEST_ANSWER:
            raise BadGateway("There is more to answer than is sent")
        return data, finding.ttl

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Hold one of the places. Nobody waits for one: that would take a thread, too."""
        if not self._places.acquire(blocking=False):
            raise Unavailable(
                "Too many tools are running; try again in a moment", code="too_many_tools"
            )
        try:
            yield
        finally:
            self._places.release()


def _read(tool: NetworkTool, texts: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        values: Mapping[str, Any] = tool.parameters().load(dict(texts))
    except ValidationError as error:
        raise refusal_of(error) from error
    return values


def _refused(tool: NetworkTool, error: Refused) -> Invalid:
    """Blame the one parameter that names a host, if it is one."""
    named = [
        name for name, field in tool.parameters().fields.items() if isinstance(field, HostOrAddress)
    ]
    fields = {named[0]: [error.reason]} if len(named) == 1 else None
    return Invalid(error.reason, code="target_refused", fields=fields)
