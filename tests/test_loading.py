"""Plugins are imported, checked and registered; every error names the culprit in full."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Protocol, cast

import pytest

import ipcraft
from ipcraft.config import ConfigError, Settings, load_settings
from ipcraft.conflicts import unique_routes
from ipcraft.contributions import AuthBackend, Command, EventType, Identity, Plan, Route
from ipcraft.data.transactions import Transaction
from ipcraft.events.changes import Change
from ipcraft.loading import boot, load_plugins
from ipcraft.registry import PluginError, Registry, unique
from ipcraft.testing.distributions import write_distribution

START = "from ipcraft.hookspecs import hookimpl, hookspec\nAPI = 1\n"
"""The first two lines of a plugin; what a test adds begins in line 3."""

IDENTITY = Identity(organization_id="org_1", user_id=None, role="owner", scheme="test")


@dataclass
class Site:
    """Be a folder of installed distributions."""

    folder: Path
    names: list[str] = field(default_factory=list)

    def add(
        self,
        name: str,
        source: str,
        *,
        start: str = START,
        requires: tuple[str, ...] = (),
        files: Mapping[str, str] | None = None,
    ) -> None:
        """Install and enable a plugin of one package."""
        write_distribution(
            self.folder,
            f"ipcraft-{name}",
            version="2.5",
            plugins={name: f"ipcraft_{name}"},
            files={f"ipcraft_{name}/__init__.py": start + dedent(source), **(files or {})},
            requires=requires,
        )
        self.names.append(name)

    def settings(self, **sections: Mapping[str, object]) -> Settings:
        """Enable what was added, with these sections."""
        return load_settings(environ={}, overrides={"plugins": {"enable": self.names, **sections}})

    def load(self, **sections: Mapping[str, object]) -> Registry:
        """Load what was added."""
        return load_plugins(self.settings(**sections))

    def error(self, **sections: Mapping[str, object]) -> str:
        """Give the whole text of the error that loading raises."""
        with pytest.raises(PluginError) as caught:
            self.load(**sections)
        return str(caught.value)

    def text(self, name: str, line: int | None, problem: str) -> str:
        """Give the whole text of an error in a line of a plugin's package."""
        return self.text_at(name, f"{self.folder}/ipcraft_{name}/__init__.py:{line}", problem)

    def text_at(self, name: str, where: str, problem: str) -> str:
        """Give the whole text of an error elsewhere."""
        return (
            f"plugin {name} (ipcraft-{name} 2.5, {where}) {problem}\n"
            f'To start without it, write disable = ["{name}"] under [plugins] in ipcraft.toml'
        )

    def entry_point(self, name: str) -> str:
        """Give the place of a plugin's entry point."""
        return f"{self.folder}/ipcraft_{name}-2.5.dist-info/entry_points.txt:2"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Give an empty folder on sys.path whose IPCraft, without plugins, hides the installed one."""
    write_distribution(tmp_path, "ipcraft", plugins={}, files={})
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield Site(tmp_path)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


# --- what loading gives ---


def test_a_plugin_is_known_with_its_distribution_and_hooks(site: Site) -> None:
    """The registry says what is loaded."""
    site.add("oidc", "@hookimpl\ndef ipcraft_routes(app): return []")
    (plugin,) = site.load().plugins
    assert (plugin.name, plugin.distribution, plugin.version) == ("oidc", "ipcraft-oidc", "2.5")
    assert (plugin.module, plugin.state) == ("ipcraft_oidc", "enabled")
    assert (plugin.hooks, plugin.problem) == (("ipcraft_routes",), None)


def test_values_are_collected_in_the_order_of_the_plugins(site: Site) -> None:
    """Lists are flattened, and each value knows who gave it and in which line."""
    for name in ("b", "a"):
        source = f"""
            from ipcraft.contributions import EventType
            @hookimpl
            def ipcraft_event_types():
                return [EventType("{name}.1", ""), EventType("{name}.2", "")]
        """
        site.add(name, source)
    given = site.load().collect("ipcraft_event_types", kind=EventType)
    assert [each.value.name for each in given] == ["b.1", "b.2", "a.1", "a.2"]
    assert (given[0].plugin.name, given[0].where) == (
        "b",
        f"{site.folder}/ipcraft_b/__init__.py:5",
    )


def test_an_implementation_may_leave_out_arguments(site: Site) -> None:
    """What a function does not need it does not take."""
    source = """
        from ipcraft.contributions import Route
        @hookimpl
        def ipcraft_routes(): return Route("/a", object())
    """
    site.add("a", source)
    given = site.load().collect("ipcraft_routes", kind=Route, app=None)
    assert [each.value.path for each in given] == ["/a"]


def test_a_hook_without_a_kind_gives_what_is_not_none(site: Site) -> None:
    """A hook that only does something returns nothing."""
    site.add("a", "@hookimpl\ndef ipcraft_startup(app): app.append(1)")
    calls: list[int] = []
    assert site.load().collect("ipcraft_startup", app=calls) == ()
    assert calls == [1]


def test_a_hook_nobody_offers_cannot_be_collected(site: Site) -> None:
    """That is the caller's own mistake."""
    with pytest.raises(KeyError, match="ipcraft_route"):
        site.load().collect("ipcraft_route")


