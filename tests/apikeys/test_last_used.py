"""When a key was last used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ipcraft.app import create_application
from ipcraft.config import load_settings
from ipcraft.plugin import Application, LastUsed, new_id
from ipcraft_accounts import Organization, User
from ipcraft_apikeys import NewKey, list_keys
from ipcraft_apikeys.tables import api_keys

MakeKey = Callable[..., NewKey]
NOON = 1_772_366_400


class Uses:
    """Use one key at given times and tell what the database holds afterwards."""

    def __init__(self, application: Application, organization_id: str, key_id: str) -> None:
        self._application = application
        self._organization_id = organization_id
        self._key_id = key_id
        self._last_used = LastUsed(application, api_keys)

    def use(self, now: int) -> int | None:
        """Use the key and give what is stored then."""
        before = self.stored()
        self._last_used.note(
            self._organization_id, credential_id=self._key_id, before=before, now=now
        )
        self._last_used.settle()
        return self.stored()

    def stored(self) -> int | None:
        """Give the stored time."""
        with self._application.storage.read(self._organization_id) as tx:
            return list_keys(tx)[0].last_used_at


@pytest.fixture
def uses(application: Application, member: tuple[Organization, User], make_key: MakeKey) -> Uses:
    """Make a key that was never used."""
    return Uses(application, member[0].id, make_key().api_key.id)


def test_a_new_key_was_never_used(uses: Uses) -> None:
    """Until its first use there is no time."""
    assert uses.stored() is None


def test_the_first_use_is_written(uses: Uses) -> None:
    """The time of the first use is kept."""
    assert uses.use(NOON) == NOON


def test_a_second_use_in_the_same_minute_is_not_written(uses: Uses) -> None:
    """At most one write in a minute."""
    uses.use(NOON)
    assert uses.use(NOON + 59) == NOON
    assert uses.use(NOON + 60) == NOON + 60


def test_a_time_never_goes_back(
    uses: Uses, application: Application, member: tuple[Organization, User]
) -> None:
    """A worker that is late does not overwrite the time of one that was not."""
    uses.use(NOON)
    late = LastUsed(application, api_keys)
    with application.storage.read(member[0].id) as tx:
        key_id = list_keys(tx)[0].id
    late.note(member[0].id, credential_id=key_id, before=None, now=NOON - 600)
    late.settle()
    assert uses.stored() == NOON


def test_a_database_that_is_away_fails_no_request(tmp_path: Path) -> None:
    """A time that cannot be written is given up; nothing is raised, and nothing stops."""
    url = f"sqlite:///{tmp_path}/no/such/folder/ipcraft.db"
    away = create_application(load_settings(environ={}, overrides={"database_url": url}))
    last_used = LastUsed(away, api_keys)
    for now in (NOON, NOON + 60):
        last_used.note(new_id("org"), credential_id=new_id("key"), before=None, now=now)
        last_used.settle()


def test_a_database_that_is_closed_takes_no_more_times(
    application: Application, member: tuple[Organization, User]
) -> None:
    """Closing the storage while times wait to be written ends in peace."""
    last_used = LastUsed(application, api_keys)
    for _ in range(50):
        last_used.note(member[0].id, credential_id=new_id("key"), before=None, now=NOON)
    application.storage.close()
    last_used.settle()
