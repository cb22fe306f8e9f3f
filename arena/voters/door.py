"""The door to battles and votes: who is banned, who was here too often, and whence they came."""

from enum import StrEnum

from django.conf import settings

from arena.voters.exceptions import Banned
from arena.voters.limits import limit_hit, limit_test, network_name
from arena.voters.models import Voter
from arena.voters.networks import Address
from arena.voters.services import network_seen
from arena.voters.watch import watch

VOTER_BATTLES = (
    "You have begun as many battles as one person may here: {rate}. The next is possible in {wait}."
)
NETWORK_BATTLES = (
    "Your network has begun as many battles as one network may here, by all who share it: {rate}. "
    "The next is possible in {wait}."
)
NETWORK_VOTES = (
    "Your network has cast as many votes as one network may here, by all who share it: {rate}. "
    "This one was not counted; cast it again in {wait}."
)


class Action(StrEnum):
    BATTLE = "battle"
    VOTE = "vote"


def voter_admit(*, voter: Voter, address: Address | None, action: Action) -> None:
    """Let the voter begin or retry a battle, or cast a vote.

    address: as `networks.address_of` finds it. Raises Banned, or TooMany with the seconds after
    which it is possible again. Asks the database nothing, but every two seconds and where the
    voter's network must be written down.
    """
    if ban := watch().ban_of(voter, address):
        raise Banned(ban.reason, ban.expires_at)
    count(voter, network_name(address), action)
    if action is Action.BATTLE:
        # A vote need not say again where its battle was begun.
        network_seen(voter=voter, address=address)


def count(voter: Voter, network: str, action: Action) -> None:
    if action is Action.VOTE:
        limit_hit(settings.NETWORK_VOTE_RATE, NETWORK_VOTES, "network-votes", network)
        return
    # A network that is full is not counted for its voters, who may be new with each attempt; and
    # attempts beyond a voter's own limit do not use up that of those who share the network.
    limit_test(settings.NETWORK_RATE, NETWORK_BATTLES, "network-battles", network)
    limit_hit(settings.VOTER_RATE, VOTER_BATTLES, "voter-battles", str(voter.pk))
    limit_hit(settings.NETWORK_RATE, NETWORK_BATTLES, "network-battles", network)
