"""Threads that work side by side, and whoever takes what they make."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, get_ident

import pytest

from ipcraft_interchange.crews import side_by_side


def test_as_many_work_at_a_time() -> None:
    """Each waits for the others, so they must be at it together; the results keep their order."""
    together = Barrier(3)

    def work(item: int) -> tuple[int, int]:
        together.wait(timeout=60)
        return item, get_ident()

    found = list(side_by_side(work, range(9), workers=3))
    assert [item for item, _ in found] == list(range(9))
    assert get_ident() not in {thread for _, thread in found}


def test_one_worker_is_the_caller() -> None:
    """Alone there is no need of a thread."""
    assert list(side_by_side(lambda item: get_ident(), "ab", workers=1)) == [get_ident()] * 2


def test_little_is_taken_ahead() -> None:
    """Items are asked for as results are taken, so that a long list is never in memory."""
    asked = 0

    def items() -> Iterator[int]:
        nonlocal asked
        for item in range(100):
            asked += 1
            yield item

    results = side_by_side(lambda item: item, items(), workers=2)
    for taken in range(1, 50):
        next(results)
        assert asked <= taken + 2
    results.close()  # type: ignore[attr-defined]


def test_an_error_comes_in_its_turn() -> None:
    """What stands before it is given, and what comes after it is not begun."""
    done: list[int] = []

    def work(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        done.append(item)
        return item

    results = side_by_side(work, range(100), workers=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
    assert len(done) <= 4