def test_named_values_are_keyed_by_their_names(site: Site) -> None:
    """A configuration picks one by its name."""
    source = """
        import click
        from ipcraft.contributions import Command
        @hookimpl
        def ipcraft_commands(): return [Command(click.Command("tree"))]
    """
    site.add("a", source)
    assert list(site.load().named("ipcraft_commands", kind=Command)) == ["tree"]


def test_a_plugin_offers_hooks_to_others(site: Site) -> None:
    """Hooks of plugins are called as the core's are, by plugins loaded before or after."""
    specs = START + "@hookspec\ndef ipcraft_tools(app): ..."
    tool = '@hookimpl\ndef ipcraft_tools(app): return "{0}"'
    site.add("early", tool.format("early"))
    site.add(
        "tools",
        "from ipcraft_tools import hooks\n@hookimpl\ndef ipcraft_hookspecs(): return hooks",
        files={"ipcraft_tools/hooks.py": specs},
    )
    site.add("late", tool.format("late"))
    given = site.load().collect("ipcraft_tools", kind=str, app=None)
    assert [(each.plugin.name, each.value) for each in given] == [
        ("early", "early"),
        ("late", "late"),
    ]


def test_an_optional_hook_need_not_be_offered(site: Site) -> None:
    """A plugin can serve another that may be switched off."""
    site.add("a", "@hookimpl(optionalhook=True)\ndef ipcraft_tools(app): ...")
    assert site.load().plugins[0].hooks == ("ipcraft_tools",)


def test_a_function_may_implement_a_hook_under_another_name(site: Site) -> None:
    """Pluggy's specname names the hook."""
    site.add("a", '@hookimpl(specname="ipcraft_event_types")\ndef types(): return [1]')
    assert [each.value for each in site.load().collect("ipcraft_event_types", kind=int)] == [1]


def test_sections_are_checked_and_typed_at_boot(site: Site) -> None:
    """A plugin finds its settings ready."""
    source = """
        from marshmallow import Schema, fields
        class Section(Schema):
            port = fields.Integer(load_default=1)
        @hookimpl
        def ipcraft_config_schema(): return Section
    """
    site.add("a", source)
    site.add("b", "")
    registry = site.load(a={"port": 5})
    assert registry.sections == {"a": {"port": 5}}


def test_a_wrong_key_of_a_section_stops_the_boot(site: Site) -> None:
    """A plugin without settings takes none."""
    site.add("a", "")
    with pytest.raises(ConfigError) as caught:
        site.load(a={"port": 5})
    assert str(caught.value) == "given at the start: [plugins.a] port: unknown key"


TABLES = """
    from pathlib import Path
    from sqlalchemy import MetaData, Table
    from ipcraft.contributions import Migrations
    metadata = MetaData()
    Table("{0}", metadata)
    @hookimpl
    def ipcraft_migrations(): return Migrations(metadata, Path())
"""


def test_migrations_are_kept_by_plugin(site: Site) -> None:
    """The storage upgrades each plugin's tables."""
    site.add("a", TABLES.format("zones"))
    assert list(site.load().migrations["a"].metadata.tables) == ["zones"]


