"""What a client raises.

::

    IPCraftError
    `-- ClientError
        |-- RequestRefused           the server answered that it will not
        `-- Unreachable       there was no whole answer, however often it was asked for
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ipcraft.errors import IPCraftError


class ClientError(IPCraftError):
    """Be the root of what a client raises."""


class RequestRefused(ClientError):
    """Say how the server refused a request.

    `message` is its sentence, `status` and `code` are as in the reference of errors, `fields` says
    what is wrong with each field, `request_id` finds the request in the server's log.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str,
        status: int,
        code: str | None = None,
        fields: Mapping[str, Sequence[str]] = MappingProxyType({}),
        request_id: str | None = None,
    ) -> None:
        super().__init__(f"{url} answered {status}: {message}")
        self.message = message
        self.status = status
        self.code = code
        self.fields = fields
        self.request_id = request_id


class Unreachable(ClientError):
    """Say that nobody answers, or nobody who speaks as an IPCraft does.

    Whether a request was done is not known, unless it is sent again with its key.
    """
