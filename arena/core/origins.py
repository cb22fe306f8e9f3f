"""Sockets answer only to pages of the same scheme, host and port."""

from collections.abc import Awaitable, Callable
from typing import Any

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class SameOrigin:
    """Refuses a WebSocket whose Origin is not the address it was opened at.

    A list of allowed hosts is not enough: a page on another port of the same host is another
    origin, and a browser sends our cookies along with its socket.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if self.is_same(scope):
            await self.application(scope, receive, send)
        else:
            await WebsocketDenier()(scope, receive, send)

    def is_same(self, scope: dict[str, Any]) -> bool:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        scheme = "https" if self.is_secure(scope, headers) else "http"
        known = validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
        return known and headers.get(b"origin") == f"{scheme}://{host}"

    @staticmethod
    def is_secure(scope: dict[str, Any], headers: dict[bytes, str]) -> bool:
        if settings.SECURE_PROXY_SSL_HEADER:
            return headers.get(b"x-forwarded-proto") == "https"
        return scope.get("scheme") == "wss"