# --- the hooks of requests ---


def test_nobody_objects_when_nobody_is_asked(site: Site) -> None:
    """Without implementations the relay allows and does nothing."""
    relay = site.load().relay
    assert relay.authorize(IDENTITY, "read", "/a")
    assert relay == type(relay)()


@pytest.mark.parametrize(
    ("answer", "allowed"), [("None", True), ("True", True), ("False", False), ("0", False)]
)
def test_any_refusal_refuses(site: Site, answer: str, allowed: bool) -> None:  # noqa: FBT001  # a case
    """One plugin's False is enough, and an answer that is none of the three refuses as well."""
    site.add("a", "@hookimpl\ndef ipcraft_authorize(): return True")
    site.add("b", f"@hookimpl\ndef ipcraft_authorize(target, identity): return {answer}")
    assert site.load().relay.authorize(IDENTITY, "read", "/a") is allowed


def test_the_first_plan_counts(site: Site) -> None:
    """A plugin that does not know leaves the answer to those after it."""
    for name, answer in (("a", "None"), ("b", "Plan(name=name)"), ("c", "1 / 0")):
        source = f"""
            from ipcraft.plugin import Plan
            @hookimpl
            def ipcraft_plan(name): return {answer}
        """
        site.add(name, source)
    assert site.load().relay.plan("org_1", name="gold", tx=None) == Plan(name="gold")


def test_nobody_is_unlimited_because_no_plugin_knows(site: Site) -> None:
    """Only where no plugin gives plans are there no limits."""
    assert site.load().relay.plan("org_1", name=None, tx=None).limits == {}
    site.add("a", "@hookimpl\ndef ipcraft_plan(): return None")
    with pytest.raises(LookupError, match="no plugin gives the plan 'gold' of org_1"):
        site.load().relay.plan("org_1", name="gold", tx=None)


def test_arguments_of_a_request_hook_are_matched_by_name(site: Site) -> None:
    """An implementation's own order does not matter."""
    site.add(
        "a", "@hookimpl\ndef ipcraft_authorize(target, action): return (target, action) == (1, 2)"
    )
    relay = site.load().relay
    assert relay.authorize(IDENTITY, cast(str, 2), cast(str, 1))


def test_changes_are_shown_to_every_plugin_in_order(site: Site) -> None:
    """Before and after hooks get the change and its transaction."""
    for name in ("a", "b"):
        source = f"""
            @hookimpl
            def ipcraft_before_change(change, tx): tx.append(("before", "{name}", change))
            @hookimpl
            def ipcraft_after_change(tx): tx.append(("after", "{name}"))
        """
        site.add(name, source)
    relay = site.load().relay
    seen: list[object] = []
    change, tx = cast(Change, "change"), cast(Transaction, seen)
    relay.before_change(change, tx)
    relay.after_change(change, tx)
    assert seen == [
        ("before", "a", "change"),
        ("before", "b", "change"),
        ("after", "a"),
        ("after", "b"),
    ]


# --- what stops the boot ---


def test_an_error_at_import_names_the_line(site: Site) -> None:
    """The last line of the plugin that was running is the one to look at."""
    site.add(
        "a",
        "from ipcraft_a import inner",
        files={"ipcraft_a/inner.py": "import json\n\njson.loads('{')\n"},
    )
    assert site.error() == site.text_at(
        "a",
        f"{site.folder}/ipcraft_a/inner.py:3",
        "cannot be imported: JSONDecodeError: Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)",
    )


def test_a_missing_dependency_names_the_line(site: Site) -> None:
    """A plugin's own import may fail."""
    site.add("a", "import ipcraft_nowhere")
    assert site.error() == site.text(
        "a", 3, "cannot be imported: ModuleNotFoundError: No module named 'ipcraft_nowhere'"
    )


def test_a_syntax_error_names_the_line(site: Site) -> None:
    """The parser says where."""
    site.add("a", "\n1 = 2")
    assert site.error() == site.text(
        "a",
        4,
        "cannot be imported: SyntaxError: cannot assign to literal here. Maybe you meant '==' "
        "instead of '='? (__init__.py, line 4)",
    )


