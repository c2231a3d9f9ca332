"""The reading of the reference itself: it finds every example, and it sees differences."""

from __future__ import annotations

from typing import Any

import pytest

from .reference import EXAMPLES, TEXT, differences


def test_every_endpoint_is_read() -> None:
    """Each line of the text that names a method and a path is an endpoint."""
    named = [
        line
        for line in TEXT.splitlines()
        if line.startswith(("GET /", "POST /", "PATCH /", "DELETE /"))
    ]
    assert len(EXAMPLES) == len(named)


@pytest.mark.parametrize(
    ("sample", "real"),
    [
        ({"id": "sub_001"}, {}),
        ({"id": "sub_001"}, {"id": "addr_01h455vb4pex5vsknk084sn02q"}),
        ({"created_at": "2026-03-01T12:00:00Z"}, {"created_at": "2026-03-01T12:00:00+00:00"}),
        ({"sort_order": 0}, {"sort_order": "0"}),
        ({"is_pool": False}, {"is_pool": 0}),
        ({"utilization": 0.12}, {"utilization": None}),
        ([{"ip": "10.0.1.10"}], [{"ip": "10.0.1.10"}, {}]),
        ([{"ip": "10.0.1.10"}], []),
        ({"user": {"name": "John Smith"}}, {"user": None}),
    ],
)
def test_a_difference_is_seen(sample: Any, real: Any) -> None:
    """A missing key, another type, another prefix and another form of time are differences."""
    assert differences(sample, real)


@pytest.mark.parametrize(
    ("sample", "real"),
    [
        ({"id": "sub_001"}, {"id": "sub_01h455vb4pex5vsknk084sn02q", "more": 1}),
        ({"utilization": 0.12}, {"utilization": 0}),
        ({"vrf_id": None}, {"vrf_id": "vrf_01h455vb4pex5vsknk084sn02q"}),
        ({"last_used_at": "2026-03-14T09:15:00Z"}, {"last_used_at": None}),
    ],
)
def test_additions_are_no_difference(sample: Any, real: Any) -> None:
    """Keys of ours beside the documented ones are allowed."""
    assert differences(sample, real) == []
