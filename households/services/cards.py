"""Saving a whole card: one transaction with its history, its claims on ID numbers, its findings and its audit event.

The order of refusals: a place the person may not write, a missing or stale version, red checks, a number that stands
on another card. Nothing is written when one of them speaks (but the finding on the first card of a number, which is
written on its own, so that its office learns of it).
"""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.audit.services import acting, record
from changde.bulk import allocate_ids
from changde.crypto.cipher import blind_index
from changde.divisions.codes import Level
from changde.divisions.models import Division
from households.domain import checks
from households.domain.card import Card, SheetFacts
from households.domain.card import Finding as Check
from households.domain.card_income import with_income, with_lines
from households.domain.merge import Conflict, NumberedCard, changed_fields, merge
from households.domain.needs import NeedsChange
from households.domain.worksheet import by_part
from households.models import (
    CardDraft,
    Finding,
    Household,
    IdentityClaim,
    IncomeLine,
    MemberSheet,
    Membership,
    Person,
    Sheet,
)
from households.selectors.beside import beside_of, of_a_save
from households.selectors.history import lines_at, rows_at
from households.selectors.rules import CheckRules
from households.services import card_rows, results
from households.services import findings as notes
from households.services.findings import Judged, Sentences
from households.services.needs import write_needs


class CardRefused(Refusal):
    """Red checks fired; `problems` name member and field of each."""

    def __init__(self, problems: Sequence[Check]):
        super().__init__("checks", _("户卡未通过数据检查，尚未保存"))
        self.problems = tuple(problems)


class NumberWaits(Refusal):
    """A number of this card stands on another active card; `members` are the indexes of those who carry it.

    The message names no place and no person: who types must not learn where a number is used.
    """

    def __init__(self, members: Sequence[int]):
        super().__init__("number_waits", _("该证件号码需由查重台核实，本户暂不能保存；请先核对号码是否录错"))
        self.members = tuple(members)


class VersionConflict(Refusal):
    """Somebody saved the card meanwhile and changed the same fields.

    `card` holds the changes of both (mine where they clash), `version` is the one it must now be saved against.
    """

    def __init__(
        self,
        *,
        version: int,
        who: User | None,
        when: datetime | None,
        card: NumberedCard,
        conflicts: Sequence[Conflict],
    ):
        super().__init__("version_conflict", _("您打开之后，这张户卡已被他人修改；请逐项选择保留哪一个"))
        self.version, self.who, self.when, self.card, self.conflicts = version, who, when, card, tuple(conflicts)


class _NumbersTaken(Exception):
    def __init__(self, members: Sequence[int], hashes: Sequence[bytes]):
        super().__init__("numbers taken")
        self.members, self.hashes = tuple(members), tuple(hashes)


def save_card(
    *,
    card: Card,
    by: User | None,
    household: Household | None = None,
    expected_version: int | None = None,
    persons: Sequence[int | None] | None = None,
    client_key: uuid.UUID | None = None,
    capability: str = "edit_cards",
    rules: CheckRules | None = None,
    sentences: Sentences | None = None,
    needs: NeedsChange | None = None,
) -> Household:
    """Write the whole card, new or changed, and return its household.

    `persons` gives for each member the id of the person it was read from (None: a new row of the form); such a member
    is matched by ID number inside the card, else it is a new person. `expected_version` is the version the writer began
    with, required for an existing card. `client_key` is the form's own: it makes a repeated submission of a new card
    one row, and the writer's draft under it is forgotten in the same transaction.
    `capability` is the right by which it is written: a form edits, a workbook imports. `rules` are the counties'
    figures and switches, where the caller has read them already. With `sentences` a person types: every new yellow
    note must be explained (SentencesMissing); without, notes go in open.
    Parts that have lines are worked out here from them, and the totals from the parts, whatever the card says.
    `needs` are what the household named in the sheet's year, written with the card or not at all (None: left alone).
    Raises Refusal: CardRefused, NumberWaits, VersionConflict, SentencesMissing, NeedsClash, or one that names a field.
    """
    mine = NumberedCard(with_lines(card), tuple(persons) if persons is not None else (None,) * len(card.members))
    try:
        with acting(by), transaction.atomic():
            saved, repeated = _save(
                mine, by, household, expected_version, client_key, capability, rules or CheckRules(), sentences
            )
            if needs is not None and not repeated:
                write_needs(saved, _year(card), needs, by)
            if by is not None and client_key is not None:
                CardDraft.objects.filter(owner=by, client_key=client_key).delete()
            return saved
    except _NumbersTaken as taken:
        note_duplicates(taken.hashes, by=by, village=card.household.village_code)
        raise NumberWaits(taken.members) from None
    except IntegrityError as error:
        return _explained(error, by, client_key)


