"""The judge is asked about votes that no file holds yet: what is sealed never changes."""

from arena.battles.judging import prompts_judge
from arena.integrity.models import Segment
from arena.integrity.selectors import sealed_up_to


def unsealed_judge() -> int:
    """Ask the judge, if there is one, about prompts of votes not yet sealed; returns verdicts."""
    return prompts_judge(after=sealed_up_to(Segment.objects.all()))