def test_a_missing_module_names_the_entry_point(site: Site) -> None:
    """Where there is no module, the entry point is the line at fault."""
    write_distribution(
        site.folder, "ipcraft-a", version="2.5", plugins={"a": "ipcraft_a"}, files={}
    )
    site.names.append("a")
    assert site.error() == site.text_at(
        "a",
        site.entry_point("a"),
        "cannot be imported: ModuleNotFoundError: No module named 'ipcraft_a'",
    )


def test_an_entry_point_names_a_module(site: Site) -> None:
    """An object in a module is no plugin."""
    write_distribution(
        site.folder, "ipcraft-a", version="2.5", plugins={"a": "ipcraft_a:Plugin"}, files={}
    )
    site.names.append("a")
    assert site.error() == site.text_at(
        "a", site.entry_point("a"), "is the object ipcraft_a:Plugin; expected a module"
    )


def test_a_plugin_must_say_its_api(site: Site) -> None:
    """An integer API stands in every plugin."""
    site.add("a", "", start="")
    assert site.error() == site.text(
        "a", 1, "does not say for which plugin API it was written; write API = 1"
    )


@pytest.mark.parametrize("api", ["2", "'1'", "True"])
def test_a_plugin_for_another_api_is_refused(site: Site, api: str) -> None:
    """The integer must be ours."""
    site.add("a", f"API = {api}", start="\n")
    assert site.error() == site.text(
        "a",
        2,
        f"was written for plugin API {api}, and IPCraft {ipcraft.__version__} has 1; "
        "install a version of the plugin made for it",
    )


def test_a_distribution_for_another_ipcraft_is_refused(site: Site) -> None:
    """Its Requires-Dist is checked before its code runs."""
    site.add("a", "raise SystemExit", requires=("ipcraft>=99",))
    assert site.error() == site.text_at(
        "a",
        site.entry_point("a"),
        f"requires ipcraft>=99, and this is IPCraft {ipcraft.__version__}",
    )


def test_an_unknown_hook_is_refused(site: Site) -> None:
    """A misspelled hook would never be called."""
    site.add("a", "@hookimpl\ndef ipcraft_route(app): ...")
    assert site.error() == site.text(
        "a", 3, 'implements ipcraft_route, which is no hook; did you mean "ipcraft_routes"?'
    )


def test_an_unknown_argument_is_refused(site: Site) -> None:
    """Hooks give what their specification says."""
    site.add("a", "@hookimpl\ndef ipcraft_routes(apps): ...")
    assert site.error() == site.text(
        "a",
        3,
        'takes an argument "apps" in ipcraft_routes, which gives app; did you mean "app"?',
    )


def test_an_argument_of_a_hook_without_arguments_is_refused(site: Site) -> None:
    """Some hooks give none."""
    site.add("a", "@hookimpl\ndef ipcraft_commands(app): ...")
    assert site.error() == site.text(
        "a", 3, 'takes an argument "app" in ipcraft_commands, which gives no arguments'
    )


@pytest.mark.parametrize("signature", ["app=None", "*, app", "**app"])
def test_an_argument_that_would_not_be_filled_is_refused(site: Site, signature: str) -> None:
    """A default would silently stay."""
    site.add("a", f"@hookimpl\ndef ipcraft_routes({signature}): ...")
    assert site.error() == site.text(
        "a",
        3,
        'takes the argument "app" of ipcraft_routes with a default, a star or by keyword only; '
        "hooks give plain arguments",
    )


@pytest.mark.parametrize("body", ["...", "yield"])
def test_an_async_function_is_refused(site: Site, body: str) -> None:
    """Nobody would await it."""
    site.add("a", f"@hookimpl\nasync def ipcraft_routes(app): {body}")
    assert site.error() == site.text(
        "a", 3, "implements ipcraft_routes with async def; hooks are plain functions"
    )


@pytest.mark.parametrize("option", ["tryfirst", "trylast", "wrapper", "hookwrapper"])
def test_another_order_is_refused(site: Site, option: str) -> None:
    """The settings say the order, not the plugins."""
    site.add("a", f"@hookimpl({option}=True)\ndef ipcraft_routes(app): yield")
    assert site.error() == site.text(
        "a",
        3,
        f"implements ipcraft_routes with {option}; "
        "hooks run in the order of the plugins, and none wraps another",
    )


