"""Prompts to begin with, for visitors who have none in mind."""

import secrets

from django.utils.translation import gettext_lazy as _

SHOWN = 4
SUGGESTIONS = (
    _("Explain to a ten-year-old why the sky is dark at night although it is full of stars."),
    _("Write a polite email that declines a meeting and offers two other times."),
    _("What should I check before I sign the lease for a flat?"),
    _("If 3 cats catch 3 mice in 3 minutes, how many cats catch 100 mice in 100 minutes, and why?"),
    _("Write a Python function that merges overlapping date ranges, with two tests."),
    _("Compare a heat pump and a gas boiler for an old house, in a table."),
    _("Sum up the causes of the First World War in five sentences, and say what is disputed."),
    _("Plan five dinners for two without meat, each in under 30 minutes."),
    _("Prove that the square root of 2 is irrational, and say where the proof needs care."),
    _("I have slept badly for two weeks. What can I try before I see a doctor?"),
    _("Write a short story that begins with a letter delivered to the wrong house."),
    _("My houseplant’s leaves turn yellow from below. Ask me what you need to know."),
)


def suggestions() -> list[str]:
    """A few of them, others each time, in the reader's language."""
    return [str(text) for text in secrets.SystemRandom().sample(SUGGESTIONS, SHOWN)]
