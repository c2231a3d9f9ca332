"""Plugins are found, ordered and described without importing them."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

import ipcraft
from ipcraft.config import ConfigError, Settings, load_settings
from ipcraft.discovery import (
    BUILT_IN,
    Listing,
    choose,
    discover,
    requirement_problem,
    survey,
)
from ipcraft.outlines import outline
from ipcraft.testing.distributions import write_distribution

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder on sys.path whose IPCraft, with two plugins, hides the installed one."""
    plugins = {"accounts": "ipcraft_accounts", "sqlite": "ipcraft_sqlite"}
    files = {f"{module}.py": "raise SystemExit" for module in plugins.values()}
    write_distribution(tmp_path, "ipcraft", plugins=plugins, files=files)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def add(site: Path, name: str, source: str, *, requires: tuple[str, ...] = ()) -> None:
    """Install a third-party plugin of one package."""
    write_distribution(
        site,
        f"ipcraft-{name}",
        version="2.5",
        plugins={name: f"ipcraft_{name}"},
        files={f"ipcraft_{name}/__init__.py": dedent(source)},
        requires=requires,
    )


def settings(*, enable: str = "", disable: str = "") -> Settings:
    """Choose plugins by name."""
    return load_settings(
        environ={"IPCRAFT_PLUGINS_ENABLE": enable, "IPCRAFT_PLUGINS_DISABLE": disable}
    )


def test_built_in_plugins_have_the_manifests_order(site: Path) -> None:
    """The order in the code is that of setup.cfg, which the installed entry points lose."""
    manifest = configparser.ConfigParser()
    manifest.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    manifest.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = manifest["options.entry_points"]["ipcraft.plugins"].split("\n")
    assert tuple(line.split("=")[0].strip() for line in lines if line) == BUILT_IN


def test_discover_puts_built_in_plugins_first_in_their_order(site: Path) -> None:
    """A stranger's plugin never comes before IPCraft's own."""
    add(site, "aaa", "")
    found = [candidate for candidate in discover() if candidate.name != "other"]
    assert [candidate.name for candidate in found] == ["sqlite", "accounts", "aaa"]
    assert [candidate.builtin for candidate in found] == [True, True, False]


def test_discover_tells_distribution_and_entry_point(site: Path) -> None:
    """A candidate names its distribution, version, module and the line that names it."""
    add(site, "oidc", "", requires=("ipcraft>=0.1",))
    oidc = discover()[-1]
    assert (oidc.name, oidc.distribution, oidc.version) == ("oidc", "ipcraft-oidc", "2.5")
    assert (oidc.module, oidc.requires) == ("ipcraft_oidc", ("ipcraft>=0.1",))
    assert oidc.entry_point == f"{site}/ipcraft_oidc-2.5.dist-info/entry_points.txt:2"


def test_installed_is_not_enabled(site: Path) -> None:
    """Without a word in the settings, the built-in plugins load and no other."""
    add(site, "oidc", "")
    assert [each.name for each in choose(discover(), settings())] == ["sqlite", "accounts"]


def test_enabled_plugins_follow_in_the_order_of_the_settings(site: Path) -> None:
    """The settings order third-party plugins, not their names."""
    add(site, "ldap", "")
    add(site, "oidc", "")
    chosen = choose(discover(), settings(enable="oidc,ldap"))
    assert [each.name for each in chosen] == ["sqlite", "accounts", "oidc", "ldap"]


def test_disable_switches_off_any_plugin(site: Path) -> None:
    """A disabled plugin does not load, built-in or enabled as it may be."""
    add(site, "oidc", "")
    chosen = choose(discover(), settings(enable="oidc", disable="accounts,oidc"))
    assert [each.name for each in chosen] == ["sqlite"]


@pytest.mark.parametrize("key", ["enable", "disable"])
def test_a_plugin_that_is_not_installed_is_refused(site: Path, key: str) -> None:
    """A wrong name in a list of plugins is named, with the nearest installed one."""
    add(site, "oidc", "")
    with pytest.raises(ConfigError) as caught:
        choose(discover(), settings(**{key: "oicd"}))
    assert str(caught.value) == (
        f'[plugins] {key}: no plugin "oicd" is installed; did you mean "oidc"? '
        "Installed: accounts, oidc, sqlite."
    )


def test_the_section_of_a_plugin_that_is_not_installed_is_refused(site: Path) -> None:
    """A section nobody reads is a mistake."""
    chosen = load_settings(environ={}, overrides={"plugins": {"webhooks": {}}})
    with pytest.raises(ConfigError) as caught:
        choose(discover(), chosen)
    assert str(caught.value) == (
        '[plugins.webhooks]: no plugin "webhooks" is installed. Installed: accounts, sqlite.'
    )


@pytest.mark.parametrize(
    ("requirement", "problem"),
    [
        ("ipcraft", None),
        (f"ipcraft>={ipcraft.__version__}", None),
        ("other>=99", None),
        ("ipcraft>=99; extra == 'new'", None),
        ("IPCraft>=99", f"requires IPCraft>=99, and this is IPCraft {ipcraft.__version__}"),
    ],
)
def test_requirement_on_this_ipcraft(site: Path, requirement: str, problem: str | None) -> None:
    """A distribution says which IPCraft it needs; its other needs are its installer's care."""
    add(site, "oidc", "", requires=(requirement,))
    assert requirement_problem(discover()[-1]) == problem


