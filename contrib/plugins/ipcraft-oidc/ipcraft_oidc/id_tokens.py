"""ID tokens: what the issuer signs about who signed in, and all that must be right with it.

Source: https://openid.net/specs/openid-connect-core-1_0.html, section 3.1.3.7
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ipcraft_oidc.attempts import same

if TYPE_CHECKING:
    from joserfc.jwk import KeySet
    from joserfc.jws import JWSRegistry

Claims = Mapping[str, Any]

Keys = Callable[["KeySet | None"], "KeySet"]
"""Give the issuer's keys; newer ones than those given, where it has some."""

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519"),
)
"""How the issuer may sign: only by what we cannot sign with ourselves, and never not at all."""

_LONGEST_HEADER = 8192
_LONGEST_SUBJECT = 255


class Untrusted(Exception):
    """Say what is wrong with a token; never what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Hold what a token must say. Times are in seconds."""

    issuer: str
    client_id: str
    nonce: str
    now: int
    clock_skew: int


def verify(token: object, keys: Keys, expected: Expected) -> Claims:
    """Give the claims of a token, all of which is as it must be. Raises `Untrusted`.

    A key that is not known yet is asked for once: the issuer may have begun to use it.
    """
    if not isinstance(token, str):
        raise Untrusted("there is none")
    claims = _signed(token, keys)
    _check(claims, expected)
    return claims


def _signed(token: str, keys: Keys) -> dict[str, Any]:
    # Heavy, and not needed before somebody signs in.
    from joserfc import jwt
    from joserfc.errors import InvalidKeyIdError, JoseError

    known = keys(None)
    registry = _registry()
    try:
        try:
            return jwt.decode(token, known, registry=registry).claims
        except InvalidKeyIdError:
            return jwt.decode(token, keys(known), registry=registry).claims
    except (JoseError, ValueError, RecursionError) as error:
        raise Untrusted(f"its signature or form ({type(error).__name__})") from None


def _registry() -> JWSRegistry:
    from joserfc.jws import JWSRegistry

    # Issuers put certificates into headers, and words of their own, which mean nothing to us.
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    registry.max_header_length = _LONGEST_HEADER
    return registry


def _check(claims: dict[str, Any], expected: Expected) -> None:
    from joserfc.errors import ClaimError
    from joserfc.jwt import JWTClaimsRegistry

    rules = JWTClaimsRegistry(
        now=expected.now,
        leeway=expected.clock_skew,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        rules.validate(claims)
    except ClaimError as error:
        raise Untrusted(f"its claims ({type(error).__name__}: {error.claim})") from None
    if not _is_subject(claims["sub"]):
        raise Untrusted("its subject")
    if not _is_for_us(claims, expected.client_id):
        raise Untrusted("the party it was issued to")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not same(nonce, expected.nonce):
        raise Untrusted("its nonce")


def _is_subject(subject: str) -> bool:
    return 0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()


def _is_for_us(claims: Claims, client_id: str) -> bool:
    """Tell whether it was issued to us, of all whom it is meant for."""
    audience = claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    return bool(claims.get("azp", None if several else client_id) == client_id)
