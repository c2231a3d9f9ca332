"""The retry law, without anything that is delivered."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipcraft_webhooks.retries import LONGEST_WISH, SCHEDULE, RetryLaw, wished_pause

NOW = 1_800_000_000.0


def test_the_schedule_is_the_contracts() -> None:
    """Ten attempts within 75 hours: 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h."""
    law = RetryLaw(share=lambda: 0.0)
    minute, hour = 60, 3600
    assert [law.pause(attempt) for attempt in range(1, 11)] == [
        5,
        5 * minute,
        30 * minute,
        2 * hour,
        5 * hour,
        10 * hour,
        14 * hour,
        20 * hour,
        24 * hour,
        None,
    ]
    assert sum(SCHEDULE) // hour == 75


@given(st.integers(1, 12), st.floats(-1, 1), st.none() | st.floats(0, 1e9))
def test_a_pause_is_within_a_tenth_and_never_shorter_than_wished(
    attempt: int, share: float, wish: float | None
) -> None:
    """A pause is the schedule's, give or take 10 %, or longer where the receiver wants it."""
    pause = RetryLaw(share=lambda: share).pause(attempt, wish=wish)
    if attempt > len(SCHEDULE):
        assert pause is None
        return
    assert pause is not None
    wished = min(wish or 0, LONGEST_WISH)
    least = max(SCHEDULE[attempt - 1] * 0.9, wished)
    most = max(SCHEDULE[attempt - 1] * 1.1, wished)
    assert least * (1 - 1e-9) <= pause <= most * (1 + 1e-9)


def test_pauses_differ() -> None:
    """What fails together is not tried again together."""
    law = RetryLaw()
    assert len({law.pause(3) for _ in range(20)}) > 10


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("9" * 100, LONGEST_WISH),
        ("Wed, 21 Oct 1970 07:28:00 GMT", 0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True), 90),
        (format_datetime(datetime.fromtimestamp(NOW + 1e8, UTC), usegmt=True), LONGEST_WISH),
    ],
)
def test_retry_after_is_read(header: str | None, seconds: float | None) -> None:
    """Seconds or a date, a day at most; anything else says nothing."""
    assert wished_pause(header, now=NOW) == seconds
