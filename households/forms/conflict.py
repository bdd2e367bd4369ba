"""Two people on one card: the form after a conflict, with mine and theirs side by side for what both changed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from households.domain.card import Member
from households.domain.income import PARTS
from households.domain.merge import Conflict, NumberedCard, Part
from households.forms.card import Both, CardForms, Choice, HouseholdForm, MemberForm, card_forms
from households.forms.registry import RegistryField, RegistryForm, display
from households.forms.worksheet import put_part, put_rows, shown
from households.line_words import line_text
from households.services.cards import VersionConflict


def conflicting_forms(data: QueryDict, forms_: CardForms, conflict: VersionConflict, **options: Any) -> CardForms:
    """The forms after a conflict: what they changed alone is taken over, what both changed is put as a choice."""
    data = data.copy()
    data["version"] = str(conflict.version)
    mine, merged = forms_.numbered, conflict.card
    _take_over(data, "", forms_.household, Both(mine.card), Both(merged.card))
    rows = forms_.members.present
    left = [row for row, person in zip(rows, mine.persons, strict=True) if person and person not in merged.persons]
    for row in left:
        data[f"{row.prefix}-DELETE"] = "on"
    kept = [(row, member) for row, member in zip(rows, mine.card.members, strict=True) if row not in left]
    places: dict[int | None, str] = {}
    prefixes: list[str] = []
    for index, (person, member) in enumerate(zip(merged.persons, merged.card.members, strict=True)):
        if index < len(kept):
            row, own = kept[index]
            prefix = row.prefix
            _take_over(data, f"{prefix}-", row, own, member)
        else:
            total = int(str(data["members-TOTAL_FORMS"]))
            prefix = f"members-{total}"
            data["members-TOTAL_FORMS"] = str(total + 1)
            _put(data, f"{prefix}-", MemberForm().shown(member))
        data[f"{prefix}-person"] = str(person or "")
        prefixes.append(prefix)
        places[person] = prefix
    for form in forms_.members.forms:  # rows I took off, which they changed
        places.setdefault(form.cleaned_data.get("person"), form.prefix)
    rows_at = [int(prefix.rpartition("-")[2]) for prefix in prefixes]
    put_rows(data, [shown(line, None if line.member is None else rows_at[line.member]) for line in merged.card.lines])
    names = {person: member.name or "" for side in (mine, merged) for person, member in _numbered(side)}
    choices = tuple(_choice(each, forms_, places, names) for each in conflict.conflicts)
    return replace(card_forms(data, **options), choices=choices)


def chosen(data: QueryDict, stored: NumberedCard) -> QueryDict:
    """The data with every choice `choose-NAME=theirs` replaced by the stored value."""
    data = data.copy()
    by_person = {str(person): member for person, member in zip(stored.persons, stored.card.members, strict=True)}
    household, member_form = HouseholdForm(villages=[]), MemberForm()
    for key in [key for key in data if key.startswith("choose-") and data[key] == "theirs"]:
        prefix, dash, attribute = key.removeprefix("choose-").rpartition("-")
        if not dash:
            if attribute in PARTS:
                put_part(data, attribute, _stored_rows(data, stored, attribute))
            _put(data, "", {attribute: household.shown(Both(stored.card)).get(attribute, "")})
            continue
        member = by_person.get(data.get(f"{prefix}-person", ""))
        if attribute == "DELETE":
            data.pop(f"{prefix}-DELETE", None)
            _put(data, f"{prefix}-", member_form.shown(member) if member else {"DELETE": "on"})
        elif member:
            _put(data, f"{prefix}-", {attribute: member_form.shown(member).get(attribute, "")})
    return data


def _stored_rows(data: QueryDict, stored: NumberedCard, part: str) -> list[dict[str, Any]]:
    """The stored lines of a part as rows of the page, the members at the rows where the page has them."""
    total = data.get("members-TOTAL_FORMS", "0")
    rows = {data.get(f"members-{at}-person", ""): at for at in range(int(total) if total.isdecimal() else 0)}
    return [
        shown(line, None if line.member is None else rows.get(str(stored.persons[line.member])))
        for line in stored.card.lines
        if line.part == part
    ]


def _numbered(side: NumberedCard) -> list[tuple[int, Member]]:
    """Members by person; who is new to the system stands under the key of domain.merge."""
    pairs = enumerate(zip(side.persons, side.card.members, strict=True))
    return [(-1 - index if person is None else person, member) for index, (person, member) in pairs]


def _take_over(data: QueryDict, prefix: str, form: RegistryForm, mine: Any, merged: Any) -> None:
    names = [name for group in form.groups for name in group.attributes]
    changed = [name for name in names if getattr(mine, name) != getattr(merged, name)]
    _put(data, prefix, {name: form.fields[name].shown(getattr(merged, name)) for name in changed})


def _put(data: QueryDict, prefix: str, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        data.setlist(f"{prefix}{name}", value if isinstance(value, list) else [str(value)])


def _choice(
    conflict: Conflict, forms_: CardForms, places: Mapping[int | None, str], names: Mapping[int, str]
) -> Choice:
    if conflict.entity == "worksheet":
        field = forms_.household.fields[conflict.attribute]
        mine, theirs = (_part_text(field, side, names) for side in (conflict.mine, conflict.theirs))
        return Choice(conflict.attribute, str(field.label), "", mine, theirs)
    if conflict.entity != "member":
        field = forms_.household.fields[conflict.attribute]
        return Choice(conflict.attribute, str(field.label), "", *_sides(field, conflict))
    prefix = places[conflict.person]
    if conflict.attribute:
        field = MemberForm().fields[conflict.attribute]
        sides = _sides(field, conflict)
        return Choice(f"{prefix}-{conflict.attribute}", str(field.label), conflict.name or "", *sides)
    kept, gone = _("保留在户"), _("移出本户")
    mine, theirs = (gone if side is None else kept for side in (conflict.mine, conflict.theirs))
    return Choice(f"{prefix}-DELETE", _("是否在户"), conflict.name or "", mine, theirs)


def _part_text(field: RegistryField, part: Part, names: Mapping[int, str]) -> str:
    """A part with its lines: 9,000：种植 水稻 ...；养殖 ..."""
    lines = "；".join(line_text(line, names.get(line.member or 0, "")) for line in part.lines)
    return f"{display(field, part.figure)}：{lines}" if lines else display(field, part.figure)


def _sides(field: RegistryField, conflict: Conflict) -> tuple[str, str]:
    return display(field, conflict.mine), display(field, conflict.theirs)
