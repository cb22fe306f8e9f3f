"""Errors that people see: each says what happened and what to do.

ArenaError
├── BadInput       what was sent cannot be used            (HTTP 400)
├── Refused        this person may not do this             (HTTP 403)
├── Unknown        no such thing                           (HTTP 404)
├── Conflict       the thing is no longer in that state    (HTTP 409)
└── TooMany        more of it than allowed in some time    (HTTP 429)
"""


class ArenaError(Exception):
    """Base of every error that is shown to a person as it stands."""

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadInput(ArenaError):
    status = 400


class Refused(ArenaError):
    status = 403


class Unknown(ArenaError):
    status = 404


class Conflict(ArenaError):
    status = 409


class TooMany(ArenaError):
    """`retry_after`: seconds after which it is allowed again."""

    status = 429

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after
