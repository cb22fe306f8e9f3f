"""The ASGI application: pages, sockets, and what the process does beside them."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.config.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  after the apps are ready
from channels.sessions import CookieMiddleware  # noqa: E402

from arena.battles.routing import websocket_urlpatterns as battle_sockets  # noqa: E402
from arena.chats.routing import websocket_urlpatterns as chat_sockets  # noqa: E402
from arena.config.lifespan import Lifespan  # noqa: E402
from arena.core.asgi import SynchronousViews  # noqa: E402
from arena.core.bodies import BodyLimit  # noqa: E402
from arena.core.origins import SameOrigin  # noqa: E402
from arena.leaderboard.routing import websocket_urlpatterns as board_sockets  # noqa: E402
from arena.voters.sockets import Members  # noqa: E402

sockets = URLRouter([*battle_sockets, *board_sockets, *chat_sockets])
application = ProtocolTypeRouter(
    {
        "http": BodyLimit(SynchronousViews()),
        "websocket": SameOrigin(CookieMiddleware(Members(sockets))),
        "lifespan": Lifespan(),
    }
)
