"""The door to battles and votes: who is banned, who was here too often, and whence they came."""

from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext_noop

from arena.voters.exceptions import Banned
from arena.voters.limits import Rate, limit_hit, limit_test, network_name
from arena.voters.models import Voter
from arena.voters.networks import Address
from arena.voters.services import network_seen
from arena.voters.watch import watch

VOTER_BATTLES = gettext_noop(
    "You have begun as many battles as one person may here: %(rate)s. "
    "The next is possible in %(wait)s."
)
NETWORK_BATTLES = gettext_noop(
    "Your network has begun as many battles as one network may here, by all who share it: "
    "%(rate)s. The next is possible in %(wait)s."
)
NETWORK_VOTES = gettext_noop(
    "Your network has cast as many votes as one network may here, by all who share it: "
    "%(rate)s. This one was not counted; cast it again in %(wait)s."
)
VOTER_IMAGES = gettext_noop(
    "You have attached as many pictures as one person may here: %(rate)s. "
    "The next is possible in %(wait)s."
)
NETWORK_IMAGES = gettext_noop(
    "Your network has attached as many pictures as one network may here, by all who share it: "
    "%(rate)s. The next is possible in %(wait)s."
)
NETWORK_SHARED = gettext_noop(
    "Your network has opened as many shared battles as one network may here, by all who share it: "
    "%(rate)s. The next is possible in %(wait)s."
)
NETWORK_ASKED = gettext_noop(
    "Your network has asked for as much to be worked out as one network may here, by all who "
    "share it: %(rate)s. The next is possible in %(wait)s."
)
NETWORK_FIGURES = gettext_noop(
    "Your network has had as many charts drawn as one network may here, by all who share it: "
    "%(rate)s. The next is possible in %(wait)s."
)


class Action(StrEnum):
    BATTLE = "battle"
    VOTE = "vote"
    IMAGE = "image"


def voter_admit(*, voter: Voter, address: Address | None, action: Action) -> None:
    """Let the voter begin or retry a battle, attach a picture, or cast a vote.

    address: as `networks.address_of` finds it. Raises Banned, or TooMany with the seconds after
    which it is possible again. Asks the database nothing, but every two seconds and where the
    voter's network must be written down.
    """
    if ban := watch().ban_of(voter, address):
        raise Banned(ban.reason, ban.expires_at)
    count(voter, network_name(address), action)
    if action is not Action.VOTE:
        # A vote need not say again where its battle was begun.
        network_seen(voter=voter, address=address)


def reader_admit(*, address: Address | None) -> None:
    """Let somebody whom nobody knows open a shared battle. Raises TooMany."""
    rate, network = settings.NETWORK_SHARED_RATE, network_name(address)
    limit_hit(rate, NETWORK_SHARED, "network-shared", network)


def asking_admit(*, address: Address | None) -> None:
    """Let a reader ask for work that outlasts the request. Raises TooMany."""
    rate, network = settings.NETWORK_ASKED_RATE, network_name(address)
    limit_hit(rate, NETWORK_ASKED, "network-asked", network)


def figure_admit(*, address: Address | None) -> None:
    """Let a reader have a chart of a page drawn that nobody has seen yet. Raises TooMany."""
    rate, network = settings.NETWORK_FIGURES_RATE, network_name(address)
    limit_hit(rate, NETWORK_FIGURES, "network-figures", network)


def count(voter: Voter, network: str, action: Action) -> None:
    if action is Action.VOTE:
        limit_hit(settings.NETWORK_VOTE_RATE, NETWORK_VOTES, "network-votes", network)
        return
    own, shared, own_text, shared_text = limits_of(action)
    # A network that is full is not counted for its voters, who may be new with each attempt; and
    # attempts beyond a voter's own limit do not use up that of those who share the network.
    limit_test(shared, shared_text, f"network-{action}s", network)
    limit_hit(own, own_text, f"voter-{action}s", str(voter.pk))
    limit_hit(shared, shared_text, f"network-{action}s", network)


def limits_of(action: Action) -> tuple[Rate | None, Rate | None, str, str]:
    """What a voter may do of it, and a network, and what each is told beyond that."""
    if action is Action.IMAGE:
        rates = settings.VOTER_IMAGE_RATE, settings.NETWORK_IMAGE_RATE
        return *rates, VOTER_IMAGES, NETWORK_IMAGES
    return settings.VOTER_RATE, settings.NETWORK_RATE, VOTER_BATTLES, NETWORK_BATTLES
