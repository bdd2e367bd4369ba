"""A card between its typed facts (domain.card) and its rows: which attribute stands in which column of which table.

Text that is unknown is "" in a row and None in the facts; numbers of people are ciphertext in a row, bound to the row's
id, with a keyed hash beside them where they are searched. Both directions stand here, so that form, merge, history and
bulk import read and write alike.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from changde.crypto.cipher import blind_column, blind_index, decrypt, encrypt, encrypt_column
from households.domain.card import Card, HouseholdFacts, Member, SheetFacts
from households.domain.card_text import HOUSEHOLD_COLUMNS, MEMBER_COLUMNS, NULL, PERSON_COLUMNS, SHEET_COLUMNS
from households.domain.income import to_fen, to_yuan
from households.domain.merge import NumberedCard
from households.domain.name_keys import name_keys
from households.domain.worksheet import IncomeLine
from households.models import Household, MemberSheet, Membership, Person, Sheet

# attribute -> kind of its blind index ("" where nobody searches)
SECRETS: dict[type, dict[str, str]] = {
    Household: {"phone": "phone", "bank_account": "account", "helper_phone": ""},
    Person: {"id_number": "id", "old_id_number": "", "disability_certificate": "", "phone": "phone"},
}

# -- facts to columns ------------------------------


def household_columns(facts: HouseholdFacts, household_id: int) -> dict[str, Any]:
    """Column -> value of the household's own facts; the caller adds head, persons, status and versions."""
    columns = {name: _stored(Household, name, getattr(facts, name)) for name in HOUSEHOLD_COLUMNS}
    return columns | {"village_id": facts.village_code} | _secrets(Household, facts, household_id)


def person_columns(facts: Member, person_id: int) -> dict[str, Any]:
    """Column -> value of a person; the keys for sorting and searching follow from the name."""
    columns = {name: _stored(Person, name, getattr(facts, name)) for name in PERSON_COLUMNS}
    pinyin, initials = name_keys(facts.name or "")
    return columns | {"pinyin": pinyin, "initials": initials} | _secrets(Person, facts, person_id)


def sheet_columns(facts: SheetFacts) -> dict[str, Any]:
    columns = {name: _stored(Sheet, name, getattr(facts, name)) for name in SHEET_COLUMNS}
    if isinstance(facts.entered_at, datetime) and timezone.is_naive(facts.entered_at):
        columns["entered_at"] = timezone.make_aware(facts.entered_at)
    return columns


def member_columns(facts: Member) -> dict[str, Any]:
    """Column -> value of a member's sheet, the relation in that year included."""
    columns = {name: _stored(MemberSheet, name, getattr(facts, name)) for name in MEMBER_COLUMNS}
    return columns | {"relation": facts.relation or ""}


def line_columns(line: IncomeLine, persons: Sequence[int]) -> dict[str, Any]:
    """Column -> value of a line of the worksheet; `persons` are the ids of the card's members."""
    return {
        "kind": line.kind,
        "item": line.item or "",
        "quantity": line.quantity,
        "person_id": None if line.member is None else persons[line.member],
        "months": line.months,
        "monthly": None if line.monthly_fen is None else to_yuan(line.monthly_fen),
        "amount": to_yuan(line.fen),
        "known": line.known,
    }


# Columns where unknown text is "".
_NEVER_NULL: dict[type, frozenset[str]] = {
    model: frozenset(field.name for field in model._meta.concrete_fields if not field.null)
    for model in (Household, Person, Sheet, MemberSheet)
}
NEVER_NULL = {model.__name__.lower(): names for model, names in _NEVER_NULL.items()}


def _stored(model: type, name: str, value: Any) -> Any:
    if value is None:
        return "" if name in _NEVER_NULL[model] else None
    return list(value) if isinstance(value, tuple) else value


def _secrets(model: type, facts: Any, owner: int) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, kind in SECRETS[model].items():
        text = getattr(facts, name)
        columns[f"{name}_cipher"] = encrypt(text, field=f"{model.__name__.lower()}.{name}", owner=owner)
        if kind:
            columns[f"{name}_hash"] = blind_index(text, kind=kind)
    return columns


def secret_columns(model: type) -> list[str]:
    """The columns of `secret_cells`, in their order."""
    kinds = SECRETS[model].items()
    return [name for text, kind in kinds for name in (f"{text}_cipher", *([f"{text}_hash"] if kind else []))]


def secret_cells(model: type, facts: Sequence[Any], owners: Sequence[int]) -> Iterator[tuple[str, ...]]:
    """Of each of the facts the cells of its numbers, in the text format of COPY, encrypted for its owner."""
    columns = []
    for name, kind in SECRETS[model].items():
        texts = [getattr(each, name) for each in facts]
        columns.append(encrypt_column(texts, field=f"{model.__name__.lower()}.{name}", owners=owners))
        if kind:
            columns.append(blind_column(texts, kind=kind))
    cells = [[NULL if value is None else rf"\\x{value.hex()}" for value in column] for column in columns]
    return zip(*cells, strict=True)


