"""What a chat makes of the names that people give."""

from __future__ import annotations

import pytest
from ipcraft_slack.messages import LONGEST_MESSAGE, LONGEST_SENTENCE, in_messages, line_of

SPACE = "\N{ZERO WIDTH SPACE}"


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        ("Created subnet 10.0.0.0/24", "• Created subnet 10.0.0.0/24"),
        ("R&D", "• R&amp;D"),
        ("&lt;", "• &amp;lt;"),
        ("<!channel>", "• &lt;!channel&gt;"),
        ("<@U024BE7LH>", f"• &lt;@{SPACE}U024BE7LH&gt;"),
        ("<https://evil.example|our wiki>", "• &lt;https://evil.example|our wiki&gt;"),
        ("@here @all", f"• @{SPACE}here @{SPACE}all"),
        ("[our wiki](https://evil.example)", f"• [our wiki]{SPACE}(https://evil.example)"),
        ("```", "• '''"),
        ("one\n• Deleted everything", "• one • Deleted everything"),
        ("a\tb\r\nc\0d", "• a b  c d"),
        ("right\N{RIGHT-TO-LEFT OVERRIDE}left", "• right left"),
        ("Zürich 東京 🙂", "• Zürich 東京 🙂"),
    ],
)
def test_a_sentence_is_one_line_without_effects(sentence: str, line: str) -> None:
    """It calls nobody, links nowhere and formats nothing."""
    assert line_of(sentence) == line


def test_a_long_sentence_is_cut_before_it_is_escaped() -> None:
    """So no entity is cut in two."""
    line = line_of("&" * 10 * LONGEST_SENTENCE)
    assert line == "• " + "&amp;" * (LONGEST_SENTENCE - 1) + "…"


@pytest.mark.parametrize("length", [1, 90, 500, 5000])
@pytest.mark.parametrize("number", [0, 1, 2, 7, 100])
def test_sentences_fill_messages(number: int, length: int) -> None:
    """Every sentence is in one message, in order, and no message is too long for a chat."""
    sentences = [f"{place} {'<' * length}" for place in range(number)]
    messages = list(in_messages(sentences))
    assert all(len(text) <= LONGEST_MESSAGE for text, _ in messages)
    assert [text.count("\n") + 1 for text, _ in messages] == [number for _, number in messages]
    lines = [line for text, _ in messages for line in text.split("\n")]
    assert lines == [line_of(each) for each in sentences]


def test_what_fits_is_one_message() -> None:
    """A batch of ordinary changes is no flood."""
    sentences = [f"Created subnet 10.{n}.0.0/24" for n in range(100)]
    assert len(list(in_messages(sentences))) == 1