def test_survey_lists_every_plugin_and_imports_none(site: Path) -> None:
    """What loads comes first, then what does not, then what is not there at all."""
    add(site, "oidc", "from ipcraft.plugin import hookimpl\nAPI = 1\nraise SystemExit")
    add(site, "ldap", "API = 1")
    chosen = settings(enable="oidc,saml", disable="accounts")
    assert [(each.name, each.state) for each in survey(chosen)] == [
        ("sqlite", "enabled"),
        ("oidc", "enabled"),
        ("accounts", "disabled"),
        ("ldap", "disabled"),
        ("saml", "missing"),
    ]
    assert not {"ipcraft_oidc", "ipcraft_ldap"} & set(sys.modules)


def test_survey_tells_hooks_and_version_from_the_text(site: Path) -> None:
    """An operator sees what a plugin implements before it ever runs."""
    source = """
        from ipcraft.plugin import hookimpl

        API = 1

        @hookimpl
        def ipcraft_routes(app): ...

        @hookimpl(specname="ipcraft_authorize")
        def guard(identity): ...
    """
    add(site, "oidc", source)
    assert survey(settings(enable="oidc"))[-1] == Listing(
        "oidc", "ipcraft-oidc", "2.5", "enabled", ("ipcraft_authorize", "ipcraft_routes"), None
    )


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("API = 1\ndef (", "SyntaxError in line 2: invalid syntax"),
        ("", "does not say for which plugin API it was written; write API = 1"),
        (
            "API = 2",
            (
                f"was written for plugin API 2, and IPCraft {ipcraft.__version__} has 1; "
                "install a version of the plugin made for it"
            ),
        ),
    ],
)
def test_survey_tells_what_is_wrong_with_a_plugin(site: Path, source: str, problem: str) -> None:
    """A plugin that cannot load is listed with the reason."""
    add(site, "oidc", source)
    assert survey(settings(enable="oidc"))[-1].problem == problem


def test_survey_tells_that_a_module_is_gone(site: Path) -> None:
    """An entry point may lead nowhere."""
    write_distribution(site, "ipcraft-gone", plugins={"gone": "ipcraft_gone.inner"}, files={})
    assert survey(settings(enable="gone"))[-1].problem == "there is no module ipcraft_gone.inner"


def test_outline_reads_a_module_inside_a_package_without_importing_the_package(site: Path) -> None:
    """A parent package is code too."""
    files = {
        "ipcraft_deep/__init__.py": "raise SystemExit",
        "ipcraft_deep/plugin.py": "API = 1\ndef ipcraft_startup(app): ...",
    }
    write_distribution(site, "deep", plugins={"deep": "ipcraft_deep.plugin"}, files=files)
    read = outline("ipcraft_deep.plugin")
    assert (read.file, read.hooks) == (f"{site}/ipcraft_deep/plugin.py", ("ipcraft_startup",))


def test_outline_counts_hooks_that_come_from_elsewhere(site: Path) -> None:
    """Imported, assigned and conditional functions implement hooks; specs do not."""
    source = """
        import ipcraft_other
        from ipcraft_oidc.routes import ipcraft_routes
        API: int = 1
        ipcraft_startup = print
        if API:
            def ipcraft_authorize(identity): ...
        @hookspec
        def ipcraft_oidc_claims(): ...
        def inner():
            def ipcraft_commands(): ...
    """
    add(site, "oidc", source)
    read = outline("ipcraft_oidc")
    assert read.hooks == ("ipcraft_authorize", "ipcraft_routes", "ipcraft_startup")
    assert read.complete
    assert (read.problem, read.api_line) == (None, 4)


def test_outline_says_when_names_are_hidden(site: Path) -> None:
    """After ``import *`` the text does not tell all hooks."""
    add(site, "oidc", "from ipcraft_oidc.hooks import *")
    read = outline("ipcraft_oidc")
    assert (read.complete, read.problem) == (False, None)


def test_outline_says_that_a_text_is_no_text(site: Path) -> None:
    """A file may be damaged."""
    add(site, "oidc", "")
    (site / "ipcraft_oidc/__init__.py").write_bytes(b"# plain\n\n\n# \xff\n")
    problem = outline("ipcraft_oidc").problem
    assert problem is not None
    assert problem.startswith("its text cannot be read: 'utf-8' codec can't decode byte 0xff")


def test_outline_of_a_module_without_text_tells_nothing() -> None:
    """A compiled plugin may be good, but its hooks are unknown until it runs."""
    read = outline("sys")
    assert (read.hooks, read.complete, read.problem) == ((), False, None)


def test_outline_of_a_module_without_a_spec_says_that_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python itself cannot say where such a module is."""
    monkeypatch.setitem(sys.modules, "ipcraft_bare", ModuleType("ipcraft_bare"))
    assert outline("ipcraft_bare").problem == "there is no module ipcraft_bare"


def test_a_requirement_that_cannot_be_read_is_told(site: Path) -> None:
    """A distribution's metadata may be damaged."""
    add(site, "oidc", "", requires=("ipcraft >> 1",))
    problem = requirement_problem(discover()[-1])
    assert problem is not None
    assert problem.startswith("has a requirement that cannot be read: ipcraft >> 1: ")


def test_a_distribution_without_a_record_does_not_tell_its_entry_point(site: Path) -> None:
    """A system's packager may remove the list of files."""
    add(site, "oidc", "")
    (site / "ipcraft_oidc-2.5.dist-info/RECORD").unlink()
    assert discover()[-1].entry_point is None


def test_the_entry_point_is_the_one_of_our_group(site: Path) -> None:
    """Another group may have an entry point of the same name."""
    add(site, "oidc", "")
    points = site / "ipcraft_oidc-2.5.dist-info/entry_points.txt"
    points.write_text("[other]\noidc = other\n[ipcraft.plugins]\nx = y\noidc = ipcraft_oidc\n")
    assert [each.entry_point for each in discover()[-2:]] == [f"{points}:4", f"{points}:5"]
