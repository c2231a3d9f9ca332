"""Asking for a link, and coming back with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict
from urllib.parse import parse_qs

import falcon
from falcon import mediatypes

from ipcraft.plugin import (
    Application,
    Content,
    Forbidden,
    Invalid,
    LimitReached,
    RawBody,
    RequestError,
    Unauthenticated,
    load,
    operation,
    public_url,
)
from ipcraft_accounts import (
    MemberObject,
    admit,
    member_object,
    normalize_email,
    sign_in,
    token_hash,
)
from ipcraft_magiclink.delivery import order_link
from ipcraft_magiclink.invitations import find_invitation, use_invitation
from ipcraft_magiclink.links import VERIFY, Link, find_link, use_link
from ipcraft_magiclink.nonces import (
    forget_nonce,
    form_proof,
    give_nonce,
    is_form_proof,
    is_hash_of,
    nonce_of,
)
from ipcraft_magiclink.pages import keep_to_ourselves, send_button, send_refusal
from ipcraft_magiclink.schemas import AddressBody, FormBody, TokenBody, TokenQuery

_METHOD = "magic_link"
_TOKEN = TokenBody()
_LONGEST_FORM = 4096

_STATUSES: Mapping[type[RequestError], str] = {
    Unauthenticated: falcon.HTTP_401,
    LimitReached: falcon.HTTP_402,
    Forbidden: falcon.HTTP_403,
}
_REFUSALS = tuple(_STATUSES)
"""What keeps a person out: they are told so, on a page."""

Taste = Literal["html", "json", "any"]


class SentObject(TypedDict):
    """Says that a link is on its way, if the address can be sent one."""

    message: Literal["magic link sent"]


_ENTERED = {
    200: Content(MemberObject, also={falcon.MEDIA_HTML: str}, description="You are signed in."),
    303: Content(
        description="A browser that is signed in goes on to the app.",
        headers={"Location": "Where the app is."},
    ),
}
_REFUSED = {
    401: "The link was used, is too old or is not whole. A browser gets a page.",
    402: "The organization's plan has no room for another user. A browser gets a page.",
    403: "Nobody invited this person, or another site sent the form. A browser gets a page.",
}


class SendLink:
    """Answer ``/api/v1/auth/send-link``."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(body=AddressBody(), answers={200: SentObject})
    def on_post(self, req: falcon.Request, resp: falcon.Response, *, body: dict[str, Any]) -> None:
        """Have a link sent. The answer is the same for everybody; it touches no database."""
        email = normalize_email(body["email"])
        nonce = give_nonce(self._app, req, resp)
        order_link(self._app, email=email, nonce_hash=token_hash(nonce))
        resp.cache_control = ["no-store"]
        resp.media = {"message": "magic link sent"}


class Verify:
    """Answer ``/api/v1/auth/verify``.

    A client that wants JSON, or a browser that asked for the link, signs in at once. Whoever
    else comes, a mail scanner perhaps, gets a page with a button.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_head(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer that there is a page, and do nothing."""
        keep_to_ourselves(resp)
        resp.content_type = falcon.MEDIA_HTML

    @operation(query=TokenQuery(), answers=_ENTERED, errors=_REFUSED)
    def on_get(self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any]) -> None:
        """Sign in, or ask for a press of the button.

        A client that would rather have JSON signs in at once, as does the browser that asked for
        the link. Any other browser gets a page with a button, which signs in.
        """
        keep_to_ourselves(resp)
        token = _given(query.get("token"))
        taste = _taste(req)
        link = find_link(self._app, token) or find_invitation(self._app, token)
        if link is None:
            self._refuse(resp, _bad_link(), taste)
        elif taste == "json" or is_hash_of(nonce_of(self._app, req), link.nonce_hash):
            self._enter(req, resp, token, taste)
        else:
            self._ask(req, resp, token)

    @operation(
        body=RawBody({falcon.MEDIA_JSON: _TOKEN, falcon.MEDIA_URLENCODED: FormBody()}),
        answers=_ENTERED,
        errors=_REFUSED,
    )
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Sign in with the button of our page, or with a JSON body."""
        keep_to_ourselves(resp)
        token = self._token_of_form(req) if _is_form(req) else load(req, _TOKEN)["token"]
        self._enter(req, resp, token, _taste(req))

    def _ask(self, req: falcon.Request, resp: falcon.Response, token: str) -> None:
        nonce = give_nonce(self._app, req, resp)
        send_button(
            resp,
            action=f"{public_url(self._app)}{VERIFY}",
            token=token,
            proof=form_proof(self._app, nonce=nonce, token=token),
        )

    def _token_of_form(self, req: falcon.Request) -> str:
        form = _form(req)
        token = _given(form.get("token"))
        nonce = nonce_of(self._app, req)
        # APPSEC: else another site could sign a browser in as somebody the site knows.
        if not is_form_proof(self._app, form.get("proof", ""), nonce=nonce, token=token):
            raise Forbidden(
                "This form was not made for this browser; open the link of the mail again",
                code="csrf",
            )
        return token

    def _enter(self, req: falcon.Request, resp: falcon.Response, token: str, taste: Taste) -> None:
        try:
            link = _use(self._app, token)
            member = admit(self._app, link.email)
        except _REFUSALS as error:
            self._refuse(resp, error, taste)
            return
        sign_in(self._app, req, resp, member=member, method=_METHOD)
        forget_nonce(self._app, resp)
        if taste == "html":
            resp.status = falcon.HTTP_303
            resp.location = f"{public_url(self._app)}/"
        else:
            resp.media = member_object(member)

    def _refuse(self, resp: falcon.Response, error: RequestError, taste: Taste) -> None:
        """Answer an error: to a person with a page, to a program as always."""
        if taste != "html":
            raise error
        resp.status = _STATUSES[type(error)]
        send_refusal(resp, error.message, home=f"{public_url(self._app)}/")


def _use(app: Application, token: str) -> Link:
    found = find_link(app, token)
    link = use_link(app, token) if found else None
    if link is None and found is None and find_invitation(app, token):
        link = use_invitation(app, token)
    if link is None:
        raise _bad_link()
    return link


def _bad_link() -> Unauthenticated:
    return Unauthenticated(
        "This link does not work: it was used, is too old or is not whole; ask for a new one",
        code="bad_link",
    )


def _given(token: str | None) -> str:
    if not token:
        raise Invalid.field("token", "token is required: it stands in the link of the mail")
    return token


def _taste(req: falcon.Request) -> Taste:
    """Tell what the client would rather have: a page, JSON, or whatever there is."""
    accept = req.accept
    try:
        html = mediatypes.quality(falcon.MEDIA_HTML, accept)
        json = mediatypes.quality(falcon.MEDIA_JSON, accept)
    except ValueError:  # nobody can tell
        return "any"
    if html == json:
        html, json = falcon.MEDIA_HTML in accept, falcon.MEDIA_JSON in accept
    if html == json:
        return "any"
    return "html" if html > json else "json"


def _is_form(req: falcon.Request) -> bool:
    return (req.content_type or "").partition(";")[0].strip().lower() == falcon.MEDIA_URLENCODED


def _form(req: falcon.Request) -> dict[str, str]:
    body = req.bounded_stream.read(_LONGEST_FORM)
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=8)
    except ValueError as error:
        raise Invalid("The form cannot be read", code="malformed_body") from error
    return {name: values[0] for name, values in fields.items()}
