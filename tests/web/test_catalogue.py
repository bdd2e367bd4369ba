"""Catalogues: what is written in a .po file is what gettext's own reader finds in the .mo."""

import gettext
import io

import pytest

from changde.web.catalogue import CatalogueError, compile_file, compiled, parse

HEADER = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def read(text):
    return gettext.GNUTranslations(io.BytesIO(compiled(parse(HEADER + text))))


def test_a_text_is_found():
    assert read('msgid "保存"\nmsgstr "Save"\n').gettext("保存") == "Save"


def test_strings_over_several_lines_and_escapes_are_joined():
    catalogue = read('msgid ""\n"第一行\\n"\n"第\\"二\\"行"\nmsgstr ""\n"One\\n"\n"\\"two\\"\\t\\\\"\n')
    assert catalogue.gettext('第一行\n第"二"行') == 'One\n"two"\t\\'


def test_an_escaped_backslash_before_n_is_no_line_break():
    assert read('msgid "路"\nmsgstr "a\\\\nb"\n').gettext("路") == "a\\nb"


def test_context_keeps_two_meanings_apart():
    catalogue = read('msgctxt "路"\nmsgid "通"\nmsgstr "open"\n\nmsgctxt "电"\nmsgid "通"\nmsgstr "live"\n')
    assert (catalogue.pgettext("路", "通"), catalogue.pgettext("电", "通")) == ("open", "live")


def test_plural_forms_are_chosen_by_number():
    entry = 'msgid "%(n)s 户"\nmsgid_plural "%(n)s 户"\nmsgstr[0] "%(n)s household"\nmsgstr[1] "%(n)s households"\n'
    catalogue = read(entry)
    assert catalogue.ngettext("%(n)s 户", "%(n)s 户", 1) == "%(n)s household"
    assert catalogue.ngettext("%(n)s 户", "%(n)s 户", 2) == "%(n)s households"


def test_fuzzy_empty_and_obsolete_entries_are_left_out():
    catalogue = read('#, fuzzy\nmsgid "甲"\nmsgstr "A"\n\nmsgid "乙"\nmsgstr ""\n\n#~ msgid "丙"\n#~ msgstr "C"\n')
    assert [catalogue.gettext(text) for text in "甲乙丙"] == ["甲", "乙", "丙"]


def test_the_entry_after_a_fuzzy_one_counts():
    assert read('#, fuzzy\nmsgid "甲"\nmsgstr "A"\n\nmsgid "乙"\nmsgstr "B"\n').gettext("乙") == "B"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('msgid "甲"\nmsgstr "A"\nmsgid "甲"\nmsgstr "B"\n', "repeats"),
        ('msgid "甲"\nmsgstr "A" oops\n', "line 2"),
        ('msgid "甲"\nmsgstr "\\q"\n', "escape"),
        ('"甲"\n', "continues nothing"),
        ('msgstr "A"\n', "before any msgid"),
        ('msgid "甲"\nmsgstr "A"\nmsgstr "B"\n', "second msgstr"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text, said):
    with pytest.raises(CatalogueError, match=said):
        parse(text)


def test_the_compiled_file_stands_beside_its_source(tmp_path):
    source = tmp_path / "django.po"
    source.write_text(HEADER + 'msgid "户"\nmsgstr "household"\n', encoding="utf-8")
    assert compile_file(source) == 1
    with (tmp_path / "django.mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("户") == "household"
