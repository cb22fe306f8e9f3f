"""What the OpenAPI schema says of every address alike."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from arena.api.problems import MEDIA_TYPE
from arena.api.queries import Paged, Query

PROBLEMS = {
    "400": "A parameter or the body cannot be used; the text names it.",
    "401": "No token, or one that is unknown, expired or revoked.",
    "403": "The token's user lacks a permission; the text names it.",
    "404": "No such thing; the text says what exists.",
    "405": "The address takes other methods; Allow lists them.",
    "406": "The address has no such form; the text lists those it has.",
    "409": "It is no longer, or already, in that state; nothing was changed.",
    "411": "The body's length is not stated.",
    "412": "If-Match names something else.",
    "413": "The body is larger than the arena takes.",
    "415": "The body is of a type that the address does not read.",
    "429": "Too many requests with this token; Retry-After says when to go on.",
    "500": "Something went wrong inside the arena.",
}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, and what to do."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["parameter", "message"],
                "properties": {"parameter": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "arena.api.authentication.Token"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token …`, as `manage.py create_api_token USER` prints it.",
        }


class Described(AutoSchema):
    """Also the tag and the permissions that the view declares."""

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "tag", "")]

    def get_operation_id(self) -> str:
        name = super().get_operation_id()
        listing = issubclass(getattr(self.view, "query", Query), Paged)
        return name.replace("_retrieve", "_list") if listing else name

    def get_operation(self, *args: Any) -> Any:
        operation = super().get_operation(*args)
        if operation is not None:
            needed = getattr(self.view, "permissions", {}).get(self.method, ())
            operation["x-permissions"] = list(needed)
        return operation


def with_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add to each operation the problems that any of them may answer with."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for method, operation in path.items():
            responses = operation["responses"]
            if method == "get":
                responses["304"] = {"description": "The client has just this, by its ETag."}
            for status, description in PROBLEMS.items():
                responses[status] = {"description": description, "content": content}
    return result