def differing(row: Any, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns whose value differs from the row's.

    A ciphertext is new each time it is made: two that open to the same text do not differ.
    """
    return {name: value for name, value in columns.items() if not _same(row, name, getattr(row, name), value)}


def _same(row: Any, name: str, old: Any, new: Any) -> bool:
    if old is None or new is None:
        return old is new
    if name.endswith("_cipher"):
        field, owner = f"{row._meta.model_name}.{name.removesuffix('_cipher')}", row.pk
        return decrypt(old, field=field, owner=owner) == decrypt(new, field=field, owner=owner)
    return bytes(old) == new if isinstance(old, memoryview) else old == new


# -- rows to facts ------------------------------


def read_card(
    household: Any,
    sheet: Any | None,
    members: Sequence[tuple[int, Any, Any | None, str]],
    *,
    household_id: int,
    lines: Iterable[Any] = (),
) -> NumberedCard:
    """The typed card of rows. `members` are (person id, person row, member sheet row or None, relation).

    Rows may be rows of the history: they have the same columns; ids are given apart because theirs is another.
    """
    facts = HouseholdFacts(
        village_code=household.village_id,
        **{name: getattr(household, name) or None for name in HOUSEHOLD_COLUMNS},
        **_opened(Household, household, household_id),
    )
    numbered = [(person_id, _member(person_id, *rest)) for person_id, *rest in members]
    persons = tuple(person_id for person_id, _ in numbered)
    card = Card(facts, _sheet(sheet), tuple(member for _, member in numbered), read_lines(lines, persons))
    return NumberedCard(card, persons)


def read_lines(rows: Iterable[Any], persons: Sequence[int]) -> tuple[IncomeLine, ...]:
    """The lines of rows (or of rows of the history); the wage of somebody not among `persons` names nobody."""
    places = {person: index for index, person in enumerate(persons)}
    return tuple(
        IncomeLine(
            kind=row.kind,
            fen=to_fen(row.amount),
            known=row.known,
            item=row.item or None,
            quantity=row.quantity,
            member=places.get(row.person_id),
            months=row.months,
            monthly_fen=None if row.monthly is None else to_fen(row.monthly),
        )
        for row in rows
    )


def _sheet(row: Any | None) -> SheetFacts:
    return SheetFacts(**{name: _fact(getattr(row, name)) for name in SHEET_COLUMNS}) if row else SheetFacts()


def _member(person_id: int, person: Any, sheet: Any | None, relation: str) -> Member:
    facts: dict[str, Any] = {name: _fact(getattr(person, name)) for name in PERSON_COLUMNS}
    facts |= _opened(Person, person, person_id)
    if sheet:
        facts |= {name: _fact(getattr(sheet, name)) for name in MEMBER_COLUMNS}
    return Member(relation=relation or None, **facts)


def _fact(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return None if value == "" else value


def _opened(model: type, row: Any, owner: int) -> dict[str, str | None]:
    return {
        name: decrypt(getattr(row, f"{name}_cipher"), field=f"{model.__name__.lower()}.{name}", owner=owner)
        for name in SECRETS[model]
    }


def load_card(household: Household, year: int | None) -> NumberedCard:
    """The card as it stands: open members with their facts of `year` (empty where that year has no sheet)."""
    sheet = Sheet.objects.filter(household=household, year=year).first() if year else None
    facts = {row.person_id: row for row in sheet.members.all()} if sheet else {}
    memberships = Membership.objects.open().filter(household=household).select_related("person")
    members = [
        (row.person_id, row.person, facts.get(row.person_id), row.relation)
        for row in memberships.order_by("position", "pk")
    ]
    lines = sheet.lines.all() if sheet else ()
    return read_card(household, sheet, members, household_id=household.pk, lines=lines)


def load_latest_cards(household_ids: Sequence[int], *, whole: bool = False) -> dict[int, NumberedCard]:
    """Cards as they stand, each with its latest sheet, by household id (four queries); who has no sheet is left out.

    A member who came after that sheet is left out too (but the head): no fact of the year is known of them. With
    `whole` nobody is left out; what is not known is empty.
    """
    latest = Sheet.objects.filter(household__in=household_ids).order_by("household", "-year").distinct("household")
    sheets = {row.household_id: row for row in latest}
    facts = {(row.sheet_id, row.person_id): row for row in MemberSheet.objects.filter(sheet__in=sheets.values())}
    members: dict[int, list[tuple[int, Any, Any | None, str]]] = {}
    wanted = list(household_ids) if whole else list(sheets)
    memberships = Membership.objects.open().filter(household__in=wanted).select_related("person")
    for row in memberships.order_by("household", "position", "pk"):
        sheet = sheets.get(row.household_id)
        known = facts.get((sheet.pk, row.person_id)) if sheet else None
        if known is None and row.relation != Membership.HEAD and not whole:
            continue
        members.setdefault(row.household_id, []).append((row.person_id, row.person, known, row.relation))
    return {
        pk: read_card(household, sheets.get(pk), members.get(pk, []), household_id=pk)
        for pk, household in Household.objects.in_bulk(wanted).items()
    }
