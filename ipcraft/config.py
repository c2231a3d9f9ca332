"""Settings of a start, from `ipcraft.toml` and the environment.

A key of the file's top level is also the variable ``IPCRAFT_KEY``, a key of ``[plugins.NAME]``
the variable ``IPCRAFT_NAME_KEY``. The environment wins over the file. A secret may be given as a
file: ``IPCRAFT_KEY_FILE`` holds its path.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate

from ipcraft.errors import StartError
from ipcraft.mail import MailServer, sender
from ipcraft.outbound.name_servers import NameServer
from ipcraft.spelling import did_you_mean
from ipcraft.validators import readable_by

FILE_NAME = "ipcraft.toml"
"""The file read from the working folder when no other is named."""

DATABASE_URL = "sqlite:///ipcraft.db"
"""The database of a start that names none: a file in the working folder."""

NetworkAddresses = IPv4Network | IPv6Network

THIS_MACHINE: tuple[NetworkAddresses, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
"""The addresses that only the machine itself has."""
"""A network whose addresses a setting means."""

_PREFIX = "IPCRAFT_"
_NOTHING: Mapping[str, object] = MappingProxyType({})
_OVERRIDE = "given at the start"
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NUMBERS: tuple[tuple[type[fields.Field[Any]], Callable[[str], object]], ...] = (
    (fields.Integer, int),
    (fields.Float, float),
    (fields.Decimal, float),
)
_WHOLE = "_schema"  # marshmallow's key for complaints about all values together


class ConfigError(StartError):
    """Refuse a setting, naming the file or variable and the key."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Name one table of settings: its path in the file and the prefix of its variables."""

    tables: tuple[str, ...] = ()
    prefix: str = _PREFIX
    reserved: bool = False
    """Whether only the key of a section that IPCraft itself reads is meant."""

    @classmethod
    def section(cls, name: str) -> _Place:
        return cls(("plugins", name), _variable(_PREFIX, name) + "_")

    def leaves(self, key: str, value: object) -> bool:
        """Tell whether a key of this table belongs to another place."""
        if self.tables == ("plugins",):
            return isinstance(value, Mapping)
        if self.tables:
            return (key == "required") is not self.reserved
        return key == "plugins"

    def key(self, key: str = "") -> str:
        """Give a key as a person finds it in the file."""
        return f"[{'.'.join(self.tables)}] {key}" if self.tables else key

    def variable(self, key: str) -> str:
        """Give the variable that holds a key."""
        return _variable(self.prefix, key)


