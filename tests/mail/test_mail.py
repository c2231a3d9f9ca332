"""Mail goes out by SMTP, however the server wants it, and cannot be bent."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from ipcraft.config import ConfigError, Settings, load_settings
from ipcraft.errors import Hopeless, StartError, Unavailable
from ipcraft.logs import configure_logs
from ipcraft.mail import Letter, Mailer, MailServer
from ipcraft.testing.services import MailSink

SENDER = "IPCraft <ipcraft@example.com>"
LETTER = Letter(
    to="ada@example.com",
    subject="Hello",
    text="Good morning, Ada.\n",
    html="<p>Good <b>morning</b>, Ada.</p>\n",
)

Obtain = Callable[..., MailSink]


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Give an authority that this machine trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return authority


@pytest.fixture
def obtain() -> Iterator[Obtain]:
    """Give a way to start servers; all are stopped at the end."""
    started: list[MailSink] = []

    def obtain(*, certificate: trustme.LeafCert | None = None, **options: object) -> MailSink:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if certificate is not None:
            certificate.configure_cert(context)
        sink = MailSink(context=context, **options)  # type: ignore[arg-type] # passed on as they came
        sink.resume()
        started.append(sink)
        return sink

    yield obtain
    for sink in started:
        sink.stop()


def settings(url: str | None, *, mail_from: str | None = SENDER) -> Settings:
    """Make the settings of a server."""
    overrides = {"smtp_url": url, "mail_from": mail_from}
    given = {name: value for name, value in overrides.items() if value is not None}
    return load_settings(path=Path("/dev/null"), environ={}, overrides=given)


def mailer(url: str) -> Mailer:
    """Make a mailer that sends through a server."""
    return Mailer.of(settings(url))


def test_a_letter_arrives_as_text_and_html(obtain: Obtain) -> None:
    """Both parts, the sender with name and address, one recipient, a date and an id."""
    sink = obtain()
    mailer(sink.url).send(LETTER)
    (mail,) = sink.wait_for(1)
    assert (mail.sender, mail.recipients) == ("ipcraft@example.com", ("ada@example.com",))
    assert (mail.text, mail.html) == (
        "Good morning, Ada.\n",
        "<p>Good <b>morning</b>, Ada.</p>\n",
    )
    message = mail.message
    assert (message["From"], message["To"], message["Subject"]) == (
        SENDER,
        "ada@example.com",
        "Hello",
    )
    assert message.get_content_type() == "multipart/alternative"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"]
    assert message["Message-ID"].endswith("@example.com>")
    assert not mail.encrypted


@pytest.mark.parametrize("encryption", ["tls", "starttls"])
def test_a_letter_travels_encrypted(obtain: Obtain, authority: trustme.CA, encryption: str) -> None:
    """From the first byte, or from STARTTLS on, to a server with a good certificate."""
    sink = obtain(encryption=encryption, certificate=authority.issue_cert("127.0.0.1"))
    mailer(sink.url).send(LETTER)
    (mail,) = sink.wait_for(1)
    assert mail.encrypted


@pytest.mark.parametrize("encryption", ["tls", "starttls"])
@pytest.mark.parametrize("name", ["mail.example.com", "127.0.0.1"])
def test_a_bad_certificate_gets_no_letter(
    obtain: Obtain, authority: trustme.CA, encryption: str, name: str
) -> None:
    """Another host's, or one of an authority nobody knows: nothing is sent, not even in clear."""
    issuer = authority if name == "mail.example.com" else trustme.CA()
    sink = obtain(encryption=encryption, certificate=issuer.issue_cert(name))
    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        mailer(sink.url).send(LETTER)
    assert sink.mails == []


def test_starttls_is_not_left_out(obtain: Obtain) -> None:
    """A server that offers no encryption, or whose offer somebody cut out, gets no letter."""
    sink = obtain()
    with pytest.raises(Unavailable, match="STARTTLS"):
        mailer(f"{sink.url}?starttls=true").send(LETTER)
    assert sink.mails == []


@pytest.mark.parametrize("encryption", ["none", "starttls"])
def test_a_login(obtain: Obtain, authority: trustme.CA, encryption: str) -> None:
    """User and password of the URL, percent-decoded."""
    certificate = authority.issue_cert("127.0.0.1")
    sink = obtain(encryption=encryption, certificate=certificate, login=("me@here", "p:w/d@ #"))
    url = sink.url.replace("me@here:p:w/d@ #", "me%40here:p%3Aw%2Fd%40%20%23")
    mailer(url).send(LETTER)
    assert [mail.user for mail in sink.wait_for(1)] == ["me@here"]


def test_a_refused_login_may_be_mended(obtain: Obtain) -> None:
    """It is tried again, and what is said about it does not tell the password."""
    sink = obtain(login=("me", "right"))
    with pytest.raises(Unavailable) as caught:
        mailer(sink.url.replace("right", "wrong")).send(LETTER)
    assert caught.value.message == "the mail server refuses the login: 535"


