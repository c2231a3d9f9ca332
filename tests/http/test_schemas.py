"""Schemas: strict types, unknown fields, and sentences people understand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marshmallow
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import ValidationError, fields, missing, validate, validates_schema

from ipcraft.http.schemas import LARGEST_INTEGER, Complaint, Schema, complaints


class Tag(Schema):
    """Read a tag."""

    label = fields.String(required=True)
    weight = fields.Integer(load_default=1)


class Everything(Schema):
    """Have a field of each kind."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=5))
    number = fields.Integer(allow_none=True)
    large = fields.Integer(validate=validate.Range(min=0, max=2**40))
    ratio = fields.Float()
    flag = fields.Boolean(allow_none=True)
    numbers = fields.List(fields.Integer())
    switches = fields.Dict(keys=fields.String(), values=fields.Boolean())
    color = fields.String(validate=validate.OneOf(["red", "blue"]))
    tag = fields.Nested(Tag)
    renamed = fields.String(data_key="sort_order")

    @validates_schema
    def check(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Refuse one combination."""
        if data.get("color") == "red" and data.get("flag"):
            raise ValidationError("A red one has no flag")


class Fields(Schema):
    """Have fields, and nothing that has a say beside them."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=5))
    number = fields.Integer(allow_none=True, load_default=7)
    made = fields.List(fields.Integer(), load_default=list)
    nothing = fields.String(load_default=lambda: missing)
    flag = fields.Boolean()
    tag = fields.Nested(Tag)
    renamed = fields.String(data_key="sort_order")


class Inner(Schema):
    """Have nothing but a field with fields."""

    tag = fields.Nested(Tag)


class Elsewhere(Schema):
    """Put a value under another name."""

    name = fields.String(attribute="title")


class Loose(Schema):
    """Take unknown fields."""

    class Meta:
        """Include them."""

        unknown = marshmallow.INCLUDE

    name = fields.String()


SCHEMA = Everything()


def found(data: object) -> dict[str, str]:
    """Give the complaints about data by field."""
    with pytest.raises(ValidationError) as raised:
        SCHEMA.load(data)
    return {complaint.field: complaint.message for complaint in complaints(raised.value)}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", 1, "name must be a string"),
        ("name", True, "name must be a string"),
        ("name", None, "name cannot be null"),
        ("name", "", "name length must be between 1 and 5"),
        ("number", "1", "number must be an integer"),
        ("number", 1.0, "number must be an integer"),
        ("number", True, "number must be an integer"),
        ("ratio", "1.5", "ratio must be a number"),
        ("ratio", False, "ratio must be a number"),
        ("flag", 1, "flag must be true or false"),
        ("flag", "true", "flag must be true or false"),
        ("flag", [], "flag must be true or false"),
        ("numbers", 3, "numbers must be a list"),
        ("color", "green", "color must be one of: red, blue"),
        ("color", 5, "color must be a string"),
        ("tag", 5, "tag must be a JSON object"),
        ("sort_order", 5, "sort_order must be a string"),
    ],
)
def test_a_value_of_a_neighbouring_type_is_refused(
    field: str, value: object, sentence: str
) -> None:
    """Nothing is converted; the sentence names the field and what it takes."""
    assert found({"name": "a", field: value}) == {field: sentence}


@pytest.mark.parametrize(
    ("field", "value", "inner"),
    [
        ("numbers", [1, "2"], "numbers.1"),
        ("switches", {"a": 1}, "switches.a.value"),
        ("tag", {"label": 1}, "tag.label"),
        ("tag", {"label": "x", "lable": 1}, "tag.lable"),
    ],
)
def test_fields_inside_fields_are_strict_and_named(field: str, value: object, inner: str) -> None:
    """The path of an inner field is its name."""
    assert list(found({"name": "a", field: value})) == [inner]


@pytest.mark.parametrize("number", [LARGEST_INTEGER + 1, -LARGEST_INTEGER - 2, 10**30])
def test_an_integer_fits_a_column(number: int) -> None:
    """Without a range of its own a field takes what every database's integer holds."""
    assert list(found({"name": "a", "number": number})) == ["number"]