def test_a_forgotten_mark_is_refused(site: Site) -> None:
    """A function named like a hook is meant to be called."""
    site.add("a", "def ipcraft_routes(app): ...")
    assert site.error() == site.text(
        "a",
        3,
        "has a function ipcraft_routes that is not marked with @hookimpl, "
        "so it would never be called",
    )


def test_two_plugins_of_one_name_are_refused(site: Site) -> None:
    """Settings could not tell them apart."""
    site.add("a", "")
    write_distribution(
        site.folder,
        "ipcraft-zzz",
        version="2.5",
        plugins={"a": "ipcraft_zzz"},
        files={"ipcraft_zzz.py": START},
    )
    errors = {
        site.text_at(
            "a",
            site.entry_point(second),
            f"has the name of another plugin, of the distribution ipcraft-{first} 2.5: "
            "uninstall one of the two",
        ).replace("(ipcraft-a ", f"(ipcraft-{second} ")
        for first, second in (("a", "zzz"), ("zzz", "a"))
    }
    assert site.error() in errors


def test_one_module_is_one_plugin(site: Site) -> None:
    """Its functions would be called twice."""
    write_distribution(
        site.folder,
        "ipcraft-a",
        version="2.5",
        plugins={"a": "ipcraft_a", "b": "ipcraft_a"},
        files={"ipcraft_a/__init__.py": START},
    )
    site.names += ["a", "b"]
    text = site.text("b", 1, "is the same module as plugin a")
    assert site.error() == text.replace("ipcraft-b", "ipcraft-a").replace("ipcraft_b", "ipcraft_a")


def test_a_value_of_another_type_is_refused(site: Site) -> None:
    """The error shows what came and what was expected."""
    site.add("a", '@hookimpl\ndef ipcraft_event_types(): return ["subnet.created"]')
    with pytest.raises(PluginError) as caught:
        site.load().collect("ipcraft_event_types", kind=EventType)
    assert str(caught.value) == site.text(
        "a",
        3,
        "returned 'subnet.created' from ipcraft_event_types; expected EventType",
    )


def test_a_forgotten_return_is_refused(site: Site) -> None:
    """None is no value."""
    site.add("a", "@hookimpl\ndef ipcraft_event_types(): ...")
    with pytest.raises(PluginError) as caught:
        site.load().collect("ipcraft_event_types", kind=EventType)
    assert str(caught.value) == site.text(
        "a", 3, "returned None from ipcraft_event_types; expected EventType"
    )


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        ("Backend", "AuthBackend, an object and not its class"),
        ("object()", "AuthBackend, which has name"),
        ("Named()", "AuthBackend, which has authenticate"),
        ("Uncallable()", "AuthBackend, whose authenticate can be called"),
    ],
)
def test_a_value_without_a_protocols_members_is_refused(
    site: Site, backend: str, expected: str
) -> None:
    """What is missing is named."""
    source = f"""
        class Shown(type):
            def __repr__(self): return "it"
        class Named:
            name = "a"
            def __repr__(self): return "it"
        class Uncallable(Named):
            authenticate = 1
        class Backend(Named, metaclass=Shown):
            def authenticate(self, request): ...
        class object:
            def __repr__(self): return "it"
        @hookimpl
        def ipcraft_auth_backends(app): return {backend}
    """
    site.add("a", source)
    with pytest.raises(PluginError) as caught:
        site.load().named("ipcraft_auth_backends", kind=AuthBackend, app=None)
    assert str(caught.value) == site.text(
        "a", 15, f"returned it from ipcraft_auth_backends; expected {expected}"
    )


def test_a_value_with_a_protocols_members_is_taken(site: Site) -> None:
    """An honest object needs no base class; members of a parent protocol count too."""

    class Child(AuthBackend, Protocol):
        size: int

    source = """
        class Backend:
            name = "a"
            size = 1
            def authenticate(self, request): ...
        @hookimpl
        def ipcraft_auth_backends(app): return [Backend()]
    """
    site.add("a", source)
    assert site.load().named("ipcraft_auth_backends", kind=Child, app=None)["a"].size == 1


