"""Settings come from ipcraft.toml and IPCRAFT_*, typed, and every mistake names its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from marshmallow import Schema, ValidationError, fields, validates_schema

from ipcraft.config import ConfigError, Settings, load_settings


class Mail(Schema):
    """Be a plugin's section with a field of each type."""

    host = fields.String(required=True)
    port = fields.Integer(load_default=25, strict=True)
    patience = fields.Float(load_default=1.5)
    starttls = fields.Boolean(load_default=False)
    retries = fields.List(fields.Integer(strict=True), load_default=tuple)
    password = fields.String(load_default=None, metadata={"secret": True})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(toml: str = "", environ: Mapping[str, str] | None = None) -> Settings:
    """Load settings from a file with this text and from this environment only."""
    Path("ipcraft.toml").write_text(toml, encoding="utf-8")
    return load_settings(environ=environ or {})


def complaint(toml: str = "", environ: Mapping[str, str] | None = None) -> str:
    """Give the text of the error these settings raise."""
    with pytest.raises(ConfigError) as caught:
        load(toml, environ)
    return str(caught.value)


def mail_complaint(toml: str = "", environ: Mapping[str, str] | None = None) -> str:
    """Give the text of the error the section of the plugin mail raises."""
    settings = load(toml, environ)
    with pytest.raises(ConfigError) as caught:
        settings.section("mail", Mail)
    return str(caught.value)


def test_nothing_is_needed(folder: Path) -> None:
    """Without file and variables, the embedded database and no third-party plugin are chosen."""
    settings = load_settings(environ={})
    assert settings == Settings()
    assert settings.database_url == "sqlite:///ipcraft.db"
    assert (settings.log_level, settings.log_format) == ("info", "text")
    assert (settings.plugins, settings.disabled, settings.path) == ((), (), None)


def test_the_file_of_the_working_folder_is_read() -> None:
    """A file named ipcraft.toml needs no option."""
    settings = load(
        'database_url = "sqlite:///a.db"\nlog_level = "debug"\nlog_format = "json"\n'
        'public_url = "https://ipam.example.com"\ndefault_plan = "free"\n'
        '[plugins]\nenable = ["oidc", "ldap"]\ndisable = ["activity"]\n'
    )
    assert settings.database_url == "sqlite:///a.db"
    assert (settings.log_level, settings.log_format) == ("debug", "json")
    assert (settings.public_url, settings.default_plan) == ("https://ipam.example.com", "free")
    assert (settings.plugins, settings.disabled) == (("oidc", "ldap"), ("activity",))
    assert settings.path == Path("ipcraft.toml")


def test_a_named_file_is_read(folder: Path) -> None:
    """Another file can be named."""
    path = folder / "other.toml"
    path.write_text('log_level = "error"')
    assert load_settings(path=path, environ={}).log_level == "error"


def test_a_named_file_must_exist(folder: Path) -> None:
    """A file that was named and is not there stops the start."""
    with pytest.raises(ConfigError) as caught:
        load_settings(path=folder / "gone.toml", environ={})
    assert str(caught.value) == f"{folder}/gone.toml: cannot be read: No such file or directory"


def test_signup_is_closed_unless_opened() -> None:
    """Nobody gets in by an oversight; another word is refused."""
    assert load().signup == "closed"
    assert load('signup = "open"').signup == "open"
    assert load(environ={"IPCRAFT_SIGNUP": "open"}).signup == "open"
    assert "IPCRAFT_SIGNUP" in complaint(environ={"IPCRAFT_SIGNUP": "yes"})


def test_the_order_of_auth_backends_is_a_list() -> None:
    """In the file and in the variable; a name given twice counts once."""
    assert load().auth_order == ()
    assert load('auth_order = ["proxy", "session", "proxy"]').auth_order == ("proxy", "session")
    environ = {"IPCRAFT_AUTH_ORDER": "proxy, session"}
    assert load(environ=environ).auth_order == ("proxy", "session")


def test_trusted_proxies_are_networks() -> None:
    """An address is the network of it alone; the variable has them comma-separated."""
    settings = load('trusted_proxies = ["10.0.0.0/8", "2001:db8::1"]')
    assert [str(each) for each in settings.trusted_proxies] == ["10.0.0.0/8", "2001:db8::1/128"]
    environ = {"IPCRAFT_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1"}
    assert [str(each) for each in load_settings(environ=environ).trusted_proxies] == [
        "10.0.0.0/8",
        "192.0.2.1/32",
    ]


def test_what_may_be_reached_is_nothing_special_unless_allowed() -> None:
    """No network, every port, the machine's name servers, the system's authorities."""
    settings = load()
    assert (settings.allowed_networks, settings.outbound_ports) == ((), ())
    assert (settings.outbound_name_servers, settings.outbound_ca_file) == ((), None)


