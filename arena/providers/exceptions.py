"""What can go wrong on the way to an answer, drawn once.

ProviderError                 base: the side has failed
├── Unreachable               no connection: refused, DNS, TLS
├── TimedOut                  nothing came within the limit
├── Rejected                  the endpoint answered with an error status
├── Truncated                 the stream ended before it said it was done
├── Unreadable                what came is not the protocol
├── EmptyAnswer               the stream was whole and held no text
└── TooLong                   the answer passed the arena's limit

Details are for operators. A voter is told only that one side stopped answering: the kind of
failure could give a contestant away.
"""


class ProviderError(Exception):
    """An answer could not be had; `detail` may name the endpoint and must not reach a voter."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def kind(self) -> str:
        return type(self).__name__


class Unreachable(ProviderError):
    pass


class TimedOut(ProviderError):
    pass


class Rejected(ProviderError):
    pass


class Truncated(ProviderError):
    pass


class Unreadable(ProviderError):
    pass


class EmptyAnswer(ProviderError):
    pass


class TooLong(ProviderError):
    pass