@dataclass(frozen=True, slots=True)
class _Sources:
    """Hold where settings come from; later ones win: the file, the environment, the overrides."""

    path: Path | None = None
    document: Mapping[str, object] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, object] = field(default_factory=dict)

    @property
    def file(self) -> str:
        return str(self.path) if self.path else FILE_NAME

    def table(self, layer: Mapping[str, object], place: _Place) -> Mapping[str, object]:
        """Give one layer's values of a place."""
        for name in place.tables:
            inner = layer.get(name, _NOTHING)
            if not isinstance(inner, Mapping):
                raise ConfigError(f"{self.file}: {name}: must be a table, [{name}]")
            layer = inner
        return {key: value for key, value in layer.items() if not place.leaves(key, value)}

    def load(self, schema: Schema, place: _Place) -> Mapping[str, object]:
        """Load one table of settings, typed; complain about all bad keys at once."""
        values, origins = {}, {}
        for key, value, origin in self._values(schema, place):
            values[key], origins[key] = value, origin
        try:
            return cast("Mapping[str, object]", schema.load(values))
        except ValidationError as error:
            complaints = [
                f"{origins.get(key) or self._origin(place, key)}{path}: {complaint}"
                for key, path, complaint in _flat(error.messages)
            ]
            raise ConfigError("\n".join(complaints)) from error

    def _values(self, schema: Schema, place: _Place) -> Iterator[tuple[str, object, str]]:
        """Give each key that is set, with its value and where that stands."""
        known = {kind.data_key or name: kind for name, kind in schema.fields.items()}
        given = self.table(self.document, place)
        overrides = self.table(self.overrides, place)
        if schema.unknown == RAISE:
            _refuse_unknown(given, known, origin=f"{self.file}: {place.key()}")
            _refuse_unknown(overrides, known, origin=f"{_OVERRIDE}: {place.key()}")
        for key, kind in known.items():
            variable = place.variable(key)
            if key in overrides:
                yield key, overrides[key], f"{_OVERRIDE}: {place.key(key)}"
            elif (text := self._text(variable, kind)) is not None:
                yield key, _typed(text, kind), variable
            elif key in given:
                yield key, given[key], f"{self.file}: {place.key(key)}"

    def _text(self, variable: str, kind: fields.Field[Any]) -> str | None:
        direct = self.environ.get(variable)
        file = self.environ.get(f"{variable}_FILE") if kind.metadata.get("secret") else None
        if file is None:
            return direct
        if direct is not None:
            raise ConfigError(f"{variable} and {variable}_FILE are both set: unset one")
        try:
            return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise ConfigError(f"{variable}_FILE: cannot read {file}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{variable}_FILE: cannot read {file}: not UTF-8") from error

    def _origin(self, place: _Place, key: str) -> str:
        """Say where a key that is not set could be."""
        if key == _WHOLE:
            return f"{self.file}: {place.key()}".rstrip(" :")
        return f"{self.file}: {place.key(key)} (or {place.variable(key)})"


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold what a start was told. Neither secrets nor URLs with passwords are in its repr."""

    database_url: str = field(default=DATABASE_URL, repr=False)
    log_level: str = "info"
    log_format: Literal["json", "text"] = "text"
    public_url: str | None = None
    """Base of every link sent, without a slash at its end."""
    secret_key: str | None = field(default=None, repr=False)
    """What every other key is derived from; None where it is kept beside the database."""
    signup: Literal["open", "closed"] = "closed"
    """Whether somebody nobody invited gets an organization of their own."""
    default_plan: str = "enterprise"
    """Plan of a new organization."""
    rate_limiter: str | None = None
    """Name of the limiter that counts requests; None for the last one that a plugin gives."""
    job_queue: str | None = None
    lease: float = 30.0
    """Name of the queue that carries jobs; None for the last one that a plugin gives."""
    smtp_url: str | None = field(default=None, repr=False)
    """The server that mail is sent through; None where mail is written to the log."""
    mail_from: str | None = None
    """Whom mail is from: an address, or a name with the address in angle brackets."""
    trusted_proxies: tuple[NetworkAddresses, ...] = ()
    """Networks of the proxies that tell the truth about who they speak for."""
    allowed_networks: tuple[NetworkAddresses, ...] = ()
    """Networks that may be reached although they are not globally reachable."""
    outbound_ports: tuple[int, ...] = ()
    """The ports of other servers that may be reached; none named: all."""
    outbound_ca_file: str | None = None
    """Certificates of authorities that are trusted besides the system's."""
    outbound_name_servers: tuple[str, ...] = ()
    """Whom to ask for names instead of those in ``/etc/resolv.conf``."""
    metrics: bool = True
    """Whether a server counts and measures what it does, and serves ``/metrics``."""
    metrics_networks: tuple[NetworkAddresses, ...] = THIS_MACHINE
    """Networks from which the metrics may be read without a token."""
    metrics_token: str | None = field(default=None, repr=False)
    """The token by which the metrics may be read from anywhere."""
    metrics_folder: str | None = None
    """Where the processes of this machine put their numbers together; None for a new folder."""
    auth_order: tuple[str, ...] = ()
    """Names of the auth backends to ask first, in this order."""
    plugins: tuple[str, ...] = ()
    """Names of the third-party plugins to load, in their order."""
    disabled: tuple[str, ...] = ()
    """Names of the plugins not to load, built-in ones too."""
    _sources: _Sources = field(default_factory=_Sources, repr=False)

    @property
    def path(self) -> Path | None:
        """Give the `ipcraft.toml` that was read, or None."""
        return self._sources.path

    @property
    def sections(self) -> tuple[str, ...]:
        """Give the names of all ``[plugins.NAME]`` tables, of installed plugins or not."""
        layers = (self._sources.document, self._sources.overrides)
        tables = (cast("Mapping[str, object]", layer.get("plugins", {})) for layer in layers)
        names = (name for table in tables for name in table if isinstance(table[name], Mapping))
        return tuple(dict.fromkeys(names))

    def section(self, name: str, schema: type[Schema]) -> Mapping[str, object]:
        """Load a plugin's section with its schema.

        Raises `ConfigError` for an unknown key and for whatever the schema refuses.
        """
        values = self._sources.load(schema(unknown=RAISE), _Place.section(name))
        return MappingProxyType(dict(values))

    def required(self, name: str) -> bool:
        """Tell whether the start fails with this plugin: ``required = false`` in its section."""
        place = _Place.section(name)
        reserved = _Place(place.tables, place.prefix, reserved=True)
        return bool(self._sources.load(_ReservedSchema(unknown=EXCLUDE), reserved)["required"])

    def remedy(self, name: str) -> str:
        """Say what starts IPCraft without this plugin: one line of the file, or one variable."""
        names = (*self.disabled, name)
        variable = _variable(_PREFIX, "plugins_disable")
        if variable in self._sources.environ:
            return f"set {variable}={','.join(names)}"
        quoted = ", ".join(f'"{each}"' for each in names)
        return f"write disable = [{quoted}] under [plugins] in {self._sources.file}"


