"""The duplicates desk: candidates found set-based, decided by the lowest office that covers both, never by who typed.

A decision is one transaction: the rows it changes, the finding that blocked a posting, the case, the log. What merges
is an event of the household (services.events) and can be taken back; "not the same" is remembered for ever.
"""

import json
from dataclasses import fields, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.audit.services import record
from changde.bulk import run_sql
from changde.divisions.codes import code_range
from changde.jobs.models import Job
from changde.jobs.services import enqueue
from households.domain import id_number
from households.domain.card import Card, HouseholdFacts, Member, SheetFacts, member_from
from households.domain.events import Relations
from households.models import (
    DistinctPair,
    DuplicateCase,
    Finding,
    Household,
    IdentityClaim,
    LifeEvent,
    Membership,
    Person,
)
from households.selectors.findings import brought_by
from households.services import events, results
from households.services.cards import NumberWaits, save_card

SQL = Path(__file__).parent.parent / "sql" / "duplicate_candidates.sql"
FIND_JOB = "find_duplicates"
CITY = 430700000000
Decision = DuplicateCase.Decision


def find_candidates(*, area: int = CITY, by: User | None = None) -> int:
    """Write the cases of an area (of the city: every night) that are not open yet; returns how many are new."""
    first, last = code_range(area)
    with transaction.atomic():
        found = len(run_sql(SQL, {"first": first, "last": last}))
        record("households.find_duplicates", by=by, area=area, found=found)
    return found


def find_later(*, area: int, by: User) -> Job:
    """The same as a job, for who asks from the desk."""
    return enqueue(FIND_JOB, by=by, area=area, parameters={"area": area})


# -- decisions ------------------------------


@transaction.atomic
def say_distinct(*, case: DuplicateCase, by: User, reason: str) -> DuplicateCase:
    """Two people: the pair is never asked about again. Of a number: the form that wanted it was wrong."""
    row = _to_decide(case, by, reason)
    if row.waiting_id:
        raise Refusal("waiting_card", _("等待的户须选择“改号入库”“释放原号”或“不入库”"))
    if row.second_person_id:
        DistinctPair.objects.get_or_create(
            first_person_id=row.first_person_id,
            second_person_id=row.second_person_id,
            defaults={"reason": reason.strip(), "said_by": by},
        )
    return _decide(row, Decision.DISTINCT, by, reason)


@transaction.atomic
def merge_persons(*, case: DuplicateCase, keep: int, by: User, reason: str, versions: events.Versions) -> DuplicateCase:
    """One person on two cards: the record on the card of `keep` (a person of the case) stays, the other one ends."""
    row = _to_decide(case, by, reason)
    kept, gone, kept_on, left = _sides(row, keep)
    event = events.drop_double(
        household=left,
        kept_on=kept_on,
        by=by,
        versions=versions,
        person=gone.pk,
        kept=kept.pk,
        on=timezone.localdate(),
        reason=reason,
    )
    return _decide(row, Decision.MERGED, by, reason, event=event)


@transaction.atomic
def merge_households(
    *, case: DuplicateCase, keep: int, relations: Relations, by: User, reason: str, versions: events.Versions
) -> DuplicateCase:
    """One household on two cards: the one of `keep` stays, the other goes into it. People who are on both (the pair,
    the same number, the same name and birth date) end with their record; `relations` are those of the others."""
    row = _to_decide(case, by, reason)
    kept, gone, kept_on, left = _sides(row, keep)
    doubles = {gone.pk: kept.pk} | doubles_of(left, kept_on, leave_out={gone.pk, kept.pk})
    event = events.merge_households(
        household=left,
        into=kept_on,
        by=by,
        versions=versions,
        relations={person: relation for person, relation in relations.items() if person not in doubles},
        doubles=doubles,
        on=timezone.localdate(),
        reason=reason,
        capability="decide_duplicates",
    )
    return _decide(row, Decision.HOUSEHOLDS_MERGED, by, reason, event=event)


def doubles_of(left: Household, kept_on: Household, *, leave_out: set[int]) -> dict[int, int]:
    """Members of a card who stand on the other one too: the same name with the same birth date."""

    def people(card: Household) -> dict[tuple[str, date | None], int]:
        rows = Membership.objects.open().filter(household=card).exclude(person__in=leave_out).select_related("person")
        return {(each.person.name, each.person.birth_date): each.person_id for each in rows if each.person.birth_date}

    there = people(kept_on)
    return {person: there[who] for who, person in people(left).items() if who in there}


