"""The form of a whole card: household and sheet, members as rows; between POST data and a typed card."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from changde.accounts.refusal import Refusal
from changde.divisions.models import Division
from households.card_sections import CARD_SECTIONS, MEMBERS, NEEDS, Group, Section
from households.domain.card import Card, Member, household_from, member_from, sheet_from
from households.domain.card_income import with_lines
from households.domain.merge import NumberedCard
from households.domain.needs import Needs, NeedsChange
from households.domain.years import FIRST_YEAR, LAST_YEAR
from households.forms.needs import STILL, NeedsForm
from households.forms.registry import RegistryForm
from households.forms.worksheet import Worksheet
from households.messages import message
from households.services.cards import CardRefused, NumberWaits

MOST_MEMBERS = 40


class HouseholdForm(RegistryForm):
    """The household and its sheet of one year."""

    groups = tuple(group for section in CARD_SECTIONS for group in section.groups)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    client_key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, villages: Sequence[Division], fixed_year: int | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        village = self.fields["village_code"]
        if len(villages) > 1:
            choices = [(str(each.code), each.name) for each in villages]
            village.widget = forms.Select(
                {"data-attribute": "village_code", "data-search": ""}, [("", _("请选择")), *choices]
            )
        else:
            village.widget = forms.HiddenInput()
        village.label = _("行政村")
        if fixed_year:
            self.fields["year"].widget = forms.HiddenInput()

    def clean_year(self) -> int:
        year = self.cleaned_data["year"]
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise forms.ValidationError(message("year-outside"))
        return year

    def section_groups(self, section: Section) -> list[tuple[Group, list[forms.BoundField]]]:
        return self.shown_groups(section.groups)


class MemberForm(RegistryForm):
    """One member: identity, relation, and the facts of the year. `person` is the person the row was read from."""

    groups = MEMBERS.groups
    person = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def has_changed(self) -> bool:
        """A row in which nothing but a preset relation stands is no member."""
        return bool(set(self.changed_data) - {"relation", "person", "DELETE"}) or bool(self.initial.get("person"))


class _MemberFormSet(forms.BaseFormSet):
    def __init__(self, *args: Any, kept: Mapping[int, Member] | None = None, carried: bool = False, **kwargs: Any):
        self.kept_members, self.carried = kept or {}, carried
        super().__init__(*args, **kwargs)

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        kwargs = super().get_form_kwargs(index)
        person = None
        if index is not None and self.is_bound:
            given = self.data.get(f"{self.prefix}-{index}-person", "")
            person = int(given) if given.isdecimal() else None
        elif index is not None and self.initial and index < len(self.initial):
            person = self.initial[index].get("person")
        return kwargs | {"kept": self.kept_members.get(person) if person else None, "carried": self.carried}

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("移出本户")

    @property
    def present(self) -> list[MemberForm]:
        """Rows that are members: filled in and not taken off."""
        return [
            form
            for form in self.forms
            if form.has_changed() and not form.cleaned_data.get("DELETE")  # type: ignore[misc]
        ]


MemberFormSet: Any = forms.formset_factory(
    MemberForm,
    formset=_MemberFormSet,
    extra=0,
    can_delete=True,
    max_num=MOST_MEMBERS,
    absolute_max=MOST_MEMBERS,
    validate_max=True,
)


@dataclass(frozen=True)
class Choice:
    """A field two people changed: which control it is, whose, and both values as people read them."""

    name: str
    label: str
    whose: str
    mine: str
    theirs: str


@dataclass(frozen=True)
class Unconfirmed:
    """A group that still shows last year's facts: where it stands, whose it is, what it is called."""

    href: str
    whose: str
    title: Any


