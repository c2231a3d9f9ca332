"""Errors that domain code raises and that no transport has to know.

::

    IPCraftError
    |-- StartError            something is wrong before the first request
    |   |-- ConfigError       ipcraft.toml or an IPCRAFT_* variable        (ipcraft.config)
    |   `-- PluginError       a plugin, named with distribution and line  (ipcraft.loading)
    |-- Hopeless              a job need not be tried again
    |-- OutboundError         another server is not reached  (ipcraft.outbound.failures)
    `-- RequestError          the request cannot be served; carries `code` and `fields`
        |-- Invalid           the input breaks a rule
        |-- Unauthenticated   no credentials, or bad ones
        |-- LimitReached      the plan allows no more
        |-- Forbidden         the role is too low
        |-- NotFound          no such resource in this organization
        |-- Conflict          what is there already does not allow it
        |-- RateLimited       too many requests in too short a time
        |-- BadGateway        a server that was asked for the request does not do as it should
        |-- Unavailable       a part we depend on is down; trying again may help
        `-- Contention        the same rows were changed by others again and again

`ipcraft.http.errors` turns each RequestError into the API's answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class IPCraftError(Exception):
    """Be the root of every error IPCraft raises on purpose."""


class StartError(IPCraftError):
    """Stop the start: the message says what to mend and where."""


class Hopeless(IPCraftError):
    """Give a job up: the message says why trying it again would be in vain."""


class RequestError(IPCraftError):
    """Refuse one request with a sentence a person can act on.

    `code` is the stable snake_case word clients may match on; `fields` maps an input
    field to its complaints, e.g. ``{"network": ["..."]}``.
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields
        if code is not None:
            self.code = code


class Invalid(RequestError):
    """Refuse input that breaks a rule."""

    code = "invalid"

    @classmethod
    def field(cls, name: str, message: str, *, code: str | None = None) -> Invalid:
        """Build the refusal of one field: the sentence is also the field's complaint."""
        return cls(message, code=code, fields={name: [message]})


class Unauthenticated(RequestError):
    """Refuse a request without valid credentials."""

    code = "unauthenticated"


class LimitReached(RequestError):
    """Refuse what the organization's plan does not include."""

    code = "plan_limit"


class Forbidden(RequestError):
    """Refuse an action the identity's role does not allow."""

    code = "forbidden"


class NotFound(RequestError):
    """Say that the organization has no such resource."""

    code = "not_found"


class Conflict(RequestError):
    """Refuse a write that what is there already does not allow."""

    code = "conflict"

    def __init__(
        self,
        message: str = "this conflicts with what is there already: "
        "something must be unique, or is still in use",
        *,
        code: str | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(message, code=code, fields=fields)


class RateLimited(RequestError):
    """Refuse a request that comes too soon after too many others."""

    code = "rate_limited"


class BadGateway(RequestError):
    """Say that a server which had to be asked for the request does not do as it should."""

    code = "bad_gateway"


class Unavailable(RequestError):
    """Say that a part we depend on cannot be used now."""

    code = "unavailable"


class Contention(Unavailable):
    """Give up a transaction that others overtook on every try."""

    code = "contention"
