"""The secret of an installation: given, or kept in a file beside an embedded database."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ipcraft.app import Application, create_app, create_application
from ipcraft.config import ConfigError, Settings, load_settings
from ipcraft.errors import StartError
from ipcraft.secret_key import derived_key, secret_key

GIVEN = "g" * 32


def settings(url: str, environ: Mapping[str, str] | None = None) -> Settings:
    """Give the settings of a start on this database."""
    return load_settings(
        path=Path("/dev/null"), environ=environ or {}, overrides={"database_url": url}
    )


def embedded(folder: Path) -> Settings:
    """Give the settings of a start on a file in the folder."""
    return settings(f"sqlite:///{folder}/ipcraft.db")


def test_the_settings_secret_counts(tmp_path: Path) -> None:
    """Then no file is made."""
    found = settings(f"sqlite:///{tmp_path}/ipcraft.db", {"IPCRAFT_SECRET_KEY": GIVEN})
    assert secret_key(found) == GIVEN
    assert list(tmp_path.iterdir()) == []
    assert GIVEN not in repr(found)


def test_the_secret_may_be_in_a_file(tmp_path: Path) -> None:
    """`IPCRAFT_SECRET_KEY_FILE` names it, on any database."""
    (tmp_path / "secret").write_text(f"{GIVEN}\n")
    environ = {"IPCRAFT_SECRET_KEY_FILE": str(tmp_path / "secret")}
    assert secret_key(settings("postgresql://localhost/ipcraft", environ)) == GIVEN


def test_a_short_secret_is_refused() -> None:
    """What could be guessed protects nothing; the complaint does not repeat it."""
    with pytest.raises(ConfigError, match="IPCRAFT_SECRET_KEY: Shorter than 32") as refused:
        settings("sqlite:///a.db", {"IPCRAFT_SECRET_KEY": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_an_embedded_database_keeps_its_own(tmp_path: Path) -> None:
    """Made once, found ever after, for its owner's eyes only."""
    first = secret_key(embedded(tmp_path))
    assert len(first) == 64
    assert secret_key(embedded(tmp_path)) == first
    (file,) = tmp_path.iterdir()
    assert file.name == "ipcraft.db.secret-key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_two_databases_have_two(tmp_path: Path) -> None:
    """Nothing is shared between installations."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    assert secret_key(embedded(tmp_path / "a")) != secret_key(embedded(tmp_path / "b"))


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    """One of them makes it; no draft is left behind."""
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: secret_key(embedded(tmp_path)), range(32)))
    assert len(found) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["ipcraft.db.secret-key"]


def test_a_database_of_many_servers_needs_one() -> None:
    """They could not find each other's file; the message says how to make one."""
    with pytest.raises(StartError, match="openssl rand -hex 32"):
        secret_key(settings("postgresql://localhost/ipcraft"))


def test_without_a_secret_nothing_is_served() -> None:
    """The start fails, not the first request that needs it."""
    with pytest.raises(StartError, match="IPCRAFT_SECRET_KEY"):
        create_app(settings("postgresql://localhost/ipcraft"))


def test_a_folder_that_cannot_keep_it_is_named(tmp_path: Path) -> None:
    """With the way out."""
    with pytest.raises(StartError, match=r"nowhere/ipcraft\.db\.secret-key.*IPCRAFT_SECRET_KEY"):
        secret_key(embedded(tmp_path / "nowhere"))


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_broken_file_is_not_used(tmp_path: Path, content: bytes) -> None:
    """A key that anybody could guess is no key, and is not replaced behind one's back."""
    file = tmp_path / "ipcraft.db.secret-key"
    file.write_bytes(content)
    with pytest.raises(StartError, match="secret-key"):
        secret_key(embedded(tmp_path))
    assert file.read_bytes() == content


def test_each_purpose_has_its_own_key(tmp_path: Path) -> None:
    """32 bytes, the same in every process, and no two alike."""
    apps: list[Application] = [create_application(embedded(tmp_path)) for _ in range(2)]
    keys = [(app.key_for("nonces"), app.key_for("webhooks")) for app in apps]
    assert keys[0] == keys[1]
    assert keys[0][0] != keys[0][1]
    assert {len(key) for key in keys[0]} == {32}
    assert derived_key(GIVEN, "nonces") != keys[0][0]
    for app in apps:
        app.storage.close()
