"""The issuer: where its endpoints are, and by which keys it signs.

Source: https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ipcraft_oidc.memory import Memory
from ipcraft_oidc.questions import Deadline, NoAnswer, Question, ask
from ipcraft_oidc.schemas import is_safe

if TYPE_CHECKING:
    from joserfc.jwk import Key, KeySet

_DISCOVERY = "/.well-known/openid-configuration"
_KEY_TYPES = ("RSA", "EC", "OKP")
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Hold what the discovery document says, as far as we need it."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    authentication: tuple[str, ...]
    """How clients may prove who they are at the token endpoint."""
    names_itself: bool
    """Whether the way back always says from which issuer it comes (RFC 9207)."""


class Issuer:
    """Ask the issuer what it says of itself. Every question raises `NoAnswer`."""

    def __init__(self, url: str, *, clock: Callable[[], float]) -> None:
        self.url = url
        self._metadata = Memory(self._discover, clock=clock)
        self._keys = Memory(self._read_keys, clock=clock)

    def metadata(self, deadline: Deadline) -> Metadata:
        """Give what the discovery document says."""
        return self._metadata.get(deadline)

    def keys(self, deadline: Deadline, *, better_than: KeySet | None = None) -> KeySet:
        """Give the keys it signs by, asking anew where nothing newer is known than given ones."""
        return self._keys.get(deadline, better_than=better_than)

    def check(self) -> str | None:
        """Say why nobody can sign in now, or None."""
        try:
            self.metadata(Deadline())
        except NoAnswer as error:
            return f"the issuer {self.url} cannot be asked: {error}"
        return None

    def _discover(self, deadline: Deadline) -> Metadata:
        document = _answered(self.url.rstrip("/") + _DISCOVERY, deadline)
        if document.get("issuer") != self.url:
            raise NoAnswer("its discovery document is another issuer's")
        userinfo = document.get("userinfo_endpoint") is not None
        return Metadata(
            authorization_endpoint=_endpoint(document, "authorization_endpoint"),
            token_endpoint=_endpoint(document, "token_endpoint"),
            jwks_uri=_endpoint(document, "jwks_uri"),
            userinfo_endpoint=_endpoint(document, "userinfo_endpoint") if userinfo else None,
            authentication=tuple(
                _listed(document, "token_endpoint_auth_methods_supported")
                or ["client_secret_basic"]
            ),
            names_itself=(document.get("authorization_response_iss_parameter_supported") is True),
        )

    def _read_keys(self, deadline: Deadline) -> KeySet:
        from joserfc.jwk import KeySet

        document = _answered(self.metadata(deadline).jwks_uri, deadline)
        return KeySet(list(_public_keys(_listed(document, "keys"))))


def _answered(url: str, deadline: Deadline) -> Mapping[str, Any]:
    answer = ask(Question(url=url), deadline)
    if answer.status != _OK:
        raise NoAnswer(f"it answered {answer.status} to the question for {url}")
    return answer.body


def _endpoint(document: Mapping[str, Any], name: str) -> str:
    url = document.get(name)
    if not isinstance(url, str) or not is_safe(url):
        raise NoAnswer(f"its discovery document has no https:// URL as {name}")
    return url


def _listed(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    return value if isinstance(value, list) else []


def _public_keys(documents: list[Any]) -> Iterator[Key]:
    """Give the keys that can be used. A key of a kind that nobody here knows is passed over.

    APPSEC: so is a symmetric one. What everybody can read, everybody could sign with.
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    for document in documents:
        if not isinstance(document, dict) or document.get("kty") not in _KEY_TYPES:
            continue
        try:
            yield import_key(document)
        except (JoseError, LookupError, TypeError, ValueError):
            continue