def test_good_values_pass_as_they_are() -> None:
    """What is right is returned under the schema's own names."""
    data = {
        "name": "a",
        "number": None,
        "large": 2**40,
        "ratio": 2,
        "flag": False,
        "numbers": [-LARGEST_INTEGER - 1],
        "switches": {"a": True},
        "sort_order": "x",
    }
    loaded = SCHEMA.load(data)
    assert loaded.pop("renamed") == data.pop("sort_order")
    assert loaded == data


def test_required_is_said() -> None:
    """A missing field is named."""
    assert found({}) == {"name": "name is required"}


def test_partial_requires_nothing() -> None:
    """A PATCH may leave out every field."""
    assert Everything(partial=True).load({}) == {}


def test_an_unknown_field_comes_first_with_its_nearest() -> None:
    """A misspelt field explains the missing one, so it is the first complaint."""
    complaint = next(iter(found({"nmae": "a"}).items()))
    assert complaint == ("nmae", 'unknown field "nmae"; did you mean "name"?')


def test_a_field_like_no_other_is_only_refused() -> None:
    """There is no guess when nothing is near."""
    assert found({"name": "a", "zzzzzz": 1}) == {"zzzzzz": 'unknown field "zzzzzz"'}


def test_a_huge_name_is_cut() -> None:
    """An answer does not grow with the name of an unknown field."""
    (name,) = found({"name": "a", "z" * 100_000: 1})
    assert len(name) < 100


def test_a_rule_about_the_whole_is_a_sentence() -> None:
    """A complaint about no field in particular stands as its author wrote it."""
    assert found({"name": "a", "color": "red", "flag": True}) == {"": "A red one has no flag"}


def test_no_object_is_said() -> None:
    """Something else than an object is a complaint about the whole body."""
    with pytest.raises(ValidationError) as raised:
        SCHEMA.load([])
    assert complaints(raised.value) == [Complaint("", "The body must be a JSON object")]


SCHEMAS = (
    Fields(),
    Fields(partial=True),
    Fields(partial=("name",)),
    Fields(only=("name", "tag")),
    Fields(unknown="exclude"),
    Fields(many=True),
    Inner(partial=True),
    Everything(),
    Elsewhere(),
    Loose(),
)
GOOD: dict[str, object] = {
    "name": "a",
    "number": 1,
    "made": [1],
    "nothing": "a",
    "flag": True,
    "tag": {"label": "x"},
    "sort_order": "a",
}
BAD = st.sampled_from(["red", "too long", 0, None, [], ["a"], {}, {"label": 1}])


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, object]:
    """Draw a body: mostly right, sometimes with a wrong value or an unknown field."""
    body = {key: GOOD[key] for key in draw(st.sets(st.sampled_from([*GOOD])))}
    for key in draw(st.sets(st.sampled_from([*GOOD, "color", "title", "nmae"]), max_size=2)):
        body[key] = draw(BAD | st.just("a"))
    return body


@example(schema=Fields(), data=dict(GOOD))
@example(schema=Fields(), data={"name": "a", "nmae": "a"})
@example(schema=Fields(unknown="exclude"), data={"name": "a", "nmae": "a"})
@example(schema=Fields(many=True), data={"name": "a"})
@example(schema=Inner(partial=True), data={"tag": {}})
@example(schema=Inner(partial=True), data={"tag": {"label": "x"}})
@example(schema=Elsewhere(), data={"name": "a"})
@example(schema=Loose(), data={"name": "a", "nmae": "a"})
@given(schema=st.sampled_from(SCHEMAS), data=bodies())
def test_nothing_is_read_otherwise_than_marshmallow_reads_it(
    schema: Schema, data: dict[str, object]
) -> None:
    """What is right is the same, in the same order; what is wrong has the same complaints."""

    def outcome(load: Callable[..., Any]) -> object:
        try:
            return list(load(data).items())
        except ValidationError as error:
            return error.messages

    expected = outcome(lambda data: marshmallow.Schema.load(schema, data))
    assert outcome(schema.load) == expected