class _Network(fields.Field[NetworkAddresses]):
    """Read a network; an address is the network of it alone."""

    def _deserialize(self, value: object, attr: object, data: object, **_: Any) -> NetworkAddresses:
        if not isinstance(value, str):
            raise ValidationError("Not a network such as 10.0.0.0/8.")
        try:
            return ip_network(value)
        except ValueError as error:
            raise ValidationError(f"Not a network: {error}.") from error


class _CoreSchema(Schema):
    database_url = fields.String(
        load_default=DATABASE_URL, validate=validate.Length(min=1), metadata={"secret": True}
    )
    log_level = fields.String(
        load_default="info", validate=validate.OneOf(["debug", "info", "warning", "error"])
    )
    log_format = fields.String(load_default="text", validate=validate.OneOf(["json", "text"]))
    public_url = fields.String(
        load_default=None,
        validate=validate.Regexp(
            r"https?://[^/?#\s]+(/[^?#\s]*[^/?#\s])?$",
            error="Not an http:// or https:// URL without a slash at its end.",
        ),
    )
    secret_key = fields.String(
        load_default=None,
        validate=validate.Length(min=32, error="Shorter than 32 characters."),
        metadata={"secret": True},
    )
    signup = fields.String(load_default="closed", validate=validate.OneOf(["open", "closed"]))
    default_plan = fields.String(load_default="enterprise", validate=validate.Length(min=1))
    rate_limiter = fields.String(load_default=None, validate=validate.Length(min=1))
    job_queue = fields.String(load_default=None, validate=validate.Length(min=1))
    lease = fields.Float(load_default=30.0, validate=validate.Range(min=0.5))
    smtp_url = fields.String(
        load_default=None, validate=readable_by(MailServer.of), metadata={"secret": True}
    )
    mail_from = fields.String(load_default=None, validate=readable_by(sender))
    trusted_proxies = fields.List(_Network(), load_default=tuple)
    allowed_networks = fields.List(_Network(), load_default=tuple)
    outbound_ports = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 65535)), load_default=tuple
    )
    outbound_ca_file = fields.String(load_default=None, validate=validate.Length(min=1))
    outbound_name_servers = fields.List(
        fields.String(validate=readable_by(NameServer.of)), load_default=tuple
    )
    metrics = fields.Boolean(load_default=True)
    metrics_networks = fields.List(_Network(), load_default=THIS_MACHINE)
    metrics_token = fields.String(
        load_default=None,
        validate=validate.Length(min=16, error="Shorter than 16 characters."),
        metadata={"secret": True},
    )
    metrics_folder = fields.String(load_default=None, validate=validate.Length(min=1))
    auth_order = fields.List(fields.String(), load_default=tuple)


