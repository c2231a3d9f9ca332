"""The document describes what is served: every route, what it takes and what it gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from ipcraft.app import Application
from ipcraft.contributions import Route
from ipcraft.errors import Invalid
from ipcraft.http.conditions import PATTERN, Conditions
from ipcraft.http.openapi.document import METHODS, entries_of
from ipcraft.http.operations import Body, RawBody, operation_of
from ipcraft.http.routing import Router

DOCUMENT = "urn:document"

Described = Mapping[str, Any]


def responders(app: Application) -> Iterator[tuple[Route, str, Any]]:
    """Give every responder of every route, by its method."""
    for route in app.routes:
        for method, responder in Router().map_http_methods(route.resource).items():
            if method.lower() in METHODS:
                yield route, method.lower(), responder


def operations(described: Described) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give every operation of the document, by what a person would call it."""
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def problems(described: Described, pointer: str, value: Any) -> list[str]:
    """List what is wrong with a value by the schema at the pointer."""
    registry = Registry().with_resource(DOCUMENT, DRAFT202012.create_resource(described))
    schema = {"$ref": f"{DOCUMENT}#{pointer}"}
    validator = Draft202012Validator(schema, registry=registry)
    return [error.message for error in validator.iter_errors(value)]


def escaped(part: str) -> str:
    """Write a key as a part of a JSON pointer in a URI."""
    return part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def media(described: Described) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give every media type object, by its JSON pointer."""
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            start = f"/paths/{escaped(path)}/{method}"
            if "requestBody" in operation:
                for kind, content in operation["requestBody"]["content"].items():
                    yield f"{start}/requestBody/content/{escaped(kind)}", content
            for status, answer in operation["responses"].items():
                for kind, content in answer.get("content", {}).items():
                    yield f"{start}/responses/{status}/content/{escaped(kind)}", content


def test_the_document_is_openapi(described: Described) -> None:
    """It is valid by the meta schema of OpenAPI 3.1."""
    OpenAPIV31SpecValidator(dict(described)).validate()
    assert described["openapi"].startswith("3.1.")


def test_every_route_has_an_entry(app: Application, described: Described) -> None:
    """Each responder of each plugin declares what it takes and gives, and is in the document."""
    undeclared = [
        f"{method.upper()} {route.path}: decorate the responder with `operation`"
        for route, method, responder in responders(app)
        if operation_of(responder) is None
    ]
    assert undeclared == []
    served = {(route.path, method) for route, method, _ in responders(app)}
    shown = {(path, method) for path, methods in described["paths"].items() for method in methods}
    assert shown == served


def test_every_operation_says_what_it_does(described: Described) -> None:
    """Each has a summary and an id of its own."""
    assert [name for name, each in operations(described) if not each.get("summary")] == []
    identifiers = [each["operationId"] for _, each in operations(described)]
    assert len(set(identifiers)) == len(identifiers)


def test_every_example_is_as_its_schema_says(described: Described) -> None:
    """No example contradicts the schema beside it."""
    wrong = {
        pointer: found
        for pointer, content in media(described)
        if (found := problems(described, f"{pointer}/schema", content["example"]))
    }
    assert wrong == {}


def test_every_example_of_a_body_is_taken(app: Application, described: Described) -> None:
    """The schema that reads a body reads its example."""
    read = 0
    for route in app.routes:
        for entry in entries_of(route):
            body = entry.operation.body
            content = described["paths"][entry.path][entry.method].get("requestBody", {})
            match body:
                case Body():
                    schemas = {"application/json": body.schema}
                case RawBody():
                    schemas = {name: each for name, each in body.content.items() if each}
                case _:
                    schemas = {}
            for name, schema in schemas.items():
                assert schema.validate(content["content"][name]["example"]) == {}, entry
                read += 1
    assert read > 15


def test_what_is_public_needs_no_credentials(app: Application, described: Described) -> None:
    """A public route asks for none, any other for one of those that the plugins know."""
    public = {route.path for route in app.routes if route.public}
    schemes = set(described["components"]["securitySchemes"])
    assert schemes == {"session", "api_key"}
    for path, methods in described["paths"].items():
        for operation in methods.values():
            asked = {name for each in operation["security"] for name in each}
            assert asked == (set() if path in public else schemes), path


def test_what_every_answer_has_is_told(described: Described) -> None:
    """Each answer has the request's id, pages have their headers, errors have one shape."""
    for name, operation in operations(described):
        names = {each.get("name") for each in operation["parameters"]}
        for status, answer in operation["responses"].items():
            if "$ref" in answer:
                continue
            headers = set(answer["headers"])
            assert "X-Request-Id" in headers, name
            if status == "200" and {"limit", "offset"} <= names:
                assert headers >= {"Link", "X-Total-Count"}, name
    for shared in described["components"]["responses"].values():
        assert "X-Request-Id" in shared["headers"]
    errors = {**described["components"]["responses"]}
    del errors["NotModified"]
    for answer in errors.values():
        schema = answer["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorObject"}


def test_an_answer_of_several_types_names_each(described: Described) -> None:
    """An export is an archive or a document."""
    answer = described["paths"]["/api/v1/export"]["get"]["responses"]["200"]
    assert set(answer["content"]) == {"application/zip", "application/json"}


def test_what_is_created_leads_to_what_can_be_done_with_it(described: Described) -> None:
    """Each link names an operation, and gives every variable of its path."""
    known = {
        operation["operationId"]: set(re.findall(r"{(\w+)}", path))
        for path, methods in described["paths"].items()
        for operation in methods.values()
    }
    linked = {
        name: answer["links"]
        for name, operation in operations(described)
        for answer in operation["responses"].values()
        if "links" in answer
    }
    for links in linked.values():
        for link in links.values():
            assert set(link["parameters"]) == known[link["operationId"]]
    assert set(linked["POST /api/v1/webhooks"]) >= {
        "get_webhooks_webhook_id",
        "delete_webhooks_webhook_id",
        "post_webhooks_webhook_id_test",
    }
    assert set(linked["POST /api/v1/subnets/{subnet_id}/addresses"]) == {
        "get_addresses_address_id",
        "patch_addresses_address_id",
        "delete_addresses_address_id",
    }


@pytest.mark.parametrize(
    "text",
    ["*", ' "a"', 'W/"a" , "b"', '"a""b"', "a", '"a', "", '"a", *', '"a b"', '"a",,"b"', "W/*"],
)
def test_tags_are_described_as_they_are_read(text: str) -> None:
    """What the pattern of If-Match and If-None-Match allows is what is taken."""
    try:
        taken = Conditions.of({"HTTP_IF_MATCH": text}) is not None
    except Invalid:
        taken = False
    assert (re.search(PATTERN, text) is not None) == taken
