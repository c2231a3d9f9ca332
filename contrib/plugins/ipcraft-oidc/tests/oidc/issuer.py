"""An OpenID Connect issuer, as the standards want it, which tests can make lie, stall or rotate.

It serves discovery, authorization, tokens, user info and keys by HTTP on a loopback port. It is
strict: a client that does not prove itself, a code used twice, another redirect URI, a missing or
wrong PKCE verifier are refused. What it signs goes through `altered` and `signed` first.

Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 6749, RFC 7636, RFC 9207.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import serialize_compact

CLIENT_ID = "ipcraft at Acme"
SECRET = "canary-client-secret/+%:&="
ALGORITHMS = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}

_DRIP = 0.2
_POLL = 0.02


def new_key(kind: str = "RSA") -> Key:
    """Make a key with an id."""
    if kind == "EC":
        key: Key = ECKey.generate_key("P-256")
    elif kind == "OKP":
        key = OKPKey.generate_key("Ed25519")
    else:
        key = RSAKey.generate_key(2048)
    key.ensure_kid()
    return key


@dataclass(slots=True)
class Grant:
    """Hold what a code stands for."""

    claims: dict[str, Any]
    redirect_uri: str
    nonce: str | None
    challenge: str


@dataclass(slots=True)
class Issuer:
    """Be an issuer with one client and one person, who is signed in there already.

    >>> with Issuer(clock=clock, redirect_uri=URL + "/callback", key=key) as issuer:
    ...     settings = {"issuer": issuer.url, "client_id": CLIENT_ID, "client_secret": SECRET}
    """

    clock: Callable[[], float]
    redirect_uri: str
    key: Key
    port: int | None = None
    """The port people know, where something stands in front of us."""
    secret: str | None = SECRET
    person: dict[str, Any] = field(
        default_factory=lambda: {
            "sub": "ada-0001",
            "email": "ada@example.com",
            "email_verified": True,
            "name": "Ada Lovelace",
            "groups": ["staff", "ipam-editors"],
        }
    )
    in_id_token: tuple[str, ...] = ("email", "email_verified", "name", "groups")
    document: dict[str, Any] = field(default_factory=dict)
    """What the discovery document says otherwise."""
    published: list[Key] | None = None
    """The keys that are published, where those are not the one that signs."""
    algorithm: str | None = None
    altered: Callable[[dict[str, Any]], dict[str, Any]] = field(default=lambda claims: claims)
    """What becomes of an ID token's claims before they are signed."""
    signed: Callable[[dict[str, Any]], str] | None = None
    """How an ID token is signed."""
    userinfo: dict[str, Any] | None = None
    """What the user info says otherwise."""
    failing: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Status and text that a path answers instead."""
    dripping: set[str] = field(default_factory=set)
    """Paths that answer a byte at a time, and never end."""
    asked: list[str] = field(default_factory=list)
    """The paths of all requests."""
    given: list[str] = field(default_factory=list)
    """Every code and token that was given out."""
    _grants: dict[str, Grant] = field(default_factory=dict)
    _access: dict[str, dict[str, Any]] = field(default_factory=dict)
    _ending: Event = field(default_factory=Event)
    _server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        issuer = self

        class Handler(_Handler):
            """Answer for this issuer."""

            of = issuer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        serve = partial(self._server.serve_forever, poll_interval=_POLL)
        Thread(target=serve, name="issuer", daemon=True).start()

    @property
    def own_port(self) -> int:
        """Give the port we listen on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Give the issuer's name, which is where it is found."""
        return f"http://127.0.0.1:{self.port or self.own_port}"

    def count(self, path: str) -> int:
        """Count the requests of a path."""
        return self.asked.count(path)

    def rotate(self, key: Key) -> None:
        """Sign by another key from now on, and publish that alone."""
        self.key = key

    def close(self) -> None:
        """Stop, and let go of whoever still waits for an answer."""
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def pause(self) -> bool:
        """Wait a moment between two bytes; tell whether it is the end."""
        return self._ending.wait(_DRIP)

    def discovery(self) -> dict[str, Any]:
        """Give the discovery document."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS.values()),
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }

    def key_set(self) -> dict[str, Any]:
        """Give the public keys."""
        keys = [self.key] if self.published is None else self.published
        return {"keys": [{**key.as_dict(private=False), "use": "sig"} for key in keys]}

    def authorize(self, query: dict[str, str]) -> str:
        """Give the URL to go back to, with a code. Raises `Refusal` for a bad request."""
        if query.get("client_id") != CLIENT_ID or query.get("redirect_uri") != self.redirect_uri:
            raise Refusal(400, "invalid_request")
        challenge = query.get("code_challenge", "")
        if query.get("code_challenge_method") != "S256" or len(challenge) != 43:
            raise Refusal(400, "invalid_request")
        if query.get("response_type") != "code" or "openid" not in query["scope"].split():
            raise Refusal(400, "invalid_request")
        code = self._new("code")
        self._grants[code] = Grant(
            dict(self.person), self.redirect_uri, query.get("nonce"), challenge
        )
        back = {"code": code, "state": query["state"], "iss": self.url}
        return f"{self.redirect_uri}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str | None) -> dict[str, Any]:
        """Give the tokens for a code. Raises `Refusal`."""
        self._authenticate(form, authorization)
        grant = self._grants.pop(form.get("code", ""), None)
        if grant is None or form.get("redirect_uri") != grant.redirect_uri:
            raise Refusal(400, "invalid_grant")
        if form.get("grant_type") != "authorization_code":
            raise Refusal(400, "unsupported_grant_type")
        if challenge_of(form.get("code_verifier", "")) != grant.challenge:
            raise Refusal(400, "invalid_grant")
        access_token = self._new("access")
        self._access[access_token] = grant.claims
        id_token = self._id_token(grant)
        self.given.append(id_token)
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": id_token,
        }

    def info(self, authorization: str | None) -> dict[str, Any]:
        """Give the claims that an access token opens. Raises `Refusal`."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme != "Bearer" or token not in self._access:
            raise Refusal(401, "invalid_token")
        return self._access[token] if self.userinfo is None else self.userinfo

    def sign(self, claims: dict[str, Any]) -> str:
        """Sign claims as an ID token."""
        algorithm = self.algorithm or ALGORITHMS[self.key.key_type]
        header = {"alg": algorithm, "kid": self.key.kid}
        return serialize_compact(header, json.dumps(claims), self.key, algorithms=[algorithm])

    def _id_token(self, grant: Grant) -> str:
        now = int(self.clock())
        claims = {
            "iss": self.url,
            "sub": grant.claims["sub"],
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            **({"nonce": grant.nonce} if grant.nonce else {}),
            **{name: grant.claims[name] for name in self.in_id_token if name in grant.claims},
        }
        return (self.signed or self.sign)(self.altered(claims))

    def _authenticate(self, form: dict[str, str], authorization: str | None) -> None:
        methods = self.discovery()["token_endpoint_auth_methods_supported"]
        came: tuple[str | None, str | None] = (form.get("client_id"), form.get("client_secret"))
        if "client_secret_basic" in methods and authorization is not None:
            scheme, _, pair = authorization.partition(" ")
            name, _, password = b64decode(pair).decode().partition(":")
            came = (unquote_plus(name), unquote_plus(password))
            if scheme != "Basic" or "client_secret" in form:
                raise Refusal(401, "invalid_client")
        if came != (CLIENT_ID, self.secret):
            raise Refusal(401, "invalid_client")

    def _new(self, kind: str) -> str:
        text = f"canary-{kind}-{secrets.token_urlsafe()}"
        self.given.append(text)
        return text


