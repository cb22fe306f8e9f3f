"""Material loads with clear errors, and style is what the render knobs say it is."""

from collections.abc import Callable
from dataclasses import replace
from statistics import fmean

import pytest
from markdown_it import MarkdownIt

from arena.demo.material import (
    CATEGORIES,
    TEXTS,
    Material,
    MaterialError,
    load_material,
    load_materials,
)
from arena.demo.render import LONGEST, SHORTEST, Style, render
from ranking.covariates import style_metrics

MATERIALS = load_materials()
BY_SLUG = {material.slug: material for material in MATERIALS}
FULL = Style(length=1.2, headers=0.9, lists=0.9, bold=0.9, code=0.9, emoji=0.9)


def every_text(material: Material) -> list[str]:
    points = [text for point in material.points for text in (*point.brief, *point.more)]
    leads = (*material.lead_strong, *material.lead_plain)
    return [*leads, *material.bridge, *material.closing, *points]


def answers_of(style: Style, substance: float = 0.5, each: int = 3) -> list[tuple[Material, str]]:
    """Several answers to every prompt, each from a seed of its own."""
    return [
        (material, render(material, style, substance, seed))
        for seed, material in enumerate(MATERIALS * each)
    ]


def mean_of(metric: str, style: Style) -> float:
    return fmean(getattr(style_metrics(text), metric) for _, text in answers_of(style))


def test_it_works():
    text = render(BY_SLUG["slow-report"], FULL, 0.9, seed=1)
    counts = style_metrics(text)
    assert counts.tokens > 200
    assert counts.headers > 0 or counts.lists > 0
    assert text.endswith("\n")


def test_there_are_24_prompts_of_every_category():
    assert len(MATERIALS) == 24
    assert {material.category for material in MATERIALS} == set(CATEGORIES)
    assert [material.slug for material in MATERIALS] == sorted(BY_SLUG)
    assert len({material.prompt for material in MATERIALS}) == 24


@pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.slug)
def test_material_offers_alternatives(material):
    assert len(material.lead_strong) >= 3
    assert len(material.lead_plain) >= 2
    assert len(material.closing) >= 2
    for point in material.points:
        assert len(point.brief) >= 2, point.title
        assert len(point.more) >= 2, point.title
        assert style_metrics(point.emoji).emoji == 1, point.title


@pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.slug)
def test_texts_are_whole_sentences_and_bring_no_structure_of_their_own(material):
    for text in every_text(material):
        counts = style_metrics(text)
        assert (counts.headers, counts.lists, counts.code, counts.emoji) == (0, 0, 0, 0), text
        assert text == text.strip()
        assert "  " not in text
    for point in material.points:
        for text in (*point.brief, *point.more):
            assert text[-1] in ".!?»”\"'`)", text
            assert "\n" not in text


def test_python_snippets_compile():
    for material in MATERIALS:
        for point in material.points:
            if point.code and point.code.language == "python":
                compile(point.code.text, f"{material.slug}: {point.title}", "exec")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('category = "code"', 'category = "cookery"', "category must be one of"),
        ('slug = "slow-report"', 'slug = "other"', "must be the file's name"),
        ("closing = [", "closings = [", "unknown field closings"),
        ('title = "Memory"\n', "", "point 5: field title is missing"),
        ('title = "Memory"', 'title = "A better file"', "two points have the same title"),
        ('title = "Memory"', "title = 3", "point 5: title must be text"),
        ("**guesses about hot spots**", "**guesses about hot spots", "without its partner"),
        ('slug = "slow-report"', 'slug = "slow-report', "is not TOML"),
    ],
)
def test_bad_material_is_refused_with_file_field_and_reason(tmp_path, before, after, message):
    good = (TEXTS / "slow-report.toml").read_text(encoding="utf-8")
    assert before in good
    path = tmp_path / "slow-report.toml"
    path.write_text(good.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(MaterialError, match=message) as caught:
        load_material(path)
    assert str(caught.value).startswith("slow-report.toml")


def test_a_folder_without_texts_is_refused(tmp_path):
    with pytest.raises(MaterialError, match="holds no"):
        load_materials(tmp_path)


def test_rendering_is_deterministic_and_seeds_differ():
    material = BY_SLUG["inflation"]
    assert render(material, FULL, 0.5, 7) == render(material, FULL, 0.5, 7)
    assert len({render(material, FULL, 0.5, seed) for seed in range(20)}) == 20


@pytest.mark.parametrize("length", [-0.6, 0.0, 0.6, 1.2])
def test_length_is_met(length):
    style = Style(length=length)
    ratios = [
        style_metrics(text).tokens / style.tokens
        for material, text in answers_of(style)
        if not material.bridge  # a draft cannot be shorter than itself
    ]
    assert 0.9 < fmean(ratios) < 1.1
    assert min(ratios) > 0.6
    assert max(ratios) < 1.5


def test_length_is_held_within_limits():
    assert Style(length=-9).tokens == SHORTEST
    assert Style(length=9).tokens == LONGEST


@pytest.mark.parametrize("name", ["headers", "lists", "bold", "code", "emoji"])
def test_each_knob_moves_the_metric_it_names(name):
    plain = Style(length=0.7)
    # Not quite none: a Python name such as __defaults__ is counted as bold.
    assert mean_of(name, plain) < 0.1
    # Few prompts have code; headers and list items come several to an answer.
    assert mean_of(name, replace(plain, **{name: 1.0})) > (0.2 if name == "code" else 1.5)


def test_a_knob_leaves_length_alone():
    knobs = ("headers", "lists", "bold", "code", "emoji")
    tokens = [mean_of("tokens", Style(length=0.5, **{name: 1.0})) for name in knobs]
    assert max(tokens) < 1.15 * min(tokens)


def share(answers: list[tuple[Material, str]], holds: Callable[[Material, str], bool]) -> float:
    return fmean(holds(material, text) for material, text in answers)


def opens_precisely(material: Material, text: str) -> bool:
    return text.startswith(tuple(lead.replace("**", "") for lead in material.lead_strong))


def makes_first_point(material: Material, text: str) -> bool:
    return any(brief.replace("**", "") in text for brief in material.points[0].brief)


@pytest.mark.parametrize("holds", [opens_precisely, makes_first_point])
def test_substance_chooses_precise_openings_and_important_points(holds):
    style = Style(length=0.4)
    high = share(answers_of(style, substance=0.95), holds)
    assert high > share(answers_of(style, substance=0.05), holds) + 0.3


def test_every_style_is_valid_markdown():
    parser = MarkdownIt("commonmark")
    for material, text in answers_of(FULL):
        tokens = parser.parse(text)
        kinds = [token.type for token in tokens]
        counts = style_metrics(text)
        assert kinds.count("heading_open") == counts.headers
        assert kinds.count("list_item_open") == counts.lists
        assert kinds.count("fence") == counts.code
        inline = [child for token in tokens for child in token.children or ()]
        assert not any("**" in child.content for child in inline if child.type == "text"), text
        assert "\n\n\n" not in text
        assert material.prompt not in text


def test_plain_style_leaves_no_marks():
    for material in MATERIALS:
        assert "**" not in render(material, Style(length=1.0), 0.5, seed=11)


def test_a_draft_stands_apart_from_the_remarks_about_it():
    text = render(BY_SLUG["boiler-email"], Style(length=0.8), 0.9, seed=1)
    letter, _, remarks = text.partition("\n\n---\n\n")
    assert letter.endswith("[Your name]") or "Flat 3" in letter
    assert any(remarks.startswith(bridge) for bridge in BY_SLUG["boiler-email"].bridge)
