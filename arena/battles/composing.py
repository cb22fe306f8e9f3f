"""What the page shows on which a battle begins: whom and what a visitor may ask."""

from dataclasses import dataclass
from itertools import groupby

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from arena.battles import selectors
from arena.battles.models import Collection, Mode, Prompt
from arena.battles.suggestions import suggestions

# Categories that are usual, in the reader's language; others are shown as they were written.
CATEGORIES = {
    "advice": gettext_lazy("Advice"),
    "code": gettext_lazy("Code"),
    "knowledge": gettext_lazy("Knowledge"),
    "mathematics": gettext_lazy("Mathematics"),
    "reasoning": gettext_lazy("Reasoning"),
    "writing": gettext_lazy("Writing"),
}


@dataclass(frozen=True)
class Choice:
    """A contestant that may be chosen by name."""

    slug: str
    name: str
    organisation: str


@dataclass(frozen=True)
class Composing:
    mode: str
    can_ask: bool
    can_show: bool
    """Whether pictures may go with the prompt."""
    prompts: list[Prompt]
    suggestions: list[str]
    choices: list[Choice]
    collection: Collection | None

    @property
    def can_battle(self) -> bool:
        return bool(self.collection or self.prompts or self.can_ask)

    @property
    def is_named(self) -> bool:
        return self.mode == Mode.NAMED

    @property
    def categories(self) -> list[tuple[str, list[Prompt]]]:
        """Recorded prompts by category, each with its name."""
        by_category = sorted(self.prompts, key=lambda prompt: prompt.category)
        return [
            (category_shown(category), list(prompts))
            for category, prompts in groupby(by_category, lambda prompt: prompt.category)
        ]


def composing(*, mode: str, collection: str) -> Composing:
    """mode: "named" to choose who meets; collection: slug of the one to judge, or empty.

    Raises NoSuchCollection.
    """
    judged = selectors.collection_get(collection) if collection else None
    can_ask = judged is None and selectors.can_ask()
    is_named = mode == Mode.NAMED and can_ask
    return Composing(
        mode=Mode.NAMED if is_named else Mode.ANONYMOUS,
        can_ask=can_ask,
        can_show=can_ask and selectors.can_show(),
        prompts=[] if judged or is_named else selectors.prompts_recorded(),
        suggestions=suggestions() if can_ask else [],
        choices=choices() if is_named else [],
        collection=judged,
    )


def category_shown(category: str) -> str:
    return str(CATEGORIES.get(category) or capfirst(category) or _("Other"))


def choices() -> list[Choice]:
    revisions = selectors.revisions_served().select_related("contestant__organisation")
    return [
        Choice(
            slug=revision.contestant.slug,
            name=revision.name,
            organisation=getattr(revision.contestant.organisation, "name", ""),
        )
        for revision in revisions.order_by("name")
    ]
