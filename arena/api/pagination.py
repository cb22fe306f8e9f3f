"""Pages of long lists: a cursor that the client hands back as it got it."""

import re
from typing import Any

from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from arena.core.exceptions import BadInput

POSITION = re.compile(r"\d{1,18}")
MOST = 1000


class Pages(CursorPagination):
    """Newest first, by a whole number that no two rows share."""

    page_size = 100
    page_size_query_param = "limit"
    max_page_size = MOST
    ordering = "-id"

    def decode_cursor(self, request: Request) -> Any:
        try:
            cursor = super().decode_cursor(request)
        except Exception as error:  # whatever a forged one makes the decoder raise
            raise BadInput(BAD_CURSOR) from error
        if cursor and cursor.position and not POSITION.fullmatch(str(cursor.position)):
            raise BadInput(BAD_CURSOR)
        return cursor


BAD_CURSOR = "cursor: this API gave out no such cursor. Follow `next` and `previous` as they are."


class OldestFirst(Pages):
    ordering = "id"


class NewestNumber(Pages):
    ordering = "-number"
