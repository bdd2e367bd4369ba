"""Sentences on the card form: what the checks ask the typist, at which field, and what was typed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from households.domain.merge import NumberedCard
from households.forms.card import CardForms
from households.messages import message
from households.models import Finding
from households.services.findings import WORDS_LENGTH, Sentences, SentencesMissing

FOR_ALL = "explain-all"
_PREFIX = "explain-"


@dataclass(frozen=True)
class Doubt:
    """One thing the typist is asked about: the control for the sentence, the field it is about, and why."""

    name: str
    text: str
    whose: str
    label: str
    href: str
    value: str
    error: str = ""
    returned: str = ""


def sentences_of(data: QueryDict, forms_: CardForms) -> Sentences:
    """What was typed, by check and the member's place among the rows that are members."""
    places: dict[str, int | None] = {"card": None}
    places |= {row.prefix: index for index, row in enumerate(forms_.members.present) if row.prefix}
    each = {}
    for key, text in data.items():
        prefix, _dot, check_id = key.removeprefix(_PREFIX).partition(".")
        if key.startswith(_PREFIX) and check_id and prefix in places:
            each[check_id, places[prefix]] = str(text)
    return Sentences(each, str(data.get(FOR_ALL, "")))


def asked(forms_: CardForms, missing: SentencesMissing, data: QueryDict) -> list[Doubt]:
    """The doubts of a save that waits for sentences; each also marks its field."""
    rows = forms_.members.present
    doubts = []
    for finding in missing.findings:
        row = rows[finding.member] if finding.member is not None else None
        name = f"{_PREFIX}{row.prefix if row else 'card'}.{finding.check_id}"
        text = message(finding.check_id, finding.parameters)
        error = missing.problems.get((finding.check_id, finding.member), "")
        doubts.append(_doubt(forms_, row, finding.attributes, name, text, data.get(name, ""), error=error))
    return doubts


def returned(forms_: CardForms, stored: NumberedCard, notes: Iterable[Finding]) -> list[Doubt]:
    """Notes of the stored card a reviewer sent back, with the reason, for the form before anything is changed."""
    rows = {form.initial.get("person"): form for form in forms_.members.forms}
    doubts = []
    for note in notes:
        row = rows.get(note.person_id) if note.person_id in stored.persons else None
        name = f"{_PREFIX}{row.prefix if row else 'card'}.{note.code}"
        text = message(note.code, note.facts.get("parameters", {}))
        fields = note.facts.get("attributes", [])
        doubts.append(_doubt(forms_, row, fields, name, text, "", returned=note.return_reason))
    return doubts


def kept(data: QueryDict, doubts: Iterable[Doubt]) -> list[tuple[str, str]]:
    """Sentences typed earlier that are not asked for now: carried along, so that a red error loses none."""
    shown = {each.name for each in doubts} | ({FOR_ALL} if doubts else set())
    return [
        (key, str(text)) for key, text in data.items() if key.startswith(_PREFIX) and key not in shown and str(text)
    ]


def _doubt(
    forms_: CardForms, row: Any, attributes: Iterable[str], name: str, text: str, value: Any, **more: str
) -> Doubt:
    form: Any = row or forms_.household
    field = next((each for each in attributes if each in form.fields), None)
    if field:
        form.fields[field].doubt = text
        form.has_doubt = True
    whose = (row["name"].value() or "") if row else ""
    bound = form[field] if field else None
    href = f"#{bound.auto_id if bound.use_fieldset else bound.id_for_label}" if bound else ""
    label = str(bound.label) if bound else _("本户")
    return Doubt(name, text, whose, label, href, str(value or ""), **more)


class SentenceForm(forms.Form):
    """One sentence about one note."""

    words = forms.CharField(
        label=gettext_lazy("说明"),
        max_length=WORDS_LENGTH,
        widget=forms.Textarea({"rows": 2, "maxlength": WORDS_LENGTH}),
        help_text=gettext_lazy("一句话说清为什么这样填是对的；不写证件号码、账号"),
        error_messages={"required": gettext_lazy("请用一句话说明")},
    )


class ReviewForm(forms.Form):
    """A reviewer's word: needed to return a note, free to accept one."""

    reason = forms.CharField(
        label=gettext_lazy("意见"),
        max_length=WORDS_LENGTH,
        required=False,
        widget=forms.Textarea({"rows": 2, "maxlength": WORDS_LENGTH}),
        help_text=gettext_lazy("退回时必填，村里会看到；不写证件号码、账号"),
    )