def test_a_server_that_is_away_may_come_back(obtain: Obtain) -> None:
    """Then the letter can be sent."""
    sink = obtain()
    sink.stop()
    with pytest.raises(Unavailable, match="mail cannot be sent now"):
        mailer(sink.url).send(LETTER)
    sink.resume()
    mailer(sink.url).send(LETTER)
    sink.wait_for(1)


@pytest.mark.parametrize(
    ("answer", "error"), [("450 try again later", Unavailable), ("550 no such box", Hopeless)]
)
def test_a_refusal_is_for_now_or_for_good(
    obtain: Obtain, answer: str, error: type[Exception]
) -> None:
    """4xx may pass, 5xx will not (RFC 5321, section 4.2.1)."""
    sink = obtain()
    sink.answer = answer
    with pytest.raises(error, match=answer):
        mailer(sink.url).send(LETTER)


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nX: y",
        "ada@example.com, eve@example.com",
        "ada@example.com> RCPT TO:<eve@example.com",
        "Ada <ada@example.com>",
        "\x00@example.com",
        "ada",
        "@example.com",
        "",
    ],
)
def test_an_address_is_one_address(obtain: Obtain, address: str) -> None:
    """Nothing that stands in an address becomes a header, a command or a second recipient."""
    sink = obtain()
    with pytest.raises(Hopeless, match="cannot be addressed"):
        mailer(sink.url).send(Letter(to=address, subject="Hello", text="Hello\n"))
    assert sink.mails == []


def test_a_subject_is_one_line(obtain: Obtain) -> None:
    """Line ends in it become blanks."""
    sink = obtain()
    subject = "Hello\r\nBcc: eve@example.com\n\nbody"
    mailer(sink.url).send(Letter(to="ada@example.com", subject=subject, text="Hello\n"))
    (mail,) = sink.wait_for(1)
    assert mail.message["Subject"] == "Hello Bcc: eve@example.com body"
    assert mail.message["Bcc"] is None
    assert mail.recipients == ("ada@example.com",)


def test_letters_of_every_script(obtain: Obtain) -> None:
    """Subject, text and the domain of the address may be beyond ASCII."""
    sink = obtain()
    letter = Letter(to="ada@bücher.example", subject="Grüße", text="Привет 🎉\n.\nend\n")
    mailer(sink.url).send(letter)
    (mail,) = sink.wait_for(1)
    assert mail.message["Subject"] == "Grüße"
    assert mail.text == "Привет 🎉\n.\nend\n"
    assert mail.recipients == ("ada@xn--bcher-kva.example",)


def test_without_a_server_the_link_is_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """One line says why it is there, and shows the whole link."""
    configure_logs()
    link = "https://ipam.example.com/verify?token=abc"
    letter = Letter(to="ada@example.com", subject="Hi", text="...", link=link)
    Mailer.of(settings(None)).send(letter)
    (line,) = capsys.readouterr().err.splitlines()
    assert "smtp_url is not set" in line
    assert link in line


def test_without_a_server_a_letter_is_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """One without a link is shown as it is."""
    configure_logs(form="json")
    Mailer.of(settings(None)).send(LETTER)
    assert '"text":"Good morning, Ada.\\n"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail", MailServer(host="mail", port=25)),
        ("smtps://mail", MailServer(host="mail", port=465, tls=True)),
        ("smtp://mail:587?starttls=true", MailServer(host="mail", port=587, starttls=True)),
        ("smtp://mail?starttls=false", MailServer(host="mail", port=25)),
        ("smtp://[::1]:26", MailServer(host="::1", port=26)),
        ("smtp://u%40h:p%2F@m/", MailServer(host="m", port=25, user="u@h", password="p/")),
    ],
)
def test_urls(url: str, server: MailServer) -> None:
    """The scheme says the port; user and password are percent-encoded."""
    assert MailServer.of(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail",
        "smtp://",
        "smtp://mail/path",
        "smtp://mail#part",
        "smtp://mail:no",
        "smtp://mail:99999",
        "smtp://mail?starttls=yes",
        "smtp://mail?tls=true",
        "smtp://mail?starttls=true&starttls=true",
        "smtp://mail?nonsense",
    ],
)
def test_bad_urls_stop_the_start(url: str) -> None:
    """What is wrong is told with the name of the setting, and without the URL."""
    with pytest.raises(ConfigError, match="smtp_url: Not usable: ") as caught:
        settings(url)
    assert url[7:] == "" or url not in str(caught.value)


@pytest.mark.parametrize("address", ["ipcraft", "a@b\r\nX: y", "<>", "a@b, c@d", "A B", "@b"])
def test_a_bad_sender_stops_the_start(address: str) -> None:
    """Mail is from one address, with or without a name."""
    with pytest.raises(ConfigError, match="mail_from: Not usable: "):
        settings("smtp://mail", mail_from=address)


def test_a_server_needs_a_sender() -> None:
    """Who configures a server and forgets the sender is told at the start."""
    with pytest.raises(StartError, match="IPCRAFT_MAIL_FROM"):
        Mailer.of(settings("smtp://mail", mail_from=None))


def test_the_password_is_in_no_repr() -> None:
    """Neither settings nor server show it."""
    url = "smtp://me:hunter2@mail"
    assert "hunter2" not in repr(settings(url)) + repr(MailServer.of(url))
