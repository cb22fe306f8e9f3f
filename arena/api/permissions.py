"""Who may do what: the Django permissions of the token's user."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class ReadPermission(BasePermission):
    """A view says which permission reading needs; without one it is closed to all."""

    message = "The token's user lacks the permission this needs. Ask an administrator for it."

    def has_permission(self, request: Request, view: Any) -> bool:
        permission = getattr(view, "read_permission", None)
        user = request.user
        return bool(user and user.is_authenticated and permission and user.has_perm(permission))
