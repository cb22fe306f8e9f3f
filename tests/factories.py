"""A named cast for tests: small, and the same everywhere."""

from itertools import count

from django.test import Client

from arena.battles.matchmaking import drawing_forget
from arena.battles.models import Answer, Battle, Prompt, RecordedAnswer, Side, State, Turn
from arena.catalog.models import Contestant, Kind, Organisation, Revision, Status
from arena.catalog.services import revision_add
from arena.voters.models import Voter
from arena.voters.services import voter_from

number = count(1)


def revision(name: str, kind: Kind = Kind.RECORDED, **fields: object) -> Revision:
    """An active contestant of that name with one revision."""
    slug = f"contestant-{next(number)}"
    contestant = Contestant.objects.create(name=name, slug=slug, status=Status.ACTIVE)
    return revision_add(contestant=contestant, name=name, kind=kind, **fields)


def prompt(slug: str = "why-sky", text: str = "Why is the sky blue?") -> Prompt:
    return Prompt.objects.create(slug=slug, text=text, category="knowledge", language="en")


def on_record(prompt: Prompt, **answers: str) -> list[Revision]:
    """Contestants named by the keywords, each with a recorded answer to `prompt`."""
    revisions = []
    for name, text in answers.items():
        found = Revision.objects.filter(name=name).first() or revision(name)
        RecordedAnswer.objects.create(prompt=prompt, revision=found, text=text)
        revisions.append(found)
    return revisions


def pair() -> tuple[Revision, Revision]:
    """Two contestants of names that nobody has."""
    first, second = next(number), next(number)
    return revision(f"contestant {first}"), revision(f"contestant {second}")


def battle(
    a: Revision, b: Revision, voter: Voter, state: State = State.COMPLETE, **fields: object
) -> Battle:
    """A battle with one turn; with both answers where its state has them."""
    made = Battle.objects.create(
        **{
            "revision_a": a,
            "revision_b": b,
            "voter": voter,
            "state": state,
            "draw_probability": 1.0,
            "owner": "test",
            **fields,
        }
    )
    turn = Turn.objects.create(battle=made, number=1, prompt="Why is the sky blue?")
    if state in {State.COMPLETE, State.VOTED}:
        for side in Side:
            Answer.objects.create(turn=turn, side=side, text=f"answer {side}", **STYLE)
    return made


STYLE = {"tokens": 40, "headers": 0, "lists": 1, "bold": 0, "code": 0, "emoji": 0}


def voter_of(client: Client) -> Voter:
    """The voter whose cookie the client carries."""
    return voter_from({name: morsel.value for name, morsel in client.cookies.items()})


def known(name: str) -> Revision:
    return Revision.objects.get(name=name)


def canaries(good: str, bad: str) -> None:
    """Two contestants with everything about them a canary, at these two endpoints.

    Those that were there before are drawn no more.
    """
    Contestant.objects.update(status="retired")
    drawing_forget()
    for name, endpoint in (("Canary-Wren", good), ("Canary-Kite", bad)):
        own = next(number)
        made = revision(
            f"{name} {own}",
            Kind.OPENAI,
            endpoint=endpoint,
            remote_model=f"canary-remote-{own}",
            system_prompt="You are canary-system.",
            stage="preview",
        )
        organisation = Organisation.objects.create(slug=f"canary-{own}", name=f"Canary Labs {own}")
        Contestant.objects.filter(pk=made.contestant_id).update(
            organisation=organisation, aliases=[f"canary-alias-{own}"]
        )
