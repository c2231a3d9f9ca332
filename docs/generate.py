"""Write the parts of these pages that the code knows better than we do.

A part stands in a page between ``<!-- generated: NAME -->`` and ``<!-- end -->``. After a change
of a hook, a setting, a command, a route, an event type or the plugin API, run::

    python docs/generate.py

A test compares every page with what this module would write.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from marshmallow import Schema, fields, validate

import ipcraft.plugin
from ipcraft import config, hookspecs
from ipcraft.app import Application, create_application
from ipcraft.cli.context import Invocation
from ipcraft.cli.program import program
from ipcraft.config import load_settings
from ipcraft.contributions import EventType, Identity, Route
from ipcraft.http.routing import Router
from ipcraft_accounts import ROLES
from ipcraft_plans.catalogue import ROWS, catalogue, rows_of

DOCS = Path(__file__).resolve().parent

_BLOCK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_CORE_SETTINGS = {
    "database_url": "The database: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.",
    "log_level": "The least important lines that are logged.",
    "log_format": "`text` to read, `json` to collect. Logs go to standard error.",
    "public_url": "Where users reach this installation, without a slash at its end: the base of "
    "every link that is sent. With `https` cookies are only sent over TLS.",
    "secret_key": "What the keys that sign and encrypt are derived from, 32 characters or more. "
    "An embedded database has its own in a file beside it; any other needs this.",
    "signup": "Whether a person whom nobody invited gets an organization at the first sign-in.",
    "default_plan": "The plan of a new organization: `enterprise` has no limits.",
    "rate_limiter": "What counts requests, `local` or `redis`; Redis where it has a URL.",
    "job_queue": "Where jobs run, `local` or `redis`; Redis where it has a URL.",
    "lease": "Seconds after which the work of a process that died is taken up by another.",
    "smtp_url": "The mail server: `smtp://USER:PASSWORD@HOST:PORT?starttls=true` or `smtps://...`. "
    "Without it mail is written to the log.",
    "mail_from": "Whom mail is from: an address, or `Name <address>`.",
    "trusted_proxies": "Networks of the proxies whose `X-Forwarded-For` counts.",
    "allowed_networks": "Networks that webhooks and tools may reach although they are not globally "
    "reachable, such as `10.0.0.0/8`.",
    "outbound_ports": "The ports of other servers that webhooks and tools may reach; none: all.",
    "outbound_ca_file": "A PEM file with authorities to trust besides the system's.",
    "outbound_name_servers": "Name servers to ask instead of those in `/etc/resolv.conf`, each "
    "with a port or without.",
    "auth_order": "Auth backends to ask first, in this order, such as `api_key`, `session`.",
    "metrics": "Whether servers count and measure what they do, and serve `/metrics`.",
    "metrics_networks": "Networks whose clients may read the metrics without a token.",
    "metrics_token": "A token, 16 characters or more, by which the metrics may be read from "
    "anywhere: `Authorization: Bearer TOKEN`.",
    "metrics_folder": "A folder in which the servers and workers of one machine put their numbers "
    "together. Without it each server has its own, for as long as it runs.",
    "enable": "Plugins of other distributions to load, in this order.",
    "disable": "Plugins not to load, built-in ones too.",
}
_EVERYTHING = {
    "IPCRAFT_STRIPE_API_KEY": "sk_test_documented",
    "IPCRAFT_STRIPE_WEBHOOK_SECRET": "whsec_documented",
    "IPCRAFT_STRIPE_PRICE_PRO": "price_pro",
    "IPCRAFT_STRIPE_PRICE_TEAMS": "price_teams",
}
"""Settings without which a part of the API would not be there to be described."""
_LINE_LENGTH = 100
_TYPES: tuple[tuple[type[fields.Field[Any]], str], ...] = (
    (fields.Boolean, "true or false"),
    (fields.Integer, "integer"),
    (fields.Float, "number"),
    (fields.List, "list"),
    (fields.Mapping, "table"),
    (fields.String, "text"),
)


def render(page: str) -> str:
    """Give a page's text with every generated part as the code has it now."""

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}\n{PARTS[match['name']]().strip()}\n\n{match[3]}"

    return _BLOCK.sub(fill, page)


def generated_parts(page: str) -> list[str]:
    """Give the names of the generated parts of a page."""
    return [match["name"] for match in _BLOCK.finditer(page)]


def pages() -> list[Path]:
    """Give the pages that have generated parts."""
    return [path for path in sorted(DOCS.rglob("*.md")) if generated_parts(path.read_text())]


@cache
def _app() -> Application:
    # A storage opens its database at first use; none is used here.
    return create_application(load_settings(path=Path("/dev/null"), environ=_EVERYTHING))


def _routes() -> str:
    app = _app()
    given = app.registry.collect("ipcraft_routes", kind=Route, app=app)
    plugin_of = {each.value.path: each.plugin.name for each in given}
    rows = [
        (
            f"`{method}`",
            f"`{route.path}`",
            _action(route, method),
            plugin_of.get(route.path, "core"),
        )
        for route in app.routes
        for method in methods(route)
    ]
    return _table(("Method", "Path", "Needs", "Plugin"), rows)


