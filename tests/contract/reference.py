"""The examples of the API reference, read out of its text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .answers import is_id, is_time

TEXT = Path(__file__).with_name("api-reference.txt").read_text(encoding="utf-8")

_ENDPOINT = re.compile(r"^(?:GET|POST|PATCH|DELETE) /api/v1/\S+$", re.MULTILINE)
_LABEL = re.compile(r"^(Request body|Response(?: \([^)]*\))?)\n", re.MULTILINE)
_SAMPLE_ID = re.compile(r"(usr|org|sec|sub|addr|wh|del|key|act)_[a-z0-9]+")
_NEVER_YET = frozenset({"last_used_at"})
"""Keys whose sample has a value that a new resource has not got yet."""


@dataclass(frozen=True, slots=True)
class Example:
    """Hold what the reference prints for one endpoint."""

    request: Any
    """The sample of the request body, or None."""
    responses: tuple[Any, ...]
    """The samples of the answer, in their order."""
    no_content: bool
    """Whether the answer is documented as 204."""

    @property
    def response(self) -> Any:
        """Give the only sample of the answer."""
        (sample,) = self.responses
        return sample


def read_examples(text: str) -> dict[str, Example]:
    """Read the examples by endpoint: ``POST /api/v1/sections``; a query string is left out."""
    heads = list(_ENDPOINT.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {
        head.group().partition("?")[0]: _example(text[head.end() : end])
        for head, end in zip(heads, ends, strict=True)
    }


def _example(text: str) -> Example:
    request: Any = None
    responses: list[Any] = []
    no_content = False
    for label in _LABEL.finditer(text):
        rest = text[label.end() :].lstrip()
        if rest.startswith(("{", "[")):
            sample, _ = json.JSONDecoder().raw_decode(rest)
            if label.group(1) == "Request body":
                request = sample
            else:
                responses.append(sample)
        elif rest.startswith("204 No Content"):
            no_content = True
    return Example(request, tuple(responses), no_content)


EXAMPLES = read_examples(TEXT)


def differences(sample: Any, real: Any, *, at: str = "answer") -> list[str]:
    """List where a real answer has not what the sample shows: keys, JSON types, id prefixes, times.

    Keys beside the documented ones are allowed. Each item of a list is held against the
    sample's first. A sample's null stands for an optional text.
    """
    if isinstance(sample, dict):
        return _object_differences(sample, real, at=at)
    if isinstance(sample, list):
        if not isinstance(real, list) or not real:
            return [f"{at}: expected a list with items, got {real!r}"]
        return [d for n, r in enumerate(real) for d in differences(sample[0], r, at=f"{at}[{n}]")]
    return (
        [] if _same_kind(sample, real) else [f"{at}: expected the like of {sample!r}, got {real!r}"]
    )


def _object_differences(sample: dict[str, Any], real: Any, *, at: str) -> list[str]:
    if not isinstance(real, dict):
        return [f"{at}: expected an object, got {real!r}"]
    missing = [f"{at}.{key}: missing" for key in sample if key not in real]
    known = [key for key in sample if key in real and not (key in _NEVER_YET and real[key] is None)]
    return missing + [
        d for key in known for d in differences(sample[key], real[key], at=f"{at}.{key}")
    ]


def _same_kind(sample: Any, real: Any) -> bool:
    if sample is None:
        return real is None or isinstance(real, str)
    if isinstance(sample, bool) or isinstance(real, bool):
        return type(sample) is type(real)
    if isinstance(sample, float):
        return isinstance(real, int | float)
    if isinstance(sample, str) and (prefix := _SAMPLE_ID.fullmatch(sample)):
        return is_id(real, prefix.group(1))
    if is_time(sample):
        return is_time(real)
    return type(sample) is type(real)