def test_what_may_be_reached_is_set() -> None:
    """In the file, or comma-separated in variables."""
    environ = {
        "IPCRAFT_ALLOWED_NETWORKS": "10.0.0.0/8, fd00::/8",
        "IPCRAFT_OUTBOUND_PORTS": "443,8443",
        "IPCRAFT_OUTBOUND_NAME_SERVERS": "10.0.0.53, [fd00::53]:5353",
        "IPCRAFT_OUTBOUND_CA_FILE": "ca.pem",
    }
    toml = (
        'allowed_networks = ["10.0.0.0/8", "fd00::/8"]\noutbound_ports = [443, 8443]\n'
        'outbound_name_servers = ["10.0.0.53", "[fd00::53]:5353"]\noutbound_ca_file = "ca.pem"\n'
    )
    for settings in (load(toml), load(environ=environ)):
        assert [str(each) for each in settings.allowed_networks] == ["10.0.0.0/8", "fd00::/8"]
        assert settings.outbound_ports == (443, 8443)
        assert settings.outbound_name_servers == ("10.0.0.53", "[fd00::53]:5353")
        assert settings.outbound_ca_file == "ca.pem"


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("ALLOWED_NETWORKS", "intranet", r"\[0\]: Not a network"),
        ("ALLOWED_NETWORKS", "10.0.0.0/8,10.0.0.1/8", r"\[1\]: Not a network"),
        ("OUTBOUND_PORTS", "https", r"\[0\]: Not a valid integer"),
        ("OUTBOUND_PORTS", "443,0", r"\[1\]: Must be greater than or equal to 1"),
        ("OUTBOUND_PORTS", "65536", r"\[0\]: Must be .* less than or equal to 65535"),
        ("OUTBOUND_NAME_SERVERS", "ns.example.com", r"\[0\]: Not usable: "),
        ("OUTBOUND_NAME_SERVERS", "10.0.0.53:0", r"\[0\]: Not usable: there is no port 0"),
        ("OUTBOUND_CA_FILE", "", "Shorter than minimum length"),
    ],
)
def test_what_may_be_reached_is_not_guessed_at(key: str, value: str, problem: str) -> None:
    """What is no network, no port or no name server stops the start."""
    with pytest.raises(ConfigError, match=f"IPCRAFT_{key}{problem}|IPCRAFT_{key}: {problem}"):
        load(environ={f"IPCRAFT_{key}": value})


@pytest.mark.parametrize("network", ["10.0.0.1/8", "proxy.example.com", "10.0.0.0/33"])
def test_a_trusted_proxy_that_is_no_network_is_refused(network: str) -> None:
    """Whom to believe is not guessed at."""
    with pytest.raises(ConfigError, match=r"IPCRAFT_TRUSTED_PROXIES\[0\]: Not a network"):
        load_settings(environ={"IPCRAFT_TRUSTED_PROXIES": network})


def test_the_environment_wins_over_the_file() -> None:
    """A variable replaces the file's value, lists included."""
    settings = load(
        'log_level = "debug"\n[plugins]\nenable = ["oidc"]',
        {"IPCRAFT_LOG_LEVEL": "error", "IPCRAFT_PLUGINS_ENABLE": "ldap, saml"},
    )
    assert (settings.log_level, settings.plugins) == ("error", ("ldap", "saml"))


def test_overrides_win_over_the_environment() -> None:
    """What a command line says is the last word."""
    settings = load_settings(
        environ={"IPCRAFT_DATABASE_URL": "sqlite:///a.db", "IPCRAFT_MAIL_HOST": "a"},
        overrides={
            "database_url": "sqlite:///b.db",
            "plugins": {"enable": ["mail"], "mail": {"host": "b"}},
        },
    )
    assert (settings.database_url, settings.plugins) == ("sqlite:///b.db", ("mail",))
    assert settings.section("mail", Mail)["host"] == "b"
    assert settings.sections == ("mail",)


def test_other_variables_are_let_be() -> None:
    """A platform sets variables of its own beside ours, such as Kubernetes' service links."""
    assert load("", {"IPCRAFT_SERVICE_HOST": "10.0.0.1"}).log_level == "info"