def methods(route: Route) -> list[str]:
    """Give the methods of a route, HEAD and OPTIONS left out."""
    known = Router().map_http_methods(route.resource)
    return [name for name in ("GET", "POST", "PUT", "PATCH", "DELETE") if name in known]


def _action(route: Route, method: str) -> str:
    return "nothing" if route.public else f"`{route.action(method)}`"


def _roles() -> str:
    rows = [
        (f"`{method}`", f"`{route.path}`", *(_may(role, route, method) for role in ROLES))
        for route in _app().routes
        if not route.public
        for method in methods(route)
    ]
    return _table(("Method", "Path", *(f"`{role}`" for role in ROLES)), rows)


def _may(role: str, route: Route, method: str) -> str:
    identity = Identity(organization_id="", user_id=None, role=role, scheme="")
    allowed = _app().registry.relay.authorize(identity, route.action(method), route.path)
    return "yes" if allowed else ""


def _core_hooks() -> str:
    return _hooks(hookspecs)


def _plugin_hooks() -> str:
    given = _app().registry.collect("ipcraft_hookspecs", kind=ModuleType)
    return "\n\n".join(
        f"## Hooks of the plugin `{each.plugin.name}`\n\n{_hooks(each.value)}" for each in given
    )


def hooks_of(module: ModuleType) -> dict[str, str]:
    """Give the hooks a module specifies, each with its signature as the formatter writes it."""
    tree = ast.parse(inspect.getsource(module))
    return {node.name: _signature(node) for node in _specs(tree)}


def _hooks(module: ModuleType) -> str:
    tree = ast.parse(inspect.getsource(module))
    return "\n\n".join(
        f"### `{node.name}`\n\n```python\n{_signature(node)}: ...\n```\n\n"
        f"{_markdown(ast.get_docstring(node) or '')}"
        for node in _specs(tree)
    )


def _specs(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(mark, ast.Name) and mark.id == "hookspec" for mark in node.decorator_list
        ):
            yield node


def _signature(node: ast.FunctionDef) -> str:
    returns = ast.unparse(node.returns) if node.returns else "None"
    arguments = ast.unparse(node.args)
    line = f"def {node.name}({arguments}) -> {returns}"
    if len(f"{line}: ...") <= _LINE_LENGTH:
        return line
    return f"def {node.name}(\n    {arguments}\n) -> {returns}"


def _markdown(docstring: str) -> str:
    """Turn a docstring into Markdown: its inline code, and its examples as blocks."""
    paragraphs = re.split(r"\n{2,}", docstring)
    return "\n\n".join(
        f"```pycon\n{re.sub(r'  # doctest: .*', '', paragraph)}\n```"
        if paragraph.startswith(">>>")
        else paragraph.replace("``", "`")
        for paragraph in paragraphs
    )


def _core_settings() -> str:
    top = _settings_table(config._CoreSchema, prefix="IPCRAFT_", meanings=_CORE_SETTINGS)
    choice = _settings_table(
        config._PluginsSchema, prefix="IPCRAFT_PLUGINS_", meanings=_CORE_SETTINGS
    )
    return f"## Top level\n\n{top}\n\n## `[plugins]`\n\n{choice}"


def _plugin_settings() -> str:
    return "\n\n".join(
        f"## `[plugins.{name}]`\n\n{_settings_table(schema, prefix=f'IPCRAFT_{name.upper()}_')}"
        for name, schema in plugin_schemas().items()
    )


def plugin_schemas() -> Mapping[str, type[Schema]]:
    """Give the schema of each plugin's section."""
    given = _app().registry.collect("ipcraft_config_schema", kind=type)
    return {each.plugin.name: each.value for each in given}


def _settings_table(
    schema: type[Schema], *, prefix: str, meanings: Mapping[str, str] | None = None
) -> str:
    rows = []
    for name, field in schema().fields.items():
        variable = f"`{prefix}{name.upper()}`"
        if field.metadata.get("secret"):
            variable += f" or `{prefix}{name.upper()}_FILE`"
        meaning = meanings[name] if meanings else str(field.metadata["description"])
        rows.append((f"`{name}`", variable, _kind(field), _default(field), meaning))
    return _table(("Key", "Variable", "Value", "Default", "Meaning"), rows)


def _kind(field: fields.Field[Any]) -> str:
    name = next(word for kind, word in _TYPES if isinstance(field, kind))
    for check in field.validators:
        if isinstance(check, validate.OneOf):
            return " or ".join(f"`{choice}`" for choice in check.choices)
        if isinstance(check, validate.Range) and check.min is not None:
            return f"{name} from {check.min}"
    return name


