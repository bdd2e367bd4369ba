"""Every Chinese text of templates and code has its English in locale/AREA/en, with the same placeholders."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation.template import templatize

from changde.web.catalogue import Message, parse

ROOT: Path = settings.BASE_DIR
APPS = ("changde", "households", "cadres", "supervision")
AREAS = ("platform", "households", "cadres", "supervision")
CHINESE = re.compile(r"[\u3400-\u9fff]")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
# How many of the first arguments are texts, and which of them is a context.
FUNCTIONS = {
    "_": (0, 1),
    "gettext": (0, 1),
    "gettext_lazy": (0, 1),
    "gettext_noop": (0, 1),
    "ngettext": (0, 2),
    "ngettext_lazy": (0, 2),
    "pgettext": (1, 2),
    "pgettext_lazy": (1, 2),
    "npgettext": (1, 3),
    "npgettext_lazy": (1, 3),
}
LITERAL = r"""(?:u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*")"""
TEMPLATE_CALL = re.compile(rf"\b(n?p?gettext|_)\(\s*({LITERAL}(?:\s*,\s*{LITERAL})*)")


def texts_of_template(path: Path) -> set[str]:
    code = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    found = set()
    for name, arguments in TEMPLATE_CALL.findall(code):
        literals = [ast.literal_eval(text) for text in re.findall(LITERAL, arguments)]
        first = FUNCTIONS[name][0]
        found.add(key(literals[:first], literals[first]))
    return found


def texts_of_code(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = function_name(node)
        if name in FUNCTIONS:
            first, last = FUNCTIONS[name]
            assert not any(isinstance(a, ast.JoinedStr) for a in node.args[:last]), f"{path}:{node.lineno} f-string"
            literals = [a.value for a in node.args[:last] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if len(literals) > first:
                found.add(key(literals[:first], literals[first]))
    return found


def function_name(node: ast.AST) -> str:
    called = getattr(node, "func", None) if isinstance(node, ast.Call) else None
    return getattr(called, "id", None) or getattr(called, "attr", "")


def key(context: list[str], text: str) -> str:
    return "\x04".join([*context, text])


def texts() -> dict[str, str]:
    """Text (with its context) -> the file it stands in."""
    found: dict[str, str] = {}
    for path in sorted(ROOT.glob("templates/**/*.*")):
        found |= dict.fromkeys(texts_of_template(path), str(path.relative_to(ROOT)))
    for app in APPS:
        for path in sorted(ROOT.glob(f"{app}/**/*.py")):
            found |= dict.fromkeys(texts_of_code(path), str(path.relative_to(ROOT)))
    return {text: place for text, place in found.items() if CHINESE.search(text)}


def english() -> dict[str, Message]:
    sources = sorted(ROOT.glob("locale/*/en/LC_MESSAGES/django.po"))
    messages = [message for source in sources for message in parse(source.read_text(encoding="utf-8"))]
    return {message.key: message for message in messages if message.usable and message.identifier}


def area(place: str) -> str:
    """Whose text it is: templates/APP/..., APP/..., and the platform's for the rest."""
    app = place.removeprefix("templates/").partition("/")[0]
    return app if app in AREAS else "platform"


@pytest.mark.parametrize("name", AREAS)
def test_every_text_has_its_english(name):
    known = english()
    missing = [f"{place}: {text}" for text, place in texts().items() if area(place) == name and text not in known]
    assert not missing, f"{len(missing)} without English:\n" + "\n".join(missing)


def test_a_text_has_its_english_in_one_area_alone():
    """Two areas that translate one text hide each other, and which one wins is an accident of their order."""
    sources = sorted(ROOT.glob("locale/*/en/LC_MESSAGES/django.po"))
    keys = Counter(
        message.key for path in sources for message in parse(path.read_text(encoding="utf-8")) if message.identifier
    )
    assert [text for text, count in keys.items() if count > 1] == []


def test_english_uses_only_placeholders_of_its_text():
    wrong = [
        message.identifier
        for message in english().values()
        for translation in message.translations.values()
        if set(PLACEHOLDER.findall(translation)) - set(PLACEHOLDER.findall(message.identifier))
    ]
    assert not wrong


def test_texts_are_found_in_templates_and_code(tmp_path):
    template = tmp_path / "page.html"
    template.write_text(
        '{% translate "保存" %}{% trans \'取消\' as word %}{{ _("删除")|upper }}{% translate "通" context "路" %}'
        "{% blocktranslate trimmed with name=card.name|upper count n=cards|length %}\n  {{ name }}的 {{ n }} 张卡\n"
        "{% plural %}{{ name }}的 {{ n }} 张卡们{% endblocktranslate %}",
        encoding="utf-8",
    )
    assert texts_of_template(template) == {"保存", "取消", "删除", "路\x04通", "%(name)s的 %(n)s 张卡"}
    code = tmp_path / "code.py"
    code.write_text(
        '_("甲" "乙"); translation.gettext_lazy("丙"); ngettext("丁", "戊", 2); _(variable)', encoding="utf-8"
    )
    assert texts_of_code(code) == {"甲乙", "丙", "丁"}
