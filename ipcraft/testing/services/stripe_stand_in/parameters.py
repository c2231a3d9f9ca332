"""Parameters: what each endpoint takes, what it needs, and what a value may be.

Only what the stand-in acts upon is taken. Whoever sends more has to teach it that first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ipcraft.testing.services.stripe_stand_in.refusals import bad, missing, unknown

_URL = re.compile(r"https?://[^\s/]+(/\S*)?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LONGEST_TEXT = 5_000
_MOST_METADATA = 50
_LONGEST_METADATA_NAME = 40
_LONGEST_METADATA = 500

Check = Callable[[str, Any], Any]
"""Give the value of a parameter of this name as the endpoint uses it, or refuse it."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Say what a parameter may be."""

    check: Check
    required: bool = False


def read(form: Mapping[str, Any], known: Mapping[str, Parameter], *, within: str = "") -> Any:
    """Give the values of a form as the endpoint uses them. Raises `Refusal`."""
    for name in form:
        if name not in known:
            raise unknown(_inside(within, name))
    for name, parameter in known.items():
        if parameter.required and form.get(name, "") == "":
            raise missing(_inside(within, name))
    return {name: known[name].check(_inside(within, name), value) for name, value in form.items()}


def _inside(within: str, name: str) -> str:
    return f"{within}[{name}]" if within else name


def text(name: str, value: Any) -> str:
    """Take a text."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise bad(name, f"Invalid string: {name}")
    return value


def url(name: str, value: Any) -> str:
    """Take a URL."""
    if not _URL.fullmatch(text(name, value)):
        raise bad(name, "Not a valid URL")
    return str(value)


def email(name: str, value: Any) -> str:
    """Take an email address."""
    if not _EMAIL.fullmatch(text(name, value)):
        raise bad(name, f"Invalid email address: {value}")
    return str(value)


def boolean(name: str, value: Any) -> bool:
    """Take true or false."""
    if value not in ("true", "false"):
        raise bad(name, f"Invalid boolean: {value}")
    return bool(value == "true")


def count(least: int, most: int) -> Check:
    """Take a number in this range."""

    def check(name: str, value: Any) -> int:
        if not re.fullmatch("[0-9]{1,9}", text(name, value)) or not least <= int(value) <= most:
            raise bad(name, f"Invalid integer: {value}")
        return int(value)

    return check


def one_of(*values: str) -> Check:
    """Take one of these words."""

    def check(name: str, value: Any) -> str:
        if text(name, value) not in values:
            raise bad(name, f"Invalid {name}: must be one of {', '.join(values)}")
        return str(value)

    return check


def metadata(name: str, value: Any) -> dict[str, str]:
    """Take names with texts."""
    if not isinstance(value, dict) or len(value) > _MOST_METADATA:
        raise bad(name, f"Invalid hash: {name}")
    for key, each in value.items():
        if len(key) > _LONGEST_METADATA_NAME or len(text(name, each)) > _LONGEST_METADATA:
            raise bad(f"{name}[{key}]", "Metadata is too long")
    return dict(value)


def expand(*fields: str) -> Check:
    """Take the names of fields that can be expanded."""

    def check(name: str, value: Any) -> list[str]:
        if not isinstance(value, list):
            raise bad(name, f"Invalid array: {name}")
        for each in value:
            if each not in fields:
                raise bad(name, f"This property cannot be expanded ({each}).")
        return value

    return check


def object_of(known: Mapping[str, Parameter]) -> Check:
    """Take an object with these parameters."""

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, dict):
            raise bad(name, f"Invalid object: {name}")
        return read(value, known, within=name)

    return check


def list_of(known: Mapping[str, Parameter]) -> Check:
    """Take a list of objects with these parameters."""

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, list) or not value:
            raise bad(name, f"Invalid array: {name}")
        return [object_of(known)(f"{name}[{index}]", each) for index, each in enumerate(value)]

    return check


_LINE = {
    "price": Parameter(text, required=True),
    "quantity": Parameter(count(1, 999_999), required=True),
}
_CUSTOMER = {
    "name": Parameter(text),
    "email": Parameter(email),
    "description": Parameter(text),
    "metadata": Parameter(metadata),
}
NOTHING: Mapping[str, Parameter] = {}
CUSTOMER: Mapping[str, Parameter] = _CUSTOMER
CUSTOMER_RETRIEVAL = {"expand": Parameter(expand("subscriptions"))}
SESSION = {
    "mode": Parameter(one_of("payment", "setup", "subscription"), required=True),
    "customer": Parameter(text),
    "client_reference_id": Parameter(text),
    "success_url": Parameter(url, required=True),
    "cancel_url": Parameter(url),
    "line_items": Parameter(list_of(_LINE), required=True),
    "metadata": Parameter(metadata),
    "subscription_data": Parameter(
        object_of({"metadata": Parameter(metadata), "description": Parameter(text)})
    ),
    "allow_promotion_codes": Parameter(boolean),
    "billing_address_collection": Parameter(one_of("auto", "required")),
}
PORTAL = {
    "customer": Parameter(text, required=True),
    "return_url": Parameter(url),
    "configuration": Parameter(text),
}
SUBSCRIPTIONS = {
    "customer": Parameter(text),
    "status": Parameter(
        one_of(
            *("active", "all", "canceled", "ended", "incomplete", "incomplete_expired"),
            *("past_due", "paused", "trialing", "unpaid"),
        )
    ),
    "limit": Parameter(count(1, 100)),
    "starting_after": Parameter(text),
}
SUBSCRIPTION = {
    "cancel_at_period_end": Parameter(boolean),
    "metadata": Parameter(metadata),
}
CANCELLATION = {"invoice_now": Parameter(boolean), "prorate": Parameter(boolean)}
EVENTS = {
    "type": Parameter(text),
    "limit": Parameter(count(1, 100)),
    "starting_after": Parameter(text),
}