def _save(
    mine: NumberedCard,
    by: User | None,
    household: Household | None,
    expected_version: int | None,
    client_key: uuid.UUID | None,
    capability: str,
    rules: CheckRules,
    sentences: Sentences | None,
) -> tuple[Household, bool]:
    """The household, locked or made, and whether it stood already under this form's key."""
    _check_place(mine.card, by, household, capability)
    if household is None:
        if client_key and (sent := Household.objects.filter(client_key=client_key).first()):
            return sent, True
        row = Household(pk=allocate_ids(Household, 1)[0], client_key=client_key, status_since=timezone.localdate())
        before = None
    else:
        row = Household.objects.select_for_update().get(pk=household.pk)
        before = card_rows.load_card(row, _year(mine.card))
        mine = _merged(row, before, mine, expected_version)
    mine = replace(mine, card=with_income(mine.card))
    _refuse_red(mine.card, rules)
    mine = replace(mine, persons=_matched(row, mine))
    return _write(row, before, mine, by, rules, sentences), False


# -- before writing ------------------------------


def _year(card: Card) -> int:
    if card.sheet.year is None:
        raise Refusal("year_missing", _("请填写年度"), field="year")
    return card.sheet.year


def _check_place(card: Card, by: User | None, household: Household | None, capability: str) -> None:
    code = card.household.village_code
    if code is None or not Division.objects.current().filter(code=code, level=Level.VILLAGE).exists():
        raise Refusal("village_unknown", _("行政村编码不存在"), field="village_code")
    if by is not None and not covers(by, capability, code):
        raise Refusal("not_your_area", _("该村不在您的辖区内，不能录入或修改"), field="village_code")
    if household is not None and household.village_id != code:
        raise Refusal("village_changed", _("户卡迁往别村须办理迁移，不能直接改村"), field="village_code")


def _merged(row: Household, theirs: NumberedCard, mine: NumberedCard, expected: int | None) -> NumberedCard:
    """Mine, when nobody wrote meanwhile; else the changes of both, or the conflict a person must solve."""
    if expected is None:
        raise Refusal("version_missing", _("缺少户卡版本号，请重新打开户卡再保存"))
    if expected == row.version:
        return mine
    merged, conflicts = merge(_card_at(row, expected, _year(mine.card)), theirs, mine)
    if conflicts:
        last = Event.objects.filter(
            target_kind=row._meta.label_lower, target_id=str(row.pk), kind=Event.Kind.WRITE, facts__version=row.version
        ).last()
        raise VersionConflict(
            version=row.version,
            who=last.actor if last else None,
            when=row.changed_at,
            card=merged,
            conflicts=conflicts,
        )
    return merged


def _card_at(row: Household, version: int, year: int) -> NumberedCard | None:
    """The card as it stood at `version`, from the row history; None when the way back has a gap.

    The history keeps rows as they were before a change; what did not exist yet is known from the events of the log,
    so every step since must have one.
    """
    steps = {
        event.facts["version"]: event.facts
        for event in Event.objects.filter(
            target_kind=row._meta.label_lower, target_id=str(row.pk), facts__version__gt=version
        )
        if "added" in event.facts
    }
    if not 1 <= version < row.version or set(steps) != set(range(version + 1, row.version + 1)):
        return None
    earlier = rows_at(row, version)
    added = {person for facts in steps.values() for person in facts["added"]}
    sheet: Any = Sheet.objects.filter(household=row, year=year).first()
    if sheet and any(facts.get("new_sheet") == year for facts in steps.values()):
        sheet = None
    facts_of = {each.person_id: each for each in sheet.members.all()} if sheet else {}
    facts_of |= {
        old.person_id: old
        for (model, _pk), old in earlier.items()
        if model is MemberSheet and sheet and old.sheet_id == sheet.pk
    }
    members = []
    for membership in Membership.objects.filter(household=row).select_related("person").order_by("position", "pk"):
        was = earlier.get((Membership, membership.pk), membership)
        if was.until is None and membership.person_id not in added:
            person = earlier.get((Person, membership.person_id), membership.person)
            members.append((membership.person_id, person, facts_of.get(membership.person_id), was.relation))
    return card_rows.read_card(
        earlier.get((Household, row.pk), row),
        earlier.get((Sheet, sheet.pk), sheet) if sheet else None,
        members,
        household_id=row.pk,
        lines=lines_at(sheet, version, earlier),
    )