class Refusal(Exception):
    """Refuse a request as the issuer does."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


def challenge_of(verifier: str) -> str:
    """Give the PKCE challenge of a verifier (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class _Handler(BaseHTTPRequestHandler):
    of: Issuer

    def do_GET(self) -> None:
        """Answer discovery, authorization, user info and keys."""
        self._serve({})

    def do_POST(self) -> None:
        """Answer the token endpoint."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._serve(_single(body))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self, form: dict[str, str]) -> None:
        parts = urlsplit(self.path)
        self.of.asked.append(parts.path)
        if parts.path in self.of.dripping:
            self._drip()
        elif parts.path in self.of.failing:
            status, text = self.of.failing[parts.path]
            self._answer(status, text.encode())
        else:
            self._answer_well(parts.path, _single(parts.query), form)

    def _answer_well(self, path: str, query: dict[str, str], form: dict[str, str]) -> None:
        authorization = self.headers.get("Authorization")
        try:
            if path == "/.well-known/openid-configuration":
                self._json(200, self.of.discovery())
            elif path == "/keys":
                self._json(200, self.of.key_set())
            elif path == "/authorize":
                self._answer(303, b"", location=self.of.authorize(query))
            elif path == "/token" and self.command == "POST":
                self._json(200, self.of.token(form, authorization))
            elif path == "/userinfo":
                self._json(200, self.of.info(authorization))
            else:
                self._json(404, {"error": "not_found"})
        except Refusal as refusal:
            self._json(refusal.status, {"error": refusal.error})

    def _json(self, status: int, value: dict[str, Any]) -> None:
        self._answer(status, json.dumps(value).encode())

    def _answer(self, status: int, body: bytes, *, location: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if location is not None or 300 <= status < 400:
            self.send_header("Location", location or f"{self.of.url}/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not self.of.pause():
                self.wfile.write(b" ")
        except OSError:
            self.close_connection = True


def _single(text: str) -> dict[str, str]:
    """Read a query or form in which nothing is given twice. Raises `Refusal`."""
    values = parse_qs(text, keep_blank_values=True)
    if any(len(each) > 1 for each in values.values()):
        raise Refusal(400, "invalid_request")
    return {name: each[0] for name, each in values.items()}
