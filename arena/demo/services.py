"""Seeding the demo: a simulated fortnight with two publications."""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction

from arena.battles.models import Prompt, RecordedAnswer
from arena.catalog.models import Contestant, Kind, Organisation, Revision, Status
from arena.catalog.services import revision_add
from arena.demo import world as cast
from arena.demo.simulate import RIGGING_RULE, World, simulate
from arena.integrity.chain import segment_add
from arena.integrity.models import Origin
from arena.integrity.services import votes_exclude
from arena.leaderboard.services import publish

RIGGING_REASON = "These voters chose one contestant in every battle it was in, all in one night."


def is_seeded() -> bool:
    return Contestant.objects.filter(simulated=True).exists()


@transaction.atomic
def seed() -> World:
    """Fill an empty arena with the demo's cast, answers, votes and two publications."""
    world = simulate()
    contestants_seed()
    answers_seed(world)
    for week, published_at in enumerate(cast.PUBLISHED_AT, start=1):
        votes_seed(week_of(world.votes, published_at), name=f"simulated week {week}")
        publish(published_at=published_at)
    return world


def contestants_seed() -> None:
    organisations = {
        organisation.name: Organisation.objects.create(
            slug=organisation.slug, name=organisation.name
        )
        for organisation in cast.ORGANISATIONS
    }
    contestants = {
        contestant.name: contestant_seed(contestant, organisations[contestant.organisation])
        for contestant in cast.CONTESTANTS
    }
    for revision in sorted(cast.REVISIONS, key=lambda revision: revision.number):
        revision_add(
            contestant=contestants[revision.contestant],
            name=revision.name,
            kind=Kind.RECORDED,
            stage=revision.stage,
            family=revision.family,
            remote_model=revision.name,
        )


def contestant_seed(contestant: cast.Contestant, organisation: Organisation) -> Contestant:
    return Contestant.objects.create(
        slug=contestant.slug,
        name=contestant.name,
        organisation=organisation,
        licence=contestant.licence,
        parameters=contestant.parameters,
        context_tokens=contestant.context_tokens,
        price_in=contestant.price_in,
        price_out=contestant.price_out,
        released_on=contestant.released_on,
        aliases=list(contestant.aliases),
        status=Status.ACTIVE,
        simulated=True,
    )


def answers_seed(world: World) -> None:
    revisions = {revision.name: revision for revision in Revision.objects.all()}
    prompts = {
        material.slug: Prompt.objects.create(
            slug=material.slug,
            text=material.prompt,
            category=material.category,
            language=material.language,
        )
        for material in world.materials
    }
    RecordedAnswer.objects.bulk_create(
        RecordedAnswer(prompt=prompts[slug], revision=revisions[name], text=text)
        for (name, slug), text in world.answers.items()
    )


def week_of(votes: pa.Table, end: datetime) -> pa.Table:
    """Votes after the publication before `end`, up to it."""
    earlier = [moment for moment in cast.PUBLISHED_AT if moment < end]
    inside = pc.less(votes["timestamp"], pa.scalar(end, votes["timestamp"].type))
    if earlier:
        start = pa.scalar(max(earlier), votes["timestamp"].type)
        inside = pc.and_(inside, pc.greater_equal(votes["timestamp"], start))
    return votes.filter(inside)


def votes_seed(votes: pa.Table, *, name: str) -> None:
    """Make votes a segment, and exclude those that the rule against rigging names."""
    rules = votes["excluded"].to_pylist()
    segment, _ = segment_add(
        table=votes.drop_columns(["excluded"]), origin=Origin.SIMULATED, source_name=name
    )
    rigged = [f"{segment.sha256}:{row}" for row, rule in enumerate(rules) if rule]
    if rigged:
        votes_exclude(votes=rigged, rule=RIGGING_RULE, reason=RIGGING_REASON)