def _refuse_red(card: Card, rules: CheckRules) -> None:
    findings = checks.run(card, rules.context(village=card.household.village_code, year=card.sheet.year))
    if checks.refuses(findings):
        raise CardRefused([finding for finding in findings if finding.severity == checks.RED])


def _matched(row: Household, mine: NumberedCard) -> tuple[int | None, ...]:
    """A person id for each member: as given, else by ID number on this card, else a person who is on no card now."""
    elsewhere = Membership.objects.open().filter(person=OuterRef("pk")).exclude(household=row)
    free = Person.objects.filter(~Exists(elsewhere))
    named = {person for person in mine.persons if person is not None}
    if free.filter(pk__in=named, memberships__household=row).distinct().count() != len(named):
        raise Refusal("stranger", _("家庭成员与户卡不符，请重新打开户卡再保存"))
    hashes = {
        index: blind_index(member.id_number, kind="id")
        for index, (member, person) in enumerate(zip(mine.card.members, mine.persons, strict=True))
        if person is None and member.id_number
    }
    found = free.filter(id_number_hash__in=list(hashes.values())).exclude(pk__in=named).order_by("-pk")
    by_hash = {bytes(person.id_number_hash or b""): person.pk for person in found}
    return tuple(
        person if person is not None else by_hash.pop(hashes.get(index) or b"", None)
        for index, person in enumerate(mine.persons)
    )


# -- writing ------------------------------


def _write(
    row: Household,
    before: NumberedCard | None,
    mine: NumberedCard,
    by: User | None,
    rules: CheckRules,
    sentences: Sentences | None,
) -> Household:
    year = _year(mine.card)
    past = before is not None and Sheet.objects.filter(household=row, year__gt=year).exists()
    if past and None in mine.persons:
        raise Refusal("past_member", _("往年的年度表只能填写本户已有的成员"))
    changed = changed_fields(before, mine) if before else ()
    new = [index for index, person in enumerate(mine.persons) if person is None]
    fresh = iter(allocate_ids(Person, len(new)))
    ids = [next(fresh) if person is None else person for person in mine.persons]
    here = set(before.persons) if before else set()
    added = [] if past else [person for person in ids if person not in here]
    ended = [] if past else [person for person in here if person not in ids]
    stay = [person for person in ids if person in here]
    moved = before is not None and stay != [person for person in before.persons if person in ids]
    new_sheet = not Sheet.objects.filter(household=row, year=year).exists()
    if before is not None and not (changed or added or ended or new_sheet or (moved and not past)):
        if sentences is not None and not past:
            note_findings(row, mine.card, ids, by, rules, sentences)
        return row
    if past:
        row.version, row.changed_at = row.version + 1, timezone.now()
        row.save(update_fields=["version", "changed_at"])
    else:
        _write_household(row, mine.card, created=before is None)
        _write_persons(mine.card, ids, new=set(new))
        _write_memberships(row, mine.card, ids)
    _write_sheet(row, mine.card, ids, by)
    if not past:
        _take_numbers(row, mine.card, ids)
        note_findings(row, mine.card, ids, by, rules, sentences)
    record(
        "households.save_card",
        by=by,
        target=row,
        area=row.village_id,
        version=row.version,
        created=before is None,
        year=year,
        fields=list(changed),
        added=added,
        ended=ended,
        new_sheet=year if new_sheet else None,
    )
    results.refresh_with_save(household=row.pk, year=year)
    return row


