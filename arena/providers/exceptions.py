"""What can go wrong on the way to an answer, drawn once.

ProviderError                 base: the side has failed
├── Unreachable      again    no connection: refused, DNS, TLS
├── TimedOut                  nothing came within the limit
├── Truncated        again    the connection broke, or ended before it said it was done
├── Unreadable                what came is not the protocol
├── EmptyAnswer               the stream was whole and held no text
├── TooLong          health   the answer passed the arena's limit
├── Filtered         health   the provider's content filter ended the answer
└── Rejected                  the endpoint answered with an error
    ├── Unauthorised          401, 403: it does not accept the key
    ├── Gone                  404, 410: it does not know the model, or the address
    └── Overloaded   again    408, 429, 5xx, 529: not now

again: worth asking again before the first token. After a TimedOut it is not: whoever waits has
waited that long already. health: says nothing against the endpoint's health.

Details are for operators. A voter is told only that one side stopped answering: the kind of
failure could give a contestant away.
"""

from typing import ClassVar


class ProviderError(Exception):
    """An answer could not be had; `detail` may name the endpoint and must not reach a voter."""

    is_fault_of_endpoint: ClassVar[bool] = True
    is_worth_asking_again: ClassVar[bool] = False

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def kind(self) -> str:
        return type(self).__name__


class Unreachable(ProviderError):
    is_worth_asking_again = True


class TimedOut(ProviderError):
    pass


class Truncated(ProviderError):
    is_worth_asking_again = True


class Unreadable(ProviderError):
    pass


class EmptyAnswer(ProviderError):
    pass


class TooLong(ProviderError):
    is_fault_of_endpoint = False


class Filtered(ProviderError):
    is_fault_of_endpoint = False


class Rejected(ProviderError):
    pass


class Unauthorised(Rejected):
    pass


class Gone(Rejected):
    pass


class Overloaded(Rejected):
    """`retry_after`: the seconds after which the endpoint wants to be asked again, if it said."""

    is_worth_asking_again = True

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