@pytest.mark.parametrize(
    ("toml", "text"),
    [
        ("log_level = debug", "not valid TOML: Invalid value (at line 1, column 13)"),
        ('log_levle = "debug"', 'log_levle: unknown key; did you mean "log_level"?'),
        ("[colours]", "colours: unknown key"),
        ('log_level = "loud"', "log_level: Must be one of: debug, info, warning, error."),
        ('log_format = "xml"', "log_format: Must be one of: json, text."),
        ("database_url = 5", "database_url: Not a valid string."),
        (
            'public_url = "https://example.com/"',
            "public_url: Not an http:// or https:// URL without a slash at its end.",
        ),
        ("plugins = 5", "plugins: must be a table, [plugins]"),
        ('[plugins]\nenabel = ["a"]', '[plugins] enabel: unknown key; did you mean "enable"?'),
        ('[plugins]\nenable = "a"', "[plugins] enable: Not a valid list."),
        ("[plugins]\nenable = [1]", "[plugins] enable[0]: Not a valid string."),
    ],
)
def test_a_mistake_in_the_file_names_file_and_key(toml: str, text: str) -> None:
    """The operator is told what to mend and where."""
    assert complaint(toml) == f"ipcraft.toml: {text}"


def test_a_file_that_is_no_text_is_refused() -> None:
    """TOML is UTF-8."""
    Path("ipcraft.toml").write_bytes(b'log_level = "\xff"')
    with pytest.raises(ConfigError, match=r"^ipcraft\.toml: not valid TOML: 'utf-8' codec"):
        load_settings(environ={})


def test_all_mistakes_are_told_at_once() -> None:
    """One start is enough to learn every bad key of a table."""
    assert complaint('log_level = "loud"\nlog_format = "xml"').splitlines() == [
        "ipcraft.toml: log_level: Must be one of: debug, info, warning, error.",
        "ipcraft.toml: log_format: Must be one of: json, text.",
    ]


def test_a_mistake_in_a_variable_names_it() -> None:
    """The file is not blamed for the environment."""
    text = complaint('log_level = "info"', {"IPCRAFT_LOG_LEVEL": "loud"})
    assert text == "IPCRAFT_LOG_LEVEL: Must be one of: debug, info, warning, error."


def test_an_unknown_override_is_refused() -> None:
    """The caller's own mistake is not the file's."""
    with pytest.raises(ConfigError) as caught:
        load_settings(environ={}, overrides={"log_levle": "info"})
    assert str(caught.value) == (
        'given at the start: log_levle: unknown key; did you mean "log_level"?'
    )


def test_a_section_is_typed_from_the_file() -> None:
    """A plugin's section passes through its schema, defaults included."""
    settings = load('[plugins.mail]\nhost = "a"\nretries = [1, 2]')
    assert settings.section("mail", Mail) == {
        "host": "a",
        "port": 25,
        "patience": 1.5,
        "starttls": False,
        "retries": [1, 2],
        "password": None,
    }
    assert settings.sections == ("mail",)


def test_a_section_is_typed_from_the_environment() -> None:
    """Text of variables becomes the types that strict schemas want."""
    settings = load(
        '[plugins.mail]\nhost = "a"\nport = 1',
        {
            "IPCRAFT_MAIL_PORT": "2525",
            "IPCRAFT_MAIL_PATIENCE": "0.5",
            "IPCRAFT_MAIL_STARTTLS": "True",
            "IPCRAFT_MAIL_RETRIES": "5, 300,",
        },
    )
    section = settings.section("mail", Mail)
    assert (section["host"], section["port"], section["patience"]) == ("a", 2525, 0.5)
    assert (section["starttls"], section["retries"]) == (True, [5, 300])


def test_a_hyphen_is_an_underscore_in_a_variable() -> None:
    """A plugin proxy-auth has variables IPCRAFT_PROXY_AUTH_..."""
    settings = load("", {"IPCRAFT_PROXY_AUTH_HOST": "a"})
    assert settings.section("proxy-auth", Mail)["host"] == "a"


@pytest.mark.parametrize(
    ("toml", "environ", "text"),
    [
        (
            'hots = "a"',
            {},
            'ipcraft.toml: [plugins.mail] hots: unknown key; did you mean "host"?',
        ),
        (
            "",
            {},
            (
                "ipcraft.toml: [plugins.mail] host (or IPCRAFT_MAIL_HOST): "
                "Missing data for required field."
            ),
        ),
        ('host = "a"\nport = "b"', {}, "ipcraft.toml: [plugins.mail] port: Not a valid integer."),
        ('host = "a"', {"IPCRAFT_MAIL_PORT": "b"}, "IPCRAFT_MAIL_PORT: Not a valid integer."),
        (
            'host = "a"',
            {"IPCRAFT_MAIL_RETRIES": "1,b"},
            "IPCRAFT_MAIL_RETRIES[1]: Not a valid integer.",
        ),
        (
            'host = "a"',
            {"IPCRAFT_MAIL_STARTTLS": "perhaps"},
            "IPCRAFT_MAIL_STARTTLS: Not a valid boolean.",
        ),
    ],
)
def test_a_mistake_in_a_section_names_its_place(
    toml: str, environ: dict[str, str], text: str
) -> None:
    """A plugin's settings are checked like the core's."""
    assert mail_complaint(f"[plugins.mail]\n{toml}", environ) == text