def _write_household(row: Household, card: Card, *, created: bool) -> None:
    columns = card_rows.household_columns(card.household, row.pk)
    head = card.head
    columns["head_name"] = (head.name if head else None) or ""
    columns["head_pinyin"], columns["head_initials"] = card_rows.name_keys(columns["head_name"])
    columns["persons"] = len(card.members)
    if created:
        for name, value in columns.items():
            setattr(row, name, value)
        row.changed_at = timezone.now()
        row.save(force_insert=True)
        return
    differing = card_rows.differing(row, columns)
    differing |= {"version": row.version + 1, "changed_at": timezone.now()}
    for name, value in differing.items():
        setattr(row, name, value)
    row.save(update_fields=[name.removesuffix("_id") for name in differing])


def _write_persons(card: Card, ids: Sequence[int], *, new: set[int]) -> None:
    rows = Person.objects.in_bulk([pk for index, pk in enumerate(ids) if index not in new])
    made = []
    for index, (pk, member) in enumerate(zip(ids, card.members, strict=True)):
        columns = card_rows.person_columns(member, pk)
        if index in new:
            made.append(Person(pk=pk, **columns))
        else:
            _update(rows[pk], columns)
    Person.objects.bulk_create(made)


def _write_memberships(row: Household, card: Card, ids: Sequence[int]) -> None:
    """Open, change and end memberships. A head that changes steps down before the next one steps up."""
    today = timezone.localdate()
    is_open = {each.person_id: each for each in Membership.objects.open().filter(household=row)}
    for person, membership in is_open.items():
        if person not in ids:
            _update(membership, {"until": max(today, membership.since or today), "end_reason": "removed"})
    wanted = list(enumerate(zip(ids, card.members, strict=True)))
    wanted.sort(key=lambda each: each[1][1].relation == Membership.HEAD)
    for position, (person, member) in wanted:
        columns = {"relation": member.relation or "", "position": position}
        if person in is_open:
            _update(is_open[person], columns)
        else:
            Membership.objects.create(household=row, person_id=person, since=today, **columns)


def _write_sheet(row: Household, card: Card, ids: Sequence[int], by: User | None) -> None:
    sheet = Sheet.objects.filter(household=row, year=_year(card)).first()
    facts = _signed(card.sheet, sheet, by)
    columns = card_rows.sheet_columns(facts) | {"members_counted": card.counted}
    if sheet is None:
        sheet = Sheet.objects.create(household=row, village_id=row.village_id, **columns)
        rows: dict[int, MemberSheet] = {}
        _write_lines(sheet, card, ids, row.version)
    else:
        rows = {each.person_id: each for each in sheet.members.all()}
        differing = card_rows.differing(sheet, columns)
        if _write_lines(sheet, card, ids, row.version) or differing:
            _update(sheet, differing | {"version": sheet.version + 1, "changed_at": timezone.now()})
    for person, each in rows.items():
        if person not in ids:
            each.delete()
    for position, (person, member) in enumerate(zip(ids, card.members, strict=True)):
        columns = card_rows.member_columns(member) | {"position": position}
        if person in rows:
            _update(rows[person], columns)
        else:
            MemberSheet.objects.create(sheet=sheet, person_id=person, **columns)


def _write_lines(sheet: Sheet, card: Card, ids: Sequence[int], version: int) -> bool:
    """Replace the lines of the parts whose lines differ; whether any did. Untouched parts leave no history."""
    rows = list(sheet.lines.all())
    stored, wanted = by_part(card_rows.read_lines(rows, ids)), by_part(card.lines)
    parts = {part for part in {*stored, *wanted} if stored.get(part) != wanted.get(part)}
    IncomeLine.objects.filter(pk__in=[row.pk for row in rows if row.part in parts]).delete()
    IncomeLine.objects.bulk_create(
        IncomeLine(sheet=sheet, version=version, position=position, **card_rows.line_columns(line, ids))
        for position, line in enumerate(card.lines)
        if line.part in parts
    )
    return bool(parts)


