"""Templates keep the strict policy: nothing inline that a Content-Security-Policy would have to allow."""

import re

import pytest
from django.conf import settings
from django.template.loader import get_template

TEMPLATES = sorted(
    path for path in (settings.BASE_DIR / "templates").rglob("*") if path.suffix in {".html", ".svg", ".txt"}
)
SCRIPTS = sorted((settings.BASE_DIR / "static/js").glob("*.js"))
FORBIDDEN = {
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.S),
    "a style element": re.compile(r"<style\b"),
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.S),
    "an inline script": re.compile(r"<script\b(?![^>]*\bsrc=)(?![^>]*type=.application/json)"),
    "a javascript address": re.compile(r"javascript:", re.I),
    "a handler of htmx that would be evaluated": re.compile(
        r"\bhx-on\b|hx-vals\s*=\s*.js:|hx-trigger\s*=\s*\"[^\"]*\["
    ),
    "something from another server": re.compile(r"(src|href)\s*=\s*[\"'](https?:)?//"),
}


def name(path):
    return str(path.relative_to(settings.BASE_DIR))


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_holds(what):
    assert [name(path) for path in TEMPLATES if FORBIDDEN[what].search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_template_compiles(path):
    get_template(str(path.relative_to(settings.BASE_DIR / "templates")))


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_no_script_evaluates_text_or_writes_style_attributes(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\beval\(|new Function|setAttribute\(\s*[\"']style|insertAdjacentHTML|document\.write", text)


def test_the_first_page_weighs_less_than_100_kb_without_charts():
    """As whitenoise serves it: compressed."""
    import gzip

    modules = settings.BASE_DIR / "node_modules"
    served = [
        modules / "bootstrap/dist/css/bootstrap.min.css",
        modules / "htmx.org/dist/htmx.min.js",
        settings.BASE_DIR / "static/css/app.css",
        settings.BASE_DIR / "static/js/app.js",
    ]
    assert sum(len(gzip.compress(path.read_bytes())) for path in served) < 80_000


def channel(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    red, green, blue = (channel(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


CSS = (settings.BASE_DIR / "static/css/app.css").read_text(encoding="utf-8")
COLOURS = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", CSS))
TAGS = [
    (ink if ink.startswith("#") else COLOURS[ink], COLOURS[ground], tone)
    for tone, ground, ink in (
        (tone, ground, ink.removeprefix("var(--").removesuffix(")"))
        for tone, ground, ink in re.findall(r"\.tag-(\w+) \{ background: var\(--([a-z-]+)\); color: ([^;]+);", CSS)
    )
]


@pytest.mark.parametrize(("ink", "ground"), [
    ("ink", "page"), ("ink", "surface"), ("muted", "page"), ("muted", "surface"), ("accent", "surface"),
    ("accent", "page"),
    ("accent-strong", "accent-soft"), ("danger", "surface"), ("good-ink", "surface"), ("warning", "surface"),
    ("info", "surface"), ("muted", "neutral-soft"), ("ink", "neutral-soft"), ("surface", "accent"),
    ("surface", "danger"),
])  # fmt: skip
def test_text_is_readable_at_aa(ink, ground):
    assert contrast(COLOURS[ink], COLOURS[ground]) >= 4.5


@pytest.mark.parametrize(("ink", "ground", "tone"), TAGS)
def test_badges_are_readable_at_aa(ink, ground, tone):
    assert contrast(ink, ground) >= 4.5


def test_the_sentence_on_badges_tests_real_colours():
    assert len(TAGS) >= 5
