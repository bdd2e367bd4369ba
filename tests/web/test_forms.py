"""Controls written without a template are the ones Django's own templates write."""

import re
from datetime import date
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.html import escape
from django.utils.safestring import mark_safe

from changde.web.forms import FigureInput, Renderer
from changde.web.templatetags import web

HOSTILE = "\"><script>alert('a')&amp;"
CLASSES = "form-select form-control form-check-input"
ATTRS = {"data-x": HOSTILE, "required": True, "disabled": False, "maxlength": 60, "class": CLASSES}
CHOICES = [("", "请选择"), (1, "一"), (HOSTILE, HOSTILE), ("组", [("a", mark_safe("<b>甲</b>")), (None, "乙")])]
CONTROLS = {
    "text": (forms.TextInput, HOSTILE),
    "text, empty": (forms.TextInput, None),
    "text, nothing typed": (forms.TextInput, ""),
    "figure": (FigureInput, "12.5"),
    "number": (forms.NumberInput, 0),
    "hidden": (forms.HiddenInput, "x"),
    "date": (forms.DateInput, date(2026, 11, 23)),
    "password": (forms.PasswordInput, "x"),
    "checked": (forms.CheckboxInput, True),
    "not checked": (forms.CheckboxInput, False),
    "text area": (forms.Textarea, HOSTILE),
    "text area, empty": (forms.Textarea, None),
    "select": (lambda attrs: forms.Select(attrs, CHOICES), HOSTILE),
    "select, in a group": (lambda attrs: forms.Select(attrs, CHOICES), "a"),
    "select, several": (lambda attrs: forms.SelectMultiple(attrs, CHOICES), ["1", "a"]),
    "unknown, true or false": (lambda attrs: forms.NullBooleanSelect(attrs), True),
}


def packed(html: str) -> str:
    """Without the white space between tags, and each tag's attributes in one order."""
    html = re.sub(r">\s+<", "><", html.strip())
    return re.sub(r' class="([^"]*)"', lambda found: f' class="{" ".join(sorted(found[1].split()))}"', html)


@pytest.mark.parametrize(("make", "value"), CONTROLS.values(), ids=CONTROLS)
def test_a_control_is_what_djangos_template_writes(make: Any, value: Any) -> None:
    widget = make(dict(ATTRS))
    ours = widget.render("name", value, {"id": "id_name"}, renderer=Renderer())
    theirs = make(dict(ATTRS)).render("name", value, {"id": "id_name"}, renderer=DjangoTemplates())
    assert packed(ours) == packed(theirs)
    assert "<script>" not in ours


def test_a_class_is_added_where_the_control_has_none() -> None:
    renderer = Renderer()
    assert 'class="form-select"' in forms.Select(choices=CHOICES).render("name", "", renderer=renderer)
    assert 'class="form-control"' in forms.TextInput().render("name", "", renderer=renderer)
    assert 'class="form-check-input"' in forms.CheckboxInput().render("name", True, renderer=renderer)


@pytest.mark.parametrize("kind", [forms.RadioSelect, forms.CheckboxSelectMultiple])
def test_each_choice_is_a_control_inside_its_label(kind: Any) -> None:
    html = kind({"data-x": HOSTILE}, CHOICES[:3]).render("name", "1", {"id": "id_name"}, renderer=Renderer())
    assert "<script>" not in html
    labels = re.findall(r"<label>(<input [^>]*>)(.*?)</label>", html)
    assert [words for _control, words in labels] == [escape(label) for _value, label in CHOICES[:3]]
    assert [" checked" in control for control, _words in labels] == [False, True, False]
    assert [f'id="id_name_{at}"' in labels[at][0] and 'class="form-check-input"' in labels[at][0] for at in range(3)]


class CardForm(forms.Form):
    name = forms.CharField(label="姓名 <b>", help_text="<i>例</i>")
    phone = forms.CharField(label="电话", required=False)
    water = forms.ChoiceField(label="饮水", choices=CHOICES[1:3], widget=forms.RadioSelect, help_text="必答")
    gone = forms.BooleanField(label="移出", required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)


def test_a_field_says_name_code_unit_help_error_and_doubt() -> None:
    form = CardForm({"version": "1"})
    form.fields["name"].doubt = "是否 <写错>"  # type: ignore[attr-defined]
    html = web.field(form["name"], code="A1", unit="元", short=True)
    assert html.startswith(
        '<div class="field field-short"><label for="id_name">姓名 &lt;b&gt;<span class="field-code">A1</span></label>'
        '<div class="input-group"><input type="text" name="name"'
    )
    assert (
        '<span class="input-group-text">元</span>' in html and "<i>例</i>" in html and 'id="id_name_helptext"' in html
    )
    assert 'id="id_name_error"' in html and form.errors["name"][0] in html and "是否 &lt;写错&gt;" in html
    assert "选填" not in html and "选填" in web.field(form["phone"])


def test_a_group_of_choices_is_a_fieldset_described_by_its_help() -> None:
    html = web.field(CardForm()["water"])
    assert html.startswith(
        '<fieldset class="field" id="id_water" aria-describedby="id_water_helptext"><legend>饮水</legend>'
    )
    assert web.field(CardForm()["gone"]).startswith('<div class="field field-check"><input type="checkbox"')
    assert web.field(CardForm(initial={"version": 3})["version"]).startswith(
        '<input type="hidden" name="version" value="3"'
    )


def test_a_form_writes_its_fields_by_the_same_tag() -> None:
    form = CardForm({"version": "1"})
    assert web.field(form["name"]) in str(form["name"].as_field_group())
