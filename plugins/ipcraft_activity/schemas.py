"""Queries of the activity log and the events."""

from __future__ import annotations

from marshmallow import fields, validate

from ipcraft.plugin import Query, Time

DEFAULT_EVENTS = 100
"""Events of an answer to a request that names no limit."""

MAXIMUM_EVENTS = 1000
"""Events that may be asked for at once."""

_LARGEST = 2**63 - 1


class ActivityQuery(Query):
    """Which entries to list: those that match every filter given."""

    resource_type = fields.String(metadata={"examples": ["subnet"]})
    resource_id = fields.String()
    action = fields.String(metadata={"examples": ["subnet.created"]})
    actor = fields.String(metadata={"description": "The id of the user it is ascribed to."})
    user_id = fields.String(metadata={"description": "The same as `actor`."})
    since = Time(metadata={"description": "The first second."})
    until = Time(metadata={"description": "The first second no more."})


class EventsQuery(Query):
    """After which event to begin, and how many to list."""

    after = fields.Integer(
        load_default=0,
        validate=validate.Range(min=0, max=_LARGEST),
        metadata={"description": "The sequence of the last event that is known."},
    )
    limit = fields.Integer(
        load_default=DEFAULT_EVENTS, validate=validate.Range(min=1, max=MAXIMUM_EVENTS)
    )