COMMAND = """
    import click
    from ipcraft.contributions import Command
    @hookimpl
    def ipcraft_commands(): return [Command(click.Command("tree"))]
"""


def test_a_command_given_twice_is_refused(site: Site) -> None:
    """Both plugins are named."""
    site.add("a", COMMAND)
    site.add("b", COMMAND)
    with pytest.raises(PluginError) as caught:
        site.load().named("ipcraft_commands", kind=Command)
    assert str(caught.value) == site.text(
        "b",
        6,
        f"gives a command named tree, as does plugin a ({site.folder}/ipcraft_a/__init__.py:6)",
    )


def test_a_command_of_the_core_cannot_be_replaced(site: Site) -> None:
    """The core has names of its own."""
    site.add("a", COMMAND)
    with pytest.raises(PluginError) as caught:
        site.load().named("ipcraft_commands", kind=Command, core=["tree"])
    assert str(caught.value) == site.text(
        "a", 6, "gives a command named tree, as does IPCraft itself"
    )


def routes(site: Site, **paths: str) -> Registry:
    """Load plugins that give one route each."""
    for name, path in paths.items():
        source = f"""
            from ipcraft.contributions import Route
            @hookimpl
            def ipcraft_routes(app): return [Route("{path}", object())]
        """
        site.add(name, source)
    return site.load()


def test_a_route_given_twice_is_refused(site: Site) -> None:
    """Paths that differ only in the name of a variable are the same."""
    given = routes(site, a="/nets/{id}/x", b="/nets/{net_id:int}/x").collect(
        "ipcraft_routes", kind=Route, app=None
    )
    with pytest.raises(PluginError) as caught:
        unique_routes(given)
    assert str(caught.value) == site.text(
        "b",
        5,
        "gives a route /nets/{net_id:int}/x, as does plugin a "
        f"({site.folder}/ipcraft_a/__init__.py:5)",
    )


def test_a_route_of_the_core_cannot_be_replaced(site: Site) -> None:
    """The core has paths of its own."""
    given = routes(site, a="/healthz").collect("ipcraft_routes", kind=Route, app=None)
    with pytest.raises(PluginError) as caught:
        unique_routes(given, core=["/healthz"])
    assert str(caught.value) == site.text("a", 5, "gives a route /healthz, as does IPCraft itself")


def test_a_variable_has_one_name_in_all_routes(site: Site) -> None:
    """Falcon would refuse the second route without saying whose it is."""
    given = routes(site, a="/nets/{id}", b="/nets/{net_id}/x").collect(
        "ipcraft_routes", kind=Route, app=None
    )
    with pytest.raises(PluginError) as caught:
        unique_routes(given)
    assert str(caught.value) == site.text(
        "b",
        5,
        "gives a route /nets/{net_id}/x, whose /nets/{net_id} is /nets/{id} in plugin a "
        f"({site.folder}/ipcraft_a/__init__.py:5): "
        "a variable has one name and one converter in all paths",
    )


def test_different_routes_stand_beside_each_other(site: Site) -> None:
    """A longer path, a fixed word and another variable are no conflict."""
    registry = routes(site, a="/nets/{id}", b="/nets/{id}/x", c="/nets/all", d="/tags/{tag}")
    given = registry.collect("ipcraft_routes", kind=Route, app=None)
    paths = [route.path for route in unique_routes(given, core=["/nets/{id}/y"])]
    assert paths == ["/nets/{id}", "/nets/{id}/x", "/nets/all", "/tags/{tag}"]


def test_any_key_can_be_kept_unique(site: Site) -> None:
    """Plugins that offer hooks check what they are given the same way."""
    site.add("a", "@hookimpl\ndef ipcraft_event_types(): return [1, 2, 3]")
    given = site.load().collect("ipcraft_event_types", kind=int)
    with pytest.raises(PluginError) as caught:
        unique(given, key=lambda number: number % 2, what="remainder")
    where = f"{site.folder}/ipcraft_a/__init__.py:3"
    assert str(caught.value) == site.text(
        "a", 3, f"gives a remainder 1, as does plugin a ({where})"
    )