class _PluginsSchema(Schema):
    enable = fields.List(fields.String(), load_default=tuple)
    disable = fields.List(fields.String(), load_default=tuple)


class _ReservedSchema(Schema):
    required = fields.Boolean(load_default=True)


def load_settings(
    *,
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, object] = _NOTHING,
) -> Settings:
    """Read the settings of a start.

    `path` names an `ipcraft.toml` that must exist; without it the working folder's is read if
    there is one. `overrides` has the shape of the file and wins over everything:
    ``{"database_url": "...", "plugins": {"enable": ["oidc"]}}``. Raises `ConfigError`.
    """
    if path is None and Path(FILE_NAME).is_file():
        path = Path(FILE_NAME)
    known = {key: value for key, value in environ.items() if key.startswith(_PREFIX)}
    sources = _Sources(path, _read(path) if path else _NOTHING, known, overrides)
    core = sources.load(_CoreSchema(), _Place())
    choice = sources.load(_PluginsSchema(), _Place(("plugins",), f"{_PREFIX}PLUGINS_"))
    return Settings(
        database_url=cast(str, core["database_url"]),
        log_level=cast(str, core["log_level"]),
        log_format=cast('Literal["json", "text"]', core["log_format"]),
        public_url=cast("str | None", core["public_url"]),
        secret_key=cast("str | None", core["secret_key"]),
        signup=cast('Literal["open", "closed"]', core["signup"]),
        default_plan=cast(str, core["default_plan"]),
        rate_limiter=cast("str | None", core["rate_limiter"]),
        job_queue=cast("str | None", core["job_queue"]),
        lease=cast(float, core["lease"]),
        smtp_url=cast("str | None", core["smtp_url"]),
        mail_from=cast("str | None", core["mail_from"]),
        trusted_proxies=tuple(cast("list[NetworkAddresses]", core["trusted_proxies"])),
        allowed_networks=tuple(cast("list[NetworkAddresses]", core["allowed_networks"])),
        outbound_ports=tuple(cast("list[int]", core["outbound_ports"])),
        outbound_ca_file=cast("str | None", core["outbound_ca_file"]),
        outbound_name_servers=tuple(cast("list[str]", core["outbound_name_servers"])),
        metrics=cast(bool, core["metrics"]),
        metrics_networks=tuple(cast("list[NetworkAddresses]", core["metrics_networks"])),
        metrics_token=cast("str | None", core["metrics_token"]),
        metrics_folder=cast("str | None", core["metrics_folder"]),
        auth_order=tuple(dict.fromkeys(cast("list[str]", core["auth_order"]))),
        plugins=tuple(dict.fromkeys(cast("list[str]", choice["enable"]))),
        disabled=tuple(dict.fromkeys(cast("list[str]", choice["disable"]))),
        _sources=sources,
    )


def _read(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _refuse_unknown(given: Iterable[str], known: Mapping[str, object], *, origin: str) -> None:
    complaints = [
        f"{origin}{key}: unknown key{did_you_mean(key, known)}" for key in given if key not in known
    ]
    if complaints:
        raise ConfigError("\n".join(complaints))


def _typed(text: str, kind: fields.Field[Any]) -> object:
    """Give a variable's text as the file would: typed. What does not fit stays text.

    Schemas are strict, and refuse a number's text where they expect the number.
    """
    if isinstance(kind, fields.List):
        return [_typed(word.strip(), kind.inner) for word in text.split(",") if word.strip()]
    if isinstance(kind, fields.Mapping):
        return _object(text)
    if isinstance(kind, fields.Boolean):
        return _BOOLEANS.get(text.lower(), text)
    number = next((make for field, make in _NUMBERS if isinstance(kind, field)), str)
    try:
        return number(text)
    except ValueError:
        return text


def _object(text: str) -> object:
    """Give a table's variable, which holds JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _variable(prefix: str, key: str) -> str:
    return prefix + key.upper().replace("-", "_")


def _flat(messages: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str]]:
    """Give each of marshmallow's messages as key, path inside the value, and sentence."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flat(inner, (*path, str(key)))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flat(inner, path)
    else:
        yield path[0], "".join(f"[{step}]" for step in path[1:]), str(messages)
