"""Who is signed in on a socket: the session cookie it was opened with, asked anew each time."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from channels.auth import get_user
from channels.security.websocket import WebsocketDenier
from django.conf import settings

from arena.voters.exceptions import SignInNeeded

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class Members:
    """In a private arena, refuses sockets of whoever is not signed in.

    Stands inside CookieMiddleware. A socket may stay open for hours, so what begins a battle
    asks `sign_in_needed` again.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if settings.PRIVATE and not await signed_in(scope):
            await WebsocketDenier()(scope, receive, send)
        else:
            await self.application(scope, receive, send)


async def sign_in_needed(scope: dict[str, Any]) -> None:
    """Raises SignInNeeded where the arena is private and the socket's user signed out meanwhile."""
    if settings.PRIVATE and not await signed_in(scope):
        raise SignInNeeded


async def signed_in(scope: dict[str, Any]) -> bool:
    """Whether the session of the socket's cookie is that of an active user."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = store(scope["cookies"].get(settings.SESSION_COOKIE_NAME))
    user = await get_user({"session": session})
    return bool(user.is_authenticated)