@dataclass
class CardForms:
    """Household form, member rows, worksheet and needs of one page, and the way between them and a typed card."""

    household: HouseholdForm
    members: Any
    worksheet: Worksheet
    needs: NeedsForm
    choices: tuple[Choice, ...] = ()

    @property
    def is_valid(self) -> bool:
        # each, so that all errors show at once
        each = [self.household.is_valid(), self.members.is_valid(), self.needs.is_valid()]
        return all(each) and self.worksheet.is_valid(self._places)

    @property
    def _places(self) -> dict[int, int]:
        """Number of a member's row -> index of the member on the card."""
        forms_ = list(self.members.forms)
        return {forms_.index(row): index for index, row in enumerate(self.members.present)}

    @property
    def numbered(self) -> NumberedCard:
        """The typed card of valid forms, with the persons its rows were read from."""
        values, rows = self.household.values(), self.members.present
        members = tuple(member_from(row.values()) for row in rows)
        persons = tuple(row.cleaned_data.get("person") for row in rows)
        lines = self.worksheet.lines(self._places, persons)
        return NumberedCard(with_lines(Card(household_from(values), sheet_from(values), members, lines)), persons)

    @property
    def needs_change(self) -> NeedsChange | None:
        """What the household names, with what stood there; None where the sending knows nothing of needs."""
        return None if self.needs.is_missing else self.needs.change

    @property
    def unconfirmed(self) -> list[Unconfirmed]:
        """What of last year nobody confirmed or changed, in the order of the form; for valid forms."""
        named = [Unconfirmed(f"#{self.needs[STILL].auto_id}", "", NEEDS.title)] if self.needs.unconfirmed else []
        return [
            Unconfirmed(f"#id_{form.add_prefix('still_' + group.attributes[0])}", whose, group.title)
            for form, whose in [
                (self.household, ""),
                *((row, row.cleaned_data["name"]) for row in self.members.present),
            ]
            for group in form.unconfirmed
        ] + named

    def tell(self, refusal: Refusal) -> None:
        """Put a refusal of the service at the fields it is about."""
        if isinstance(refusal, CardRefused):
            for problem in refusal.problems:
                form = self._form(problem.member)
                field = next((name for name in problem.attributes if name in form.fields), None)
                form.add_error(field, message(problem.check_id, problem.parameters))
        elif isinstance(refusal, NumberWaits):
            for index in refusal.members:
                self._form(index).add_error("id_number", refusal.message)
        else:
            known = refusal.field in self.household.fields
            self.household.add_error(refusal.field if known else None, refusal.message)

    def _form(self, member: int | None) -> forms.Form:
        return self.household if member is None else self.members.present[member]


def card_forms(
    data: QueryDict | None,
    *,
    villages: Sequence[Division],
    stored: NumberedCard | None = None,
    version: int | None = None,
    start: Card | None = None,
    fixed_year: int | None = None,
    carried: bool = False,
    needs: Needs | None = None,
    last_needs: Needs | None = None,
    rows: int = 0,
    lines: int = 0,
) -> CardForms:
    """The forms of a new card (`start` pre-fills) or a stored one, bound when there is data.

    `carried`: what is stored is last year's, and every group asks whether it is still true. `needs` stand for the year
    of the form, `last_needs` (of a carried card) for the year before.

    `rows` blank members and `lines` blank rows in each group of the worksheet, where the browser runs no scripts.
    """
    shown = stored.card if stored else start or Card()
    persons = stored.persons if stored else (None,) * len(shown.members)
    kept = {person: member for person, member in zip(persons, shown.members, strict=True) if person}
    options: dict[str, Any] = {"villages": villages, "fixed_year": fixed_year, "carried": carried}
    options["kept"] = Both(shown) if stored else None
    named = NeedsForm(data, stored=needs or {}, last=last_needs, prefix="needs")
    if data is not None:
        sent = MemberFormSet(data, prefix="members", kept=kept, carried=carried)
        names = [(at, data.get(f"{row.prefix}-name", "")) for at, row in enumerate(sent.forms)]
        worksheet = Worksheet(data, lines=shown.lines, persons=persons, members=names)
        return _with_sums(CardForms(HouseholdForm(data, **options), sent, worksheet, named))
    household, member_form = HouseholdForm(**options), MemberForm()
    household.initial = household.shown(Both(shown)) | {
        "version": version,
        "client_key": uuid.uuid4(),
    }
    members = [
        member_form.shown(member) | {"person": person} for person, member in zip(persons, shown.members, strict=True)
    ]
    formset = MemberFormSet(initial=members, prefix="members", kept=kept, carried=carried)
    formset.extra = rows
    names = [(at, member.name or "") for at, member in enumerate(shown.members)]
    worksheet = Worksheet(None, lines=shown.lines, persons=persons, members=names, blank=lines)
    return _with_sums(CardForms(household, formset, worksheet, named))


def _with_sums(made: CardForms) -> CardForms:
    """A part that has lines is their sum: its field is read only."""
    for part in made.worksheet.parts:
        made.household.fields[part].widget.attrs["readonly"] = True
    return made


class Both:
    """Household and sheet facts under one name; their attributes do not clash."""

    def __init__(self, card: Card):
        self._card = card

    def __getattr__(self, name: str) -> Any:
        own = self._card.household if hasattr(self._card.household, name) else self._card.sheet
        return getattr(own, name)
