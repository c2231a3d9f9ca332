"""The provider: whoever wants a plan is sent to the operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from ipcraft.plugin import Application, Identity


class Contact:
    """Be the billing provider `invoice`."""

    name = "invoice"

    def __init__(self, app: Application) -> None:
        section: Mapping[str, Any] = app.section("invoice")
        self._url: str = section["contact_url"]
        self._plans = tuple(section["prices"])

    @property
    def plans(self) -> Sequence[str]:
        """Give the plans that have a price."""
        return self._plans

    def checkout(self, identity: Identity, plan: str) -> str:
        """Give the operator's page, told who wants what."""
        return self._asking({"plan": plan, "organization": identity.organization_id})

    def portal(self, identity: Identity) -> str:
        """Give the operator's page, told who asks."""
        return self._asking({"organization": identity.organization_id})

    def _asking(self, question: Mapping[str, str]) -> str:
        parts = urlsplit(self._url)
        if parts.scheme == "mailto":
            # A mail has a subject and no other query that programs agree about (RFC 6068).
            subject = " ".join(f"{name}={value}" for name, value in question.items())
            question = {"subject": subject}
        query = "&".join(filter(None, [parts.query, urlencode(question).replace("+", "%20")]))
        return urlunsplit(parts._replace(query=query))