def test_a_table_given_twice_is_refused(site: Site) -> None:
    """Two plugins cannot both have a table, whatever its case."""
    site.add("a", TABLES.format("zones"))
    site.add("b", TABLES.format("Zones"))
    assert site.error() == site.text(
        "b",
        9,
        f"gives a table Zones, as does plugin a ({site.folder}/ipcraft_a/__init__.py:9)",
    )


def test_a_table_of_the_core_cannot_be_replaced(site: Site) -> None:
    """The core has tables of its own."""
    site.add("a", TABLES.format("events"))
    assert site.error() == site.text("a", 9, "gives a table events, as does IPCraft itself")


def test_a_plugin_has_one_history(site: Site) -> None:
    """A second one would be lost."""
    one = "Migrations(metadata, Path())"
    site.add("a", TABLES.format("zones").replace(one, f"[{one}, {one}]"))
    assert site.error() == site.text("a", 9, "returned several values from ipcraft_migrations")


def test_a_schema_of_settings_is_a_marshmallow_schema(site: Site) -> None:
    """Another class could not load a section."""
    site.add("a", "@hookimpl\ndef ipcraft_config_schema(): return int")
    assert site.error() == site.text(
        "a",
        3,
        "returned <class 'int'> from ipcraft_config_schema; expected a marshmallow schema",
    )


def test_an_error_in_a_hook_names_the_line(site: Site) -> None:
    """The last line of the plugin that was running is named, not the library's."""
    source = """
        import json
        @hookimpl
        def ipcraft_routes(app):
            return json.loads("")
    """
    site.add("a", source)
    with pytest.raises(PluginError) as caught:
        site.load().collect("ipcraft_routes", kind=Route, app=None)
    assert str(caught.value) == site.text(
        "a",
        7,
        "failed in ipcraft_routes: JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    )


def test_the_culprit_of_an_offered_hook_is_the_one_who_implements_it(site: Site) -> None:
    """The plugin that offers the hook and collects it is not blamed."""
    specs = START + "@hookspec\ndef ipcraft_tools(): ..."
    source = """
        from ipcraft_a import hooks
        @hookimpl
        def ipcraft_hookspecs(): return hooks
        @hookimpl
        def ipcraft_routes(app): return app.collect("ipcraft_tools", kind=str)
    """
    site.add("a", source, files={"ipcraft_a/hooks.py": specs})
    site.add("b", "@hookimpl\ndef ipcraft_tools(): return 1")
    registry = site.load()
    with pytest.raises(PluginError) as caught:
        registry.collect("ipcraft_routes", kind=Route, app=registry)
    assert str(caught.value) == site.text("b", 3, "returned 1 from ipcraft_tools; expected str")


@pytest.mark.parametrize(
    ("specs", "problem"),
    [
        ("None", "returned None from ipcraft_hookspecs; expected a module"),
        ("hooks", "offers ipcraft_a.hooks, which has no function marked with hookspec"),
    ],
)
def test_offered_hooks_are_a_module_of_specs(site: Site, specs: str, problem: str) -> None:
    """The offer itself is checked first."""
    source = f"from ipcraft_a import hooks\n@hookimpl\ndef ipcraft_hookspecs(): return {specs}"
    site.add("a", source, files={"ipcraft_a/hooks.py": ""})
    assert site.error() == site.text("a", 4, problem)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("ipcraft_routes", "offers the hook ipcraft_routes, as does IPCraft itself"),
        ("tools", "offers the hook tools, whose name does not begin with ipcraft_"),
    ],
)
def test_the_name_of_an_offered_hook_is_checked(site: Site, name: str, problem: str) -> None:
    """A hook is offered once, under our prefix."""
    source = "from ipcraft_a import hooks\n@hookimpl\ndef ipcraft_hookspecs(): return hooks"
    specs = f"{START}@hookspec\ndef {name}(): ..."
    site.add("a", source, files={"ipcraft_a/hooks.py": specs})
    where = f"{site.folder}/ipcraft_a/hooks.py:3"
    assert site.error() == site.text_at("a", where, problem)