@transaction.atomic
def admit(*, case: DuplicateCase, by: User, reason: str, number: str = "") -> DuplicateCase:
    """The waiting card goes in, with the number corrected that stood in its way."""
    row = _to_decide(case, by, reason)
    card, index = _waiting_card(row)
    corrected = id_number.parse(number)
    if corrected is None:
        raise Refusal("number_wrong", _("请填写核实后的18位证件号码"), field="number")
    members = list(card.members)
    members[index] = member_from({**_given(members[index]), "id_number": corrected.number, "old_id_number": None})
    _take_in(row, replace(card, members=tuple(members)), by)
    return _decide(row, Decision.ADMITTED, by, reason)


@transaction.atomic
def release(*, case: DuplicateCase, by: User, reason: str, expected_version: int) -> DuplicateCase:
    """The number was wrong on the first card: it is taken from the person there, and a waiting card goes in with it."""
    row = _to_decide(case, by, reason)
    if row.second_person_id:
        raise Refusal("not_a_number", _("这一件不是证件号码重复"))
    household = Household.objects.select_for_update().get(pk=row.first_id)
    if household.version != expected_version:
        raise events.Stale
    person = Person.objects.get(pk=row.first_person_id)
    person.id_number_cipher = person.id_number_hash = None
    person.no_id_reason = person.no_id_reason or "号码有误，待核实"
    person.save(update_fields=["id_number_cipher", "id_number_hash", "no_id_reason"])
    IdentityClaim.objects.filter(person=person).delete()
    household.version += 1
    household.changed_at = timezone.now()
    household.save(update_fields=["version", "changed_at"])
    record(
        "households.release_number",
        by=by,
        target=household,
        area=household.village_id,
        version=household.version,
        added=[],
        ended=[],
        person=person.pk,
    )
    results.mark_stale(households=[household.pk])
    if row.waiting_id:
        _take_in(row, _waiting_card(row)[0], by)
    return _decide(row, Decision.RELEASED, by, reason)


@transaction.atomic
def drop_waiting(*, case: DuplicateCase, by: User, reason: str) -> DuplicateCase:
    """The waiting card is not taken in: its household stands on the first card already, or should not have one."""
    row = _to_decide(case, by, reason)
    if not row.waiting_id:
        raise Refusal("not_waiting", _("这一件没有等待的户卡"))
    return _decide(row, Decision.DROPPED, by, reason)


@transaction.atomic
def undo_merge(*, case: DuplicateCase, by: User, versions: events.Versions) -> DuplicateCase:
    """Take a merge back: both records live again, and the case is open as before."""
    row = _mine(case, by)
    if row.event_id is None:
        raise Refusal("nothing_merged", _("这一件没有合并，不能撤销"))
    _not_typed_by(row, by)
    event = LifeEvent.objects.get(pk=row.event_id)
    events.undo_event(event=event, by=by, versions=versions, capability="decide_duplicates")
    row.event, row.decision, row.decided_by, row.decided_at = None, "", None, None  # type: ignore[assignment]
    row.save(update_fields=["event", "decision", "decided_by", "decided_at"])
    record("households.undo_duplicate", by=by, target=row, area=row.area, event=event.pk)
    return row


# -- pieces ------------------------------


def typed_by(case: DuplicateCase, user: User) -> bool:
    """Did the person enter or change either record? Then somebody else decides."""
    cards = [str(card) for card in (case.first_id, case.second_id) if card]
    wrote = Event.objects.filter(
        target_kind=Household._meta.label_lower, target_id__in=cards, actor=user, verb="households.save_card"
    )
    brought = case.waiting is not None and case.waiting.batch is not None and case.waiting.batch.owner_id == user.pk
    return brought or wrote.exists() or bool(brought_by(user, map(int, cards))) or _wanted(case, user)


def _wanted(case: DuplicateCase, user: User) -> bool:
    """Did the person want the number in a form that was refused?"""
    return (
        case.finding_id is not None
        and Event.objects.filter(
            verb="households.number_waits", actor=user, facts__finding=case.finding_id, target_id=str(case.first_id)
        ).exists()
    )


def _mine(case: DuplicateCase, by: User) -> DuplicateCase:
    row = DuplicateCase.objects.select_for_update().get(pk=case.pk)
    if not covers(by, "decide_duplicates", row.area):
        raise Refusal("not_your_area", _("这一件须由同时管辖双方的单位办理"))
    return row


