"""A slapd with some people in it, and an application that signs them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import falcon.testing
import pytest
import trustme

from ipcraft.plugin import Application
from ipcraft.testing import Client, make_application
from ipcraft.testing.services import Slapd
from ipcraft_accounts import create_organization

PEOPLE = """\
dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=reader,dc=example,dc=com
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reads a lot

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: alice
cn: Alice Liddell
sn: Liddell
mail: Alice@Example.com
userPassword: wonderland

dn: uid=bob,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: bob
cn: Bob Builder
sn: Builder
mail: bob@example.com
userPassword: can we fix it

dn: uid=carol,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: carol
cn: Carol
sn: Carol
mail: carol@example.com
userPassword: without a group

dn: uid=dave,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: dave
cn: Dave
sn: Dave
userPassword: without mail

dn: uid=founder,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: founder
cn: Founder
sn: Founder
mail: founder@example.com
userPassword: was here first

dn: cn=O'Hara\\, Zoë (Ops*),ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: zoë*(ops)
cn: O'Hara, Zoë (Ops*)
sn: O'Hara
mail: zoe@example.com
userPassword: pâssword ünd mehr

dn: ou=guests,ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: guests

dn: uid=mallory,ou=guests,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: mallory
cn: Mallory
sn: Mallory
mail: mallory@example.com
userPassword: in the middle

dn: uid=twin,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: twin
cn: Twin
sn: Twin
mail: twin@example.com
userPassword: two of a kind

dn: uid=twin,ou=guests,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: twin
cn: Twin
sn: Twin
mail: twin@example.com
userPassword: two of a kind

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups

dn: cn=Network Admins,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: Network Admins
member: uid=alice,ou=people,dc=example,dc=com
member: cn=O'Hara\\, Zoë (Ops*),ou=people,dc=example,dc=com

dn: cn=noc,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: noc
member: uid=alice,ou=people,dc=example,dc=com
member: uid=bob,ou=people,dc=example,dc=com
member: uid=dave,ou=people,dc=example,dc=com
member: uid=founder,ou=people,dc=example,dc=com
member: uid=mallory,ou=guests,ou=people,dc=example,dc=com
member: uid=twin,ou=people,dc=example,dc=com

dn: cn=knitting,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: knitting
member: uid=carol,ou=people,dc=example,dc=com

dn: cn=unix,ou=groups,dc=example,dc=com
objectClass: posixGroup
cn: unix
gidNumber: 1000
memberUid: carol
"""

SEARCHING = {
    "bind_dn": "cn=reader,dc=example,dc=com",
    "bind_password": "reads a lot",
    "user_base": "ou=people,dc=example,dc=com",
}


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Give the authority that vouches for the directory."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the authority's certificate as a file."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="session")
def slapd(authority: trustme.CA) -> Iterator[Slapd]:
    """Give the directory. Like some others, it answers a bind without a password with success."""
    issued = authority.issue_cert("127.0.0.1")
    with Slapd(
        "dc=example,dc=com",
        PEOPLE,
        certificate=issued.cert_chain_pems[0].bytes(),
        key=issued.private_key_pem.bytes(),
        options="allow bind_anon_dn",
    ) as server:
        yield server


@pytest.fixture(scope="session")
def section(slapd: Slapd, ca_file: Path) -> dict[str, Any]:
    """Give settings that work: StartTLS, a service account, two groups with roles."""
    return {
        "url": slapd.url,
        "ca_file": str(ca_file),
        **SEARCHING,
        "group_base": "ou=groups,dc=example,dc=com",
        "organization": "Acme",
        "roles": {"network admins": "admin", "noc": "editor"},
    }


class Door:
    """Sign people in to an application."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self._client = Client(app)

    def __call__(self, username: str, password: str) -> falcon.testing.Result:
        """Try a name and a password."""
        return self.post({"username": username, "password": password})

    def post(self, body: Any) -> falcon.testing.Result:
        """Send any body."""
        return self._client.post("/api/v1/auth/ldap", json=body)


@pytest.fixture
def open_door(database_url: str, section: dict[str, Any]) -> Iterator[Callable[..., Door]]:
    """Give an application with an organization; settings given as None are left out."""
    opened = ExitStack()

    def open_door(**differing: Any) -> Door:
        settings = {**section, **differing}
        settings = {name: value for name, value in settings.items() if value is not None}
        app = make_application(database_url, enable=["ldap"], sections={"ldap": settings})
        opened.callback(app.storage.close)
        create_organization(app.storage, name="Acme", owner_email="founder@example.com")
        return Door(app)

    with opened:
        yield open_door


@pytest.fixture
def door(open_door: Callable[..., Door]) -> Door:
    """Give the application with settings that work."""
    return open_door()