def test_a_hook_offered_by_two_plugins_is_refused(site: Site) -> None:
    """Both plugins are named."""
    for name in ("a", "b"):
        source = (
            f"from ipcraft_{name} import hooks\n@hookimpl\ndef ipcraft_hookspecs(): return hooks"
        )
        specs = f"{START}@hookspec\ndef ipcraft_tools(): ..."
        site.add(name, source, files={f"ipcraft_{name}/hooks.py": specs})
    assert site.error() == site.text_at(
        "b",
        f"{site.folder}/ipcraft_b/hooks.py:3",
        f"offers the hook ipcraft_tools, as does plugin a ({site.folder}/ipcraft_a/hooks.py)",
    )


# --- plugins that are not required ---

OPTIONAL = {"required": False}


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("API = 2", None),
        (
            "@hookimpl\ndef ipcraft_route(app): ...",
            'implements ipcraft_route, which is no hook; did you mean "ipcraft_routes"?',
        ),
        (
            "@hookimpl\ndef ipcraft_hookspecs(): ...",
            "returned None from ipcraft_hookspecs; expected a module",
        ),
    ],
)
def test_a_broken_plugin_that_is_not_required_is_left_out(
    site: Site, source: str, problem: str | None
) -> None:
    """The others load; it is degraded, with the reason but without paths."""
    site.add("a", source)
    site.add("b", "@hookimpl\ndef ipcraft_event_types(): return [1]")
    registry = site.load(a=OPTIONAL)
    assert [(each.name, each.state) for each in registry.plugins] == [
        ("a", "degraded"),
        ("b", "enabled"),
    ]
    assert list(registry.degraded) == ["a"]
    assert problem in (None, registry.degraded["a"])
    assert [each.value for each in registry.collect("ipcraft_event_types", kind=int)] == [1]


@pytest.mark.parametrize(
    "hook",
    [
        "ipcraft_storage_backends",
        "ipcraft_auth_backends",
        "ipcraft_authorize",
        "ipcraft_plan",
        "ipcraft_before_change",
    ],
)
def test_a_plugin_that_guards_is_never_left_out(site: Site, hook: str) -> None:
    """Its text tells that it guards, even when it cannot be imported."""
    site.add("a", f"1 / 0\n@hookimpl\ndef {hook}(): ...")
    assert site.error(a=OPTIONAL) == site.text(
        "a",
        3,
        "cannot be imported: ZeroDivisionError: division by zero\n"
        f"required = false does not leave it out: it guards with {hook}",
    )


def test_a_plugin_that_meant_to_guard_is_never_left_out(site: Site) -> None:
    """A misspelled guard still shows what it was for."""
    site.add("a", "@hookimpl\ndef ipcraft_autorize(): ...")
    assert site.error(a=OPTIONAL) == site.text(
        "a",
        3,
        'implements ipcraft_autorize, which is no hook; did you mean "ipcraft_authorize"?\n'
        "required = false does not leave it out: it guards with ipcraft_authorize",
    )


def test_a_plugin_whose_text_cannot_be_read_is_never_left_out(site: Site) -> None:
    """Nobody knows whether it guards."""
    site.add("a", "1 = 2")
    assert site.error(a=OPTIONAL).endswith(
        "required = false does not leave it out: its text does not tell whether it guards\n"
        'To start without it, write disable = ["a"] under [plugins] in ipcraft.toml'
    )


def test_what_is_built_of_a_plugin_that_breaks_later_is_built_again(site: Site) -> None:
    """No application ever holds half a plugin."""
    site.add("a", '@hookimpl\ndef ipcraft_event_types(): return ["a"]')
    site.add("b", "@hookimpl\ndef ipcraft_event_types(): return [1]")

    def build(registry: Registry) -> tuple[list[int], Mapping[str, str]]:
        given = registry.collect("ipcraft_event_types", kind=int)
        return [each.value for each in given], registry.degraded

    problem = "returned 'a' from ipcraft_event_types; expected int"
    assert boot(site.settings(a=OPTIONAL), build) == ([1], {"a": problem})
    with pytest.raises(PluginError):
        boot(site.settings(), build)


def test_a_plugin_is_left_out_once(site: Site) -> None:
    """A builder that still complains about a plugin that is not there is heard."""
    site.add("a", "")
    settings = site.settings(a=OPTIONAL)

    def build(registry: Registry) -> None:
        raise PluginError(registry.plugins[0], "is still wrong")

    with pytest.raises(PluginError, match="is still wrong"):
        boot(settings, build)