def _default(field: fields.Field[Any]) -> str:
    default = field.load_default
    if default in (None, tuple, dict):
        return "none"
    if isinstance(default, tuple):
        return ", ".join(f"`{each}`" for each in default)
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _plans() -> str:
    shown = [rows_of(plan) for plan in catalogue(_app()).values()]
    rows = [(f"`{row}`", *(_limit(plan[row]) for plan in shown)) for row in ROWS]
    return _table(("Row", *(f"`{name}`" for name in catalogue(_app()))), rows)


def _limit(value: object) -> str:
    if value is None:
        return "unlimited"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _commands() -> str:
    context = click.Context(program, info_name="ipcraft", obj=_invocation())
    groups = [_command(program, context), *_subcommands(program, context)]
    return "\n\n".join(groups)


def _invocation() -> Invocation:
    return Invocation(lambda: load_settings(path=Path("/dev/null"), environ={}))


def command_tree() -> dict[tuple[str, ...], set[str]]:
    """Give each command's words with its options, the main command's under no word."""

    def walk(command: click.Command, context: click.Context, words: tuple[str, ...]) -> None:
        parameters = command.get_params(context)
        tree[words] = {name for each in parameters for name in (*each.opts, *each.secondary_opts)}
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                walk(inner, click.Context(inner, parent=context, info_name=name), (*words, name))

    tree: dict[tuple[str, ...], set[str]] = {}
    walk(program, click.Context(program, info_name="ipcraft", obj=_invocation()), ())
    return tree


def _subcommands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, parent=context, info_name=name)
        yield _command(command, inner)
        if isinstance(command, click.Group):
            yield from _subcommands(command, inner)


def _command(command: click.Command, context: click.Context) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    help_text = inspect.cleandoc(command.help or "").replace("\b\n", "").replace("``", "`")
    records = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
        and "--help" not in parameter.opts
        and (record := parameter.get_help_record(context)) is not None
    ]
    parts = [f"## `{context.command_path}`", f"```text\n{usage}\n```", help_text]
    if records:
        rows = [(f"`{_cell(words)}`", _cell(text)) for words, text in records]
        parts.append(_table(("Option", "Meaning"), rows))
    return "\n\n".join(part for part in parts if part)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _event_types() -> str:
    given = _app().registry.collect("ipcraft_event_types", kind=EventType)
    rows = [
        (
            f"`{each.value.name}`",
            each.value.description,
            "no" if each.value.internal else "yes",
            f"`{each.plugin.name}`",
        )
        for each in given
    ]
    return _table(("Type", "Meaning", "To webhooks", "Plugin"), rows)


def _plugin_names() -> str:
    names = sorted(public_names(), key=lambda name: (name.islower(), name))
    return _table(("Name", "Meaning"), [(f"`{name}`", _summary(name)) for name in names])


def public_names() -> list[str]:
    """Give the names of the plugin API: all that its module imports."""
    tree = ast.parse(inspect.getsource(ipcraft.plugin))
    return [
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    ]


def _summary(name: str) -> str:
    value = getattr(ipcraft.plugin, name)
    documented = inspect.isclass(value) or inspect.isroutine(value)
    text = inspect.getdoc(value) if documented else _PLAIN_NAMES[name]
    first = re.split(r"(?<=\.)\s|\n\n", text or "", maxsplit=1)[0]
    return _cell(first.replace("``", "`")).rstrip(":")


_PLAIN_NAMES = {
    "API": "The number of this plugin API; a plugin says which one it was written for.",
    "AddressBytes": "Column type of an address: a family byte and its 4 or 16 bytes.",
    "ExactText": "Column type of text that sorts byte by byte on every database.",
    "MOMENT": "What to ask for beside a figure, for `Moment.of` to make the moment of it.",
    "Row": "Type of a result that no constructor was named for: a tuple.",
    "SERVING_ROLE": "Key of a connection's info that names the role of the tenants.",
    "Seconds": "Column type of a time: whole seconds since the epoch.",
    "ONCE": "The `Retries` of a job that is not tried again.",
    "Queued": "Type of a statement that waits to be sent, with its arguments.",
    "Settle": "Type of what takes the rows that answer a question of a transaction.",
    "Timestamp": "Type of a time in an answer: text, UTC, RFC 3339.",
    "events": "The table of events.",
    "hookimpl": "Mark a function as the implementation of the hook it is named after.",
    "hookspec": "Mark a function as the specification of a hook that your plugin offers.",
}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


PARTS: Mapping[str, Callable[[], str]] = {
    "routes": _routes,
    "roles": _roles,
    "core-hooks": _core_hooks,
    "plugin-hooks": _plugin_hooks,
    "core-settings": _core_settings,
    "plugin-settings": _plugin_settings,
    "plans": _plans,
    "commands": _commands,
    "event-types": _event_types,
    "plugin-names": _plugin_names,
}


def write() -> None:
    """Bring every page up to date."""
    for path in pages():
        path.write_text(render(path.read_text()))


if __name__ == "__main__":
    write()