def _not_typed_by(row: DuplicateCase, by: User) -> None:
    if typed_by(row, by):
        raise Refusal("own_record", _("其中一条由您录入，须由另一位同志办理"))


def _to_decide(case: DuplicateCase, by: User, reason: str) -> DuplicateCase:
    row = _mine(case, by)
    if row.decided_at is not None:
        raise Refusal("decided_already", _("这一件已经办理"))
    _not_typed_by(row, by)
    if not reason.strip():
        raise Refusal("reason_missing", _("请写明依据"), field="reason")
    return row


def _sides(row: DuplicateCase, keep: int) -> tuple[Person, Person, Household, Household]:
    """(kept person, ending person, card of the kept, card of the ending), as they live now."""
    pair = {row.first_person_id, row.second_person_id}
    if keep not in pair or None in pair:
        raise Refusal("choose_kept", _("请选择保留哪一条"))
    (gone,) = pair - {keep}
    lives = {
        each.person_id: each
        for each in Membership.objects.open().filter(person__in=pair).select_related("person", "household")
    }
    if len(lives) < 2 or lives[keep].household_id == lives[gone].household_id:  # type: ignore[index]
        raise Refusal("changed_since", _("其中一人已不在原来的户卡上，这一件不用再办；可选“不是同一人”结束"))
    kept, ending = lives[keep], lives[gone]  # type: ignore[index]
    return kept.person, ending.person, kept.household, ending.household


def _decide(
    row: DuplicateCase, decision: str, by: User, reason: str, *, event: LifeEvent | None = None
) -> DuplicateCase:
    now = timezone.now()
    row.decision, row.decided_by, row.decided_at, row.reason, row.event = decision, by, now, reason.strip(), event
    row.save(update_fields=["decision", "decided_by", "decided_at", "reason", "event"])
    if row.waiting:
        row.waiting.settled_at = now
        row.waiting.save(update_fields=["settled_at"])
    Finding.objects.open().filter(kind=Finding.Kind.DUPLICATE_NUMBER, person=row.first_person_id).update(
        decided_at=now, decided_by=by, decision=decision, reason=reason.strip()
    )
    record(
        "households.decide_duplicate",
        by=by,
        target=row,
        area=row.area,
        decision=decision,
        first=row.first_id,
        second=row.second_id,
        waiting=row.waiting_id,
        event=event.pk if event else None,
    )
    return row


# -- the waiting card ------------------------------


def waiting_card(case: DuplicateCase) -> Card | None:
    """The card that waits, opened; whoever shows it logs the read."""
    return card_from_text(case.waiting.card_text) if case.waiting and case.waiting.card_text else None


def card_from_text(text: str) -> Card:
    """A card out of the JSON in which it waits (dataclass to dictionary, dates and money as text)."""
    values = json.loads(text)
    return Card(
        _typed(HouseholdFacts, values["household"]),
        _typed(SheetFacts, values["sheet"]),
        tuple(_typed(Member, member) for member in values["members"]),
    )


def _typed(kind: type, values: dict[str, Any]) -> Any:
    named = [each for each in fields(kind) if each.name in values]
    return kind(**{each.name: _value(str(each.type), values[each.name]) for each in named})


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if "Decimal" in kind:
        return Decimal(value)
    if "datetime.datetime" in kind:
        return datetime.fromisoformat(value)
    if "datetime.date" in kind:
        return date.fromisoformat(value)
    return tuple(value) if "tuple" in kind else value


def _waiting_card(row: DuplicateCase) -> tuple[Card, int]:
    """The waiting card and which member carries the number."""
    card = waiting_card(row)
    if card is None:
        raise Refusal("not_waiting", _("这一件没有等待的户卡"))
    return card, clashing(card, row.first_person.id_number)


def clashing(card: Card, number: str | None) -> int:
    return next((index for index, member in enumerate(card.members) if member.id_number == number), 0)


def _given(member: Member) -> dict[str, Any]:
    return {each.name: getattr(member, each.name) for each in fields(member)}


def _take_in(row: DuplicateCase, card: Card, by: User) -> Household:
    """Save the card: new, or as the household whose number it has."""
    known = Household.objects.filter(number=card.household.number).first() if card.household.number else None
    try:
        return save_card(
            card=card,
            by=by,
            household=known,
            expected_version=known.version if known else None,
            capability="decide_duplicates",
        )
    except NumberWaits:
        raise Refusal("number_waits", _("这个号码也已在另一张户卡上，不能入库"), field="number") from None
