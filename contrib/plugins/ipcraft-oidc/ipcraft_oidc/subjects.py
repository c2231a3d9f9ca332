"""Subjects: who is who at the issuer.

A person is known by the issuer's word for them, not by an address: that may change, and an
issuer may give it to somebody else (OpenID Connect Core, section 5.7). The address counts at the
first sign-in only, to find a user who was there before.
"""

from __future__ import annotations

from sqlalchemy import and_, delete, insert, select

from ipcraft.plugin import Application, Forbidden, Statement, Transaction, given, own
from ipcraft_accounts import Member, normalize_email, provision, users
from ipcraft_oidc.people import Person
from ipcraft_oidc.tables import subjects

_c = subjects.c
_OWN = (_c.organization_id == own(), _c.issuer == given("issuer"))
_USER = and_(users.c.organization_id == _c.organization_id, users.c.id == _c.user_id)
_EMAIL = Statement(
    select(users.c.email)
    .join_from(subjects, users, _USER)
    .where(*_OWN, _c.subject == given("subject"))
)
_OF_EMAIL = Statement(
    select(_c.subject)
    .join_from(subjects, users, _USER)
    .where(*_OWN, users.c.email == given("email"))
)
_OF_USER = Statement(select(_c.subject).where(*_OWN, _c.user_id == given("user_id")))
_INSERT = Statement(insert(subjects))
_DELETE = Statement(
    delete(subjects).where(_c.organization_id == own(), _c.user_id == given("user_id"))
)


def member_of(app: Application, organization_id: str, *, issuer: str, person: Person) -> Member:
    """Give the person as a user of the organization, added or brought up to date.

    Raises `Forbidden` for an address that is another person's of the same issuer, and as
    `provision` does.
    """
    email = _known_email(app, organization_id, issuer=issuer, person=person)
    member = provision(
        app,
        organization_id,
        email=email or person.email,
        role=person.role,
        name=person.name,
    )
    if email is None:
        app.storage.transact(
            organization_id, lambda tx: _link(tx, member, issuer=issuer, person=person)
        )
    return member


def unlink(tx: Transaction, user_id: str) -> None:
    """Forget who a user is at any issuer."""
    tx.write(_DELETE, user_id=user_id)


def _known_email(
    app: Application, organization_id: str, *, issuer: str, person: Person
) -> str | None:
    """Give the address under which we know the person, None before their first sign-in."""
    with app.storage.read(organization_id) as tx:
        email: str | None = tx.value(_EMAIL, issuer=issuer, subject=person.subject)
        if email is None:
            taken = tx.value(_OF_EMAIL, issuer=issuer, email=normalize_email(person.email))
            _refuse_other(person, taken)
    return email


def _link(tx: Transaction, member: Member, *, issuer: str, person: Person) -> None:
    user_id = member.user.id
    known = tx.value(_OF_USER, issuer=issuer, user_id=user_id)
    _refuse_other(person, known)
    if known is None:
        tx.write(_INSERT, issuer=issuer, subject=person.subject, user_id=user_id, created_at=tx.now)


def _refuse_other(person: Person, known: str | None) -> None:
    if known not in (None, person.subject):
        raise Forbidden(
            f"{person.email} is the address of another person of the issuer, who signed in before; "
            "an admin can delete that user",
            code="other_subject",
        )
