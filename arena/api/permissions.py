"""Who may do what: the Django permissions of the token's user."""

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from arena.core.exceptions import Refused

VIEW_TEXT = "battles.view_turn"


class TokenPermission(BasePermission):
    """A view says for each method which permissions it needs; a method it does not name is closed.

    An empty tuple opens a method to every token: the view looks at what it is asked for.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        if request.method not in view.permissions:
            return request.method not in view.allowed_methods  # and so gets its 405
        lacking = [name for name in view.permissions[request.method] if not may(request, name)]
        if lacking:
            raise PermissionDenied(
                f"The token's user lacks the permission {lacking[0]}. Ask an administrator for it."
            )
        return True


def may(request: Request, permission: str) -> bool:
    return bool(request.user.has_perm(permission))


def require(request: Request, permission: str, what_for: str) -> None:
    """Raises Refused, naming the permission."""
    if not may(request, permission):
        raise Refused(f"{what_for} needs the permission {permission}, which the user lacks.")
