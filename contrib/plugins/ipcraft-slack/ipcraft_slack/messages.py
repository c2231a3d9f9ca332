"""Messages: sentences about changes, as a chat shows them and does nothing else with them.

Names come from people. In a chat they must not call the whole channel, be a link that says one
thing and leads elsewhere, or begin a block of code. Slack wants ``&``, ``<`` and ``>`` escaped,
which ends its mentions and links; Mattermost and Rocket.Chat also understand ``@channel`` and
Markdown in plain text, which an invisible space breaks.
Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

LONGEST_MESSAGE = 4_000
"""Characters: what every one of these chats takes, and Slack advises."""

LONGEST_SENTENCE = 500
"""Characters of a sentence, before they are escaped."""

_ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"
_ESCAPED = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "@": f"@{_ZERO_WIDTH_SPACE}",
        "]": f"]{_ZERO_WIDTH_SPACE}",
        "`": "'",
    }
)


def in_messages(sentences: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Give messages of a line for each sentence, and how many sentences each message holds."""
    message, number = "", 0
    for line in map(line_of, sentences):
        if number and len(message) + 1 + len(line) > LONGEST_MESSAGE:
            yield message, number
            message, number = "", 0
        message = f"{message}\n{line}" if number else line
        number += 1
    if number:
        yield message, number


def line_of(sentence: str) -> str:
    """Give a sentence as one line without effects."""
    visible = "".join(each if each.isprintable() else " " for each in sentence)
    if len(visible) > LONGEST_SENTENCE:
        visible = visible[: LONGEST_SENTENCE - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return f"\N{BULLET} {visible.translate(_ESCAPED)}"