def _signed(facts: SheetFacts, sheet: Sheet | None, by: User | None) -> SheetFacts:
    """Who entered the sheet and when: as the card says, else as it stands, else who saves it first."""
    if facts.entered_by or facts.entered_at:
        return facts
    if sheet is not None:
        return replace(facts, entered_by=sheet.entered_by or None, entered_at=sheet.entered_at)
    return replace(facts, entered_by=by.display_name if by else None, entered_at=timezone.now())


def _update(row: Any, columns: dict[str, Any]) -> None:
    """Write the columns that differ: an untouched row leaves no history."""
    differing = card_rows.differing(row, columns)
    if differing:
        for name, value in differing.items():
            setattr(row, name, value)
        row.save(update_fields=list(differing))


def _take_numbers(row: Household, card: Card, ids: Sequence[int]) -> None:
    """Hold the card's numbers as claims. The primary key decides a race: who inserts second waits, then finds it taken.

    Sorted by hash, so that two cards that want each other's numbers cannot lock one another.
    """
    wanted = {
        hashed: person
        for person, member in zip(ids, card.members, strict=True)
        if member.id_number and (hashed := blind_index(member.id_number, kind="id"))
    }
    held = {bytes(claim.number_hash): claim.person_id for claim in IdentityClaim.objects.filter(household=row)}
    gone = [hashed for hashed, person in held.items() if wanted.get(hashed) != person]
    if gone:
        IdentityClaim.objects.filter(household=row, number_hash__in=gone).delete()
    missing = {hashed: wanted[hashed] for hashed in sorted(wanted) if held.get(hashed) != wanted[hashed]}
    taken = claim_numbers(row, missing)
    if taken:
        members = [index for index, person in enumerate(ids) if person in {wanted[hashed] for hashed in taken}]
        raise _NumbersTaken(members, taken)


def claim_numbers(row: Household, wanted: dict[bytes, int]) -> list[bytes]:
    """Insert claims; the hashes somebody else holds."""
    IdentityClaim.objects.bulk_create(
        [IdentityClaim(number_hash=hashed, person_id=person, household=row) for hashed, person in wanted.items()],
        ignore_conflicts=True,
    )
    mine = IdentityClaim.objects.filter(household=row, number_hash__in=list(wanted))
    held = {bytes(hashed) for hashed in mine.values_list("number_hash", flat=True)}
    return [hashed for hashed in wanted if hashed not in held]


def note_findings(
    row: Household,
    card: Card,
    ids: Sequence[int],
    by: User | None,
    rules: CheckRules,
    sentences: Sentences | None,
) -> None:
    """Yellow checks become open notes, last year and other cards looked at too; what fires no more is closed."""
    beside = of_a_save(beside_of({row.pk: ids})[row.pk])
    context = rules.context(village=row.village_id, year=card.sheet.year, beside=beside)
    judged = Judged(row.pk, row.village_id, card.sheet.year, card, ids, checks.run(card, context))
    notes.keep([judged], by=by, sentences=sentences, spared=notes.NOT_OF_A_SAVE)


# -- after a refusal ------------------------------


@transaction.atomic
def note_duplicates(hashes: Sequence[bytes], *, by: User | None, village: int | None) -> None:
    """A finding on each first card of a number, for the lowest office that covers both; it blocks a posting."""
    for claim in IdentityClaim.objects.filter(number_hash__in=list(hashes)).select_related("household"):
        first = claim.household
        finding, created = Finding.objects.get_or_create(
            household=first,
            kind=Finding.Kind.DUPLICATE_NUMBER,
            code="id-double",
            person_id=claim.person_id,
            decided_at=None,
            defaults={"village_id": first.village_id, "blocks": True, "facts": {"wanted_in": village}},
        )
        record("households.number_waits", by=by, target=first, area=first.village_id, finding=finding.pk, new=created)


def _explained(error: IntegrityError, by: User | None, client_key: uuid.UUID | None) -> Household:
    """What a constraint of the database says, in words; a repeated submission is answered with the first one's card."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
    if client_key and "client_key" in constraint:
        return Household.objects.get(client_key=client_key)
    if constraint == "household_number_once":
        raise Refusal("number_taken", _("户编号已被使用"), field="number") from None
    raise error
