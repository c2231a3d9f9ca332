"""The client: what we are to the issuer.

Sources: https://openid.net/specs/openid-connect-core-1_0.html, section 3.1, RFC 6749, RFC 7636
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

from ipcraft_oidc.attempts import Secrets
from ipcraft_oidc.configuration import Configuration
from ipcraft_oidc.id_tokens import Claims, Expected, Untrusted, verify
from ipcraft_oidc.issuer import Issuer, Metadata
from ipcraft_oidc.questions import Answer, Deadline, NoAnswer, Question, ask

_BASIC = "client_secret_basic"
_POST = "client_secret_post"
_OK = 200
_REFUSALS = (400, 401, 403)


class Client:
    """Send people to the issuer, and learn from it who came back."""

    def __init__(self, configuration: Configuration, *, clock: Callable[[], float]) -> None:
        self.configuration = configuration
        self.issuer = Issuer(configuration.issuer, clock=clock)
        self._clock = clock

    def authorization_url(self, secrets: Secrets, deadline: Deadline) -> str:
        """Give the URL at which the issuer asks a person who they are. Raises `NoAnswer`."""
        endpoint = self.issuer.metadata(deadline).authorization_endpoint
        query = {
            "response_type": "code",
            "client_id": self.configuration.client_id,
            "redirect_uri": self.configuration.redirect_uri,
            "scope": " ".join(self.configuration.scopes),
            "state": secrets.state,
            "nonce": secrets.nonce,
            "code_challenge": secrets.challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def refuse_other_issuer(self, named: str | None, deadline: Deadline) -> None:
        """Raise `Untrusted` when the way back is another issuer's (RFC 9207), or `NoAnswer`."""
        required = self.issuer.metadata(deadline).names_itself
        if named != self.configuration.issuer and (required or named is not None):
            raise Untrusted("the issuer it comes from")

    def claims(self, code: str, secrets: Secrets, deadline: Deadline) -> Claims:
        """Give what the issuer claims of the person for whom it made the code.

        What the ID token does not tell is asked for with its access token. Raises `Untrusted`
        when the issuer does not take the code, or a token is not as it must be, and `NoAnswer`.
        """
        metadata = self.issuer.metadata(deadline)
        tokens = self._redeem(metadata, code, secrets, deadline)
        expected = Expected(
            issuer=self.configuration.issuer,
            client_id=self.configuration.client_id,
            nonce=secrets.nonce,
            now=int(self._clock()),
            clock_skew=self.configuration.clock_skew,
        )
        claims = verify(
            tokens.get("id_token"),
            lambda known: self.issuer.keys(deadline, better_than=known),
            expected,
        )
        return self._completed(claims, metadata, tokens.get("access_token"), deadline)

    def _redeem(
        self, metadata: Metadata, code: str, secrets: Secrets, deadline: Deadline
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.configuration.redirect_uri,
            "code_verifier": secrets.verifier,
        }
        answer = ask(self._proven(metadata, form), deadline)
        if answer.status in _REFUSALS:
            raise _refusal(answer)
        if answer.status != _OK:
            raise NoAnswer(f"it answered {answer.status} to a code")
        return answer.body

    def _proven(self, metadata: Metadata, form: Mapping[str, str]) -> Question:
        """Add who we are, in the way the issuer takes it."""
        url, us = metadata.token_endpoint, self.configuration.client_id
        secret = self.configuration.client_secret
        if secret is None:
            return Question(url=url, form={**form, "client_id": us})
        if _BASIC not in metadata.authentication and _POST in metadata.authentication:
            return Question(url=url, form={**form, "client_id": us, "client_secret": secret})
        return Question(url=url, form=form, authorization=_basic(us, secret))

    def _completed(
        self, claims: Claims, metadata: Metadata, access_token: object, deadline: Deadline
    ) -> Claims:
        wanted = {"email", self.configuration.groups_claim}
        url = metadata.userinfo_endpoint
        if url is None or wanted <= claims.keys() or not isinstance(access_token, str):
            return claims
        answer = ask(Question(url=url, authorization=f"Bearer {access_token}"), deadline)
        if answer.status != _OK:
            raise NoAnswer(f"it answered {answer.status} to the question for {url}")
        if answer.body.get("sub") != claims["sub"]:
            raise Untrusted("its user info, which is about somebody else")
        more = dict(answer.body)
        if "email" in claims:
            # Whether an address is verified is said of that address.
            more.pop("email_verified", None)
        return {**more, **claims}


def _basic(name: str, password: str) -> str:
    """Give the header's value. Both are encoded before they are joined (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(name)}:{quote_plus(password)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _refusal(answer: Answer) -> Exception:
    """Tell a code that is no good from a mistake of the operator's."""
    if answer.body.get("error") == "invalid_grant":
        return Untrusted("the code, which the issuer does not take")
    return NoAnswer("it does not take our client id and secret, or what we ask")