def test_a_complaint_about_the_whole_section_names_it() -> None:
    """A schema may refuse what only together is wrong."""

    class Pair(Schema):
        low = fields.Integer()
        high = fields.Integer()

        @validates_schema
        def ordered(self, data: Mapping[str, int], **_: object) -> None:
            if data["low"] > data["high"]:
                raise ValidationError("low is above high")

    settings = load("[plugins.pair]\nlow = 2\nhigh = 1")
    with pytest.raises(ConfigError) as caught:
        settings.section("pair", Pair)
    assert str(caught.value) == "ipcraft.toml: [plugins.pair]: low is above high"


def test_a_secret_may_be_a_file(folder: Path) -> None:
    """The variable with _FILE names a file; the line's end is not part of the secret."""
    secret = folder / "secret"
    secret.write_text("hunter2\n")
    environ = {"IPCRAFT_MAIL_HOST": "a", "IPCRAFT_MAIL_PASSWORD_FILE": str(secret)}
    assert load("", environ).section("mail", Mail)["password"] == "hunter2"


def test_the_database_url_may_be_a_file(folder: Path) -> None:
    """It can hold a password."""
    (folder / "url").write_text("postgresql://db/ipcraft\n")
    settings = load("", {"IPCRAFT_DATABASE_URL_FILE": str(folder / "url")})
    assert settings.database_url == "postgresql://db/ipcraft"


def test_only_a_secret_may_be_a_file() -> None:
    """The variable of another key with _FILE means nothing to us."""
    environ = {"IPCRAFT_MAIL_HOST": "a", "IPCRAFT_MAIL_PORT_FILE": "/nowhere"}
    assert load("", environ).section("mail", Mail)["port"] == 25


def test_a_secret_file_must_be_readable() -> None:
    """The variable and the file are named."""
    environ = {"IPCRAFT_MAIL_HOST": "a", "IPCRAFT_MAIL_PASSWORD_FILE": "/nowhere"}
    assert mail_complaint("", environ) == (
        "IPCRAFT_MAIL_PASSWORD_FILE: cannot read /nowhere: No such file or directory"
    )


def test_a_secret_file_is_text(folder: Path) -> None:
    """A key in bytes is not what a setting can hold."""
    (folder / "secret").write_bytes(b"\xff")
    environ = {"IPCRAFT_MAIL_HOST": "a", "IPCRAFT_MAIL_PASSWORD_FILE": "secret"}
    assert mail_complaint("", environ) == (
        "IPCRAFT_MAIL_PASSWORD_FILE: cannot read secret: not UTF-8"
    )


def test_a_secret_is_given_once() -> None:
    """Nobody could tell which of two counts."""
    environ = {"IPCRAFT_MAIL_PASSWORD": "a", "IPCRAFT_MAIL_PASSWORD_FILE": "b"}
    assert mail_complaint('[plugins.mail]\nhost = "a"', environ) == (
        "IPCRAFT_MAIL_PASSWORD and IPCRAFT_MAIL_PASSWORD_FILE are both set: unset one"
    )


def test_secrets_are_not_in_the_repr() -> None:
    """Settings can be logged."""
    settings = load(
        'database_url = "postgresql://u:hunter2@db/x"\n[plugins.mail]\npassword = "hunter2"',
        {"IPCRAFT_MAIL_HOST": "hunter2"},
    )
    assert "hunter2" not in repr(settings)


def test_a_plugin_is_required_unless_its_section_says_otherwise() -> None:
    """The key `required` is IPCraft's own in every section; its schema need not know it."""
    settings = load('[plugins.mail]\nrequired = false\nhost = "a"', {"IPCRAFT_LDAP_REQUIRED": "no"})
    assert [settings.required(name) for name in ("mail", "ldap", "oidc")] == [False, False, True]
    assert settings.section("mail", Mail)["host"] == "a"


def test_required_is_true_or_false() -> None:
    """Another value names its key."""
    settings = load('[plugins.mail]\nrequired = "perhaps"')
    with pytest.raises(ConfigError) as caught:
        settings.required("mail")
    assert str(caught.value) == "ipcraft.toml: [plugins.mail] required: Not a valid boolean."


def test_the_remedy_keeps_what_is_disabled_already() -> None:
    """The line can be copied as it is."""
    assert load('[plugins]\ndisable = ["a"]').remedy("mail") == (
        'write disable = ["a", "mail"] under [plugins] in ipcraft.toml'
    )


def test_the_remedy_is_a_variable_where_the_file_would_not_count() -> None:
    """The environment wins, so the advice must be about it."""
    settings = load("", {"IPCRAFT_PLUGINS_DISABLE": "a"})
    assert settings.remedy("mail") == "set IPCRAFT_PLUGINS_DISABLE=a,mail"
