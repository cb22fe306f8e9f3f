"""The API's documentation as plain values, read out of its schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

TAGS = (
    *("Boards", "Movement", "Publications", "Exposure", "Votes", "Exclusions", "Catalog"),
    *("Jobs", "Audit", "Health"),
)


@dataclass(frozen=True)
class Field:
    """A parameter or a field of a body."""

    name: str
    kind: str
    required: bool
    about: str


@dataclass(frozen=True)
class Operation:
    anchor: str
    method: str
    path: str
    headline: str
    about: str
    permissions: tuple[str, ...]
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    forms: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    name: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Documentation:
    groups: tuple[Group, ...]
    problems: tuple[tuple[str, str], ...]


@cache
def documentation() -> Documentation:
    """The same for as long as the process runs, as its addresses are."""
    schema = SchemaGenerator().get_schema(public=True)
    found = [
        operation_of(path, method, operation, schema)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    groups = tuple(
        Group(tag, tuple(operation for name, operation in found if name == tag)) for tag in TAGS
    )
    some = next(iter(next(iter(schema["paths"].values())).values()))
    problems = tuple(
        (status, response["description"])
        for status, response in some["responses"].items()
        if status >= "400"
    )
    return Documentation(groups, problems)


def operation_of(
    path: str, method: str, operation: Mapping[str, Any], schema: Mapping[str, Any]
) -> tuple[str, Operation]:
    """Its tag, and the operation."""
    about = operation.get("description", "")
    headline, _, rest = about.partition("\n\n")
    return operation["tags"][0], Operation(
        anchor=operation["operationId"].replace("_", "-"),
        method=method.upper(),
        path=path,
        headline=headline,
        about=rest,
        permissions=tuple(operation["x-permissions"]),
        parameters=tuple(
            Field(
                name=each["name"],
                kind=kind_of(each["schema"], schema),
                required=each.get("required", False),
                about=each.get("description", ""),
            )
            for each in operation.get("parameters", [])
        ),
        body=body_of(operation, schema),
        forms=tuple(
            dict.fromkeys(
                form
                for status, response in operation["responses"].items()
                if status < "300"
                for form in response.get("content", {})
            )
        ),
    )


def body_of(operation: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[Field, ...]:
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return ()
    body = resolved(next(iter(content.values()))["schema"], schema)
    required = body.get("required", [])
    return tuple(
        Field(name, kind_of(field, schema), name in required, field.get("description", ""))
        for name, field in body.get("properties", {}).items()
    )


def resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
    return part


def kind_of(part: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The type in a word or two, or the values that there are."""
    part = resolved(part, schema)
    for some in ("oneOf", "allOf", "anyOf"):
        if some in part:
            kinds = [kind_of(each, schema) for each in part[some]]
            return ", ".join(kind for kind in kinds if kind)
    if "enum" in part:
        return ", ".join(str(value) for value in part["enum"] if value)
    if part.get("type") == "array":
        return f"list of {kind_of(part['items'], schema)}"
    return str(part.get("format") or part.get("type", ""))
