"""Events of households: split, merge, move, close, reopen; members born, died, married in or out, returned; undo.

Each service locks the cards in the order of their ids, compares the versions the person saw, asks domain.events for
the changes, writes them (event_rows), and keeps the event, one act of the log for each card, and the mark on results in
the same transaction. Whoever comes second finds another version and is told so.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import acting, record
from changde.bulk import allocate_ids
from changde.crypto.cipher import blind_index
from changde.divisions.models import Division
from households.domain import checks
from households.domain import events as rules
from households.domain.card import Member
from households.domain.events import Change, Home, Lives, NotPossible, Relations, World
from households.messages import event_message
from households.models import FormerVillage, Household, IdentityClaim, LifeEvent, Membership, Person
from households.services import card_rows, cards, event_rows, results
from households.services.cards import CardRefused, NumberWaits

Kind = LifeEvent.Kind
Versions = Mapping[int, int]


class Stale(Refusal):
    """A card was written since the person opened it."""

    def __init__(self) -> None:
        super().__init__("stale", _("您打开之后，这张户卡已有变动；请核对最新内容后重新办理"))


class LivesOnCard(Refusal):
    """The person who marries in lives on another card the writer may edit: both change together, once confirmed."""

    def __init__(self, household: Household):
        super().__init__("lives_on_card", _("此人现在另一张户卡上；确认后将同时从那一户迁出"))
        self.household = household


@dataclass(frozen=True)
class NewPerson:
    """Somebody the tables do not know yet."""

    id: int
    member: Member


# -- households ------------------------------


def split_household(
    *,
    household: Household,
    by: User | None,
    expected_version: int,
    going: Relations,
    staying: Relations,
    on: date,
    reason: str = "",
    group: str = "",
    address: str = "",
) -> LifeEvent:
    """Some members (person id -> relation on the new card) found a card of their own: `other` of the event.

    `staying`: changed relations of those who stay. The new card is unregistered; its present sheet keeps the facts of
    the building (event_rows.CONDITIONS) and of its members, and starts without income, land, animals and possessions.
    """
    new = allocate_ids(Household, 1)[0]
    return _happen(
        Kind.SPLIT,
        household=household.pk,
        other=new,
        by=by,
        versions={household.pk: expected_version},
        rule=lambda world: rules.split(world, household.pk, going=going, staying=staying, new=new, on=on),
        on=on,
        reason=reason,
        new_card={"group": group, "address": address},
    )


def merge_households(
    *,
    household: Household,
    into: Household,
    by: User | None,
    versions: Versions,
    relations: Relations,
    on: date,
    reason: str,
    doubles: Mapping[int, int] | None = None,
    capability: str = "edit_cards",
) -> LifeEvent:
    """`household` goes into another card and is closed; `relations` say what each is to the head there.

    `doubles` (person of this card -> person of the other) are the same people: they do not join, their record ends.
    """
    return _happen(
        Kind.MERGE,
        household=household.pk,
        other=into.pk,
        by=by,
        versions=versions,
        cards_touched=[household.pk, into.pk],
        rule=lambda world: rules.merge(world, household.pk, into=into.pk, relations=relations, doubles=doubles, on=on),
        on=on,
        reason=_needed(reason),
        capability=capability,
        more={"doubles": {str(gone): kept for gone, kept in (doubles or {}).items()}},
    )


def close_household(
    *, household: Household, by: User | None, expected_version: int, why: str, on: date, reason: str = ""
) -> LifeEvent:
    """Close a card. `why` is a code of messages.CLOSING_REASONS; every membership ends, numbers are free again."""
    return _happen(
        Kind.CLOSE,
        household=household.pk,
        by=by,
        versions={household.pk: expected_version},
        rule=lambda world: rules.close(world, household.pk, reason=why),
        on=on,
        reason=reason,
        more={"why": why},
    )


def reopen_household(
    *, household: Household, by: User | None, expected_version: int, relations: Relations, on: date, reason: str
) -> LifeEvent:
    """A closed card lives again with some of its people, with the status it had when it was closed."""
    closing = _closing_event(household)
    return _happen(
        Kind.REOPEN,
        household=household.pk,
        by=by,
        versions={household.pk: expected_version},
        persons=list(relations),
        rule=lambda world: rules.reopen(world, household.pk, relations=relations, reason="closed", on=on),
        on=on,
        reason=_needed(reason),
        taken_back={"status": closing.facts.get("status", {})} if closing else {},
    )


def move_household(*, household: Household, to: Division, by: User | None, on: date, reason: str) -> LifeEvent:
    """The card goes to another village. Both ends have agreed (services.moves); nobody else calls this."""
    with transaction.atomic():
        row = _locked([household.pk])[household.pk]
        return _happen(
            Kind.MOVE,
            household=row.pk,
            by=by,
            versions={row.pk: row.version},
            rule=lambda world: rules.move(world, row.pk, village=to.code),
            on=on,
            reason=reason,
            capability=None,
        )


# -- members ------------------------------


def note_birth(
    *, household: Household, by: User | None, expected_version: int, member: Member, on: date, reason: str = ""
) -> LifeEvent:
    """A child is born into the household; the ID number may come later."""
    newborn = replace(member, education="学龄前儿童", school_status="非在校生", labour="无劳动力", counts=True)
    new = NewPerson(allocate_ids(Person, 1)[0], newborn)
    relation = member.relation or ""
    return _happen(
        Kind.BORN,
        household=household.pk,
        by=by,
        versions={household.pk: expected_version},
        persons=[new.id],
        new_person=new,
        rule=lambda world: rules.born(world, household.pk, person=new.id, relation=relation, on=on),
        on=on,
        reason=reason,
    )


def note_death(
    *,
    household: Household,
    by: User | None,
    expected_version: int,
    person: int,
    on: date,
    relations: Relations | None = None,
    reason: str = "",
) -> LifeEvent:
    """A member has died; `relations` name the new head and what the others are to it, when it was the head."""
    return _happen(
        Kind.DIED,
        household=household.pk,
        by=by,
        versions={household.pk: expected_version},
        persons=[person],
        rule=lambda world: rules.died(world, household.pk, person=person, relations=relations or {}),
        on=on,
        reason=reason,
    )


def marry_in(
    *,
    household: Household,
    by: User | None,
    expected_version: int,
    member: Member,
    on: date,
    reason: str = "",
    other_version: int | None = None,
) -> LifeEvent:
    """Somebody marries in: from outside, or from another card of the writer's area.

    A number the city knows is the same person. On a card the writer may edit: LivesOnCard, until `other_version`
    confirms that the person leaves it. On a card elsewhere: NumberWaits, without a place or a name.
    """
    relation = member.relation or ""
    known = _by_number(member.id_number)
    home = Membership.objects.open().filter(person=known).select_related("household").first() if known else None
    if known and home:
        card = home.household
        if card.pk == household.pk:
            raise Refusal("already_here", _("该证件号码的人已在本户"), field="id_number")
        if by is None or not covers(by, "edit_cards", card.village_id):
            cards.note_duplicates([bytes(known.id_number_hash or b"")], by=by, village=household.village_id)
            raise NumberWaits([0])
        if other_version is None:
            raise LivesOnCard(card)
        return marry_out(
            household=card,
            by=by,
            versions={card.pk: other_version, household.pk: expected_version},
            person=known.pk,
            on=on,
            into=household,
            relation=relation,
            reason=reason,
        )
    new = None if known else NewPerson(allocate_ids(Person, 1)[0], member)
    person = known.pk if known else new.id  # type: ignore[union-attr]
    return _happen(
        Kind.MARRIED_IN,
        household=household.pk,
        by=by,
        versions={household.pk: expected_version},
        persons=[person],
        new_person=new,
        rule=lambda world: rules.married_in(world, household.pk, person=person, relation=relation, on=on),
        on=on,
        reason=reason,
    )


def marry_out(
    *,
    household: Household,
    by: User | None,
    versions: Versions,
    person: int,
    on: date,
    relations: Relations | None = None,
    into: Household | None = None,
    relation: str = "",
    reason: str = "",
) -> LifeEvent:
    """A member marries out of the card, to another one or to where no card is kept."""
    return _happen(
        Kind.MARRIED_OUT,
        household=household.pk,
        other=into.pk if into else None,
        by=by,
        versions=versions,
        cards_touched=[household.pk, into.pk] if into else [household.pk],
        persons=[person],
        rule=lambda world: rules.married_out(
            world,
            household.pk,
            person=person,
            relations=relations or {},
            into=into.pk if into else None,
            relation=relation,
            on=on,
        ),
        on=on,
        reason=reason,
    )


def note_return(
    *,
    household: Household,
    by: User | None,
    expected_version: int,
    person: int,
    relation: str,
    on: date,
    reason: str = "",
) -> LifeEvent:
    """Somebody who lived on this card and left comes back."""
    if not Membership.objects.filter(household=household, person=person).exists():
        raise Refusal("stranger", _("请从曾在本户的人员中选择"), field="person")
    return _happen(
        Kind.RETURNED,
        household=household.pk,
        by=by,
        versions={household.pk: expected_version},
        persons=[person],
        rule=lambda world: rules.returned(world, household.pk, person=person, relation=relation, on=on),
        on=on,
        reason=reason,
    )


def drop_double(
    *,
    household: Household,
    kept_on: Household,
    by: User | None,
    versions: Versions,
    person: int,
    kept: int,
    on: date,
    reason: str,
    relations: Relations | None = None,
) -> LifeEvent:
    """A member is the same as a person of another card: the membership here ends, the person there stays as it is."""
    return _happen(
        Kind.DUPLICATE,
        household=household.pk,
        other=kept_on.pk,
        by=by,
        versions=versions,
        cards_touched=[household.pk, kept_on.pk],
        persons=[person],
        rule=lambda world: rules.duplicate(world, household.pk, person=person, relations=relations or {}),
        on=on,
        reason=_needed(reason),
        capability="decide_duplicates",
        more={"doubles": {str(person): kept}},
    )


# -- undo ------------------------------


def undo_event(
    *, event: LifeEvent, by: User | None, versions: Versions, reason: str = "", capability: str = "edit_cards"
) -> LifeEvent:
    """Take an event back by another one, while nothing later stands in the way.

    `versions` of every card it touched. Raises Refusal that says what stands in the way.
    """
    changes = rules.from_facts(event.facts["changes"])
    touched = sorted({change.household for change in changes})

    def rule(world: World) -> tuple[Change, ...]:
        if event.kind == Kind.UNDO or LifeEvent.objects.filter(undoes=event).exists():
            raise NotPossible("undone_already")
        later = (
            LifeEvent.objects.standing()
            .filter(Q(household__in=touched) | Q(other__in=touched), pk__gt=event.pk)
            .order_by("-pk")
            .first()
        )
        if later:
            raise Refusal(
                "undo_later_first", _("此后还办理过“%(kind)s”，请先撤销那一项") % {"kind": later.get_kind_display()}
            )
        return rules.undo(world, changes)

    moved = next((change for change in changes if isinstance(change, rules.Moves)), None)
    if moved and by is not None and not all(covers(by, capability, code) for code in (moved.before, moved.after)):
        raise Refusal("not_both_villages", _("撤销迁移涉及两个村，须由同时管辖两村的单位办理"))
    return _happen(
        Kind.UNDO,
        household=event.household_id,
        other=event.other_id,
        by=by,
        versions=versions,
        cards_touched=touched,
        persons=event.persons,
        rule=rule,
        on=timezone.localdate(),
        reason=reason,
        taken_back=event.facts,
        undoes=event,
        capability=capability,
    )


def cards_of(event: LifeEvent) -> list[int]:
    """The cards an event changed: those whose versions an undo must name."""
    return sorted({change.household for change in rules.from_facts(event.facts["changes"])})


# -- how every event happens ------------------------------


def _happen(
    kind: str,
    *,
    household: int,
    by: User | None,
    versions: Versions,
    rule: Callable[[World], tuple[Change, ...]],
    on: date,
    reason: str,
    other: int | None = None,
    persons: Sequence[int] = (),
    cards_touched: Sequence[int] = (),
    new_person: NewPerson | None = None,
    new_card: Mapping[str, str] | None = None,
    taken_back: Mapping[str, Any] | None = None,
    undoes: LifeEvent | None = None,
    capability: str | None = "edit_cards",
    more: Mapping[str, Any] | None = None,
) -> LifeEvent:
    try:
        with acting(by), transaction.atomic():
            rows = _locked({*versions, *cards_touched})
            _check_rights(rows, by, capability)
            _check_versions(rows, {household, *cards_touched}, versions)
            world = _world(rows, persons)
            changes = rule(world)
            rules.check_day(changes, on=on, today=timezone.localdate())
            before = {pk: (row.version, row.village_id) for pk, row in rows.items()}
            if new_person:
                Person.objects.create(pk=new_person.id, **card_rows.person_columns(new_person.member, new_person.id))
            new_facts = {new_person.id: card_rows.member_columns(new_person.member)} if new_person else {}
            act = event_rows.Act(rows, on, by, new_card or {}, new_facts, taken_back or {})
            touched = event_rows.write(act, changes)
            if new_person:
                _check_new(rows[household], new_person)
            event = LifeEvent.objects.create(
                kind=kind,
                household_id=household,
                other_id=other,
                village_id=before[household][1],
                persons=sorted({change.person for change in changes if hasattr(change, "person")}),
                on=on,
                reason=reason,
                by=by,
                undoes=undoes,
                facts={
                    "changes": rules.as_facts(changes),
                    "keys": act.keys,
                    "status": act.status,
                    "sheets": act.sheets,
                }
                | dict(more or {}),
            )
            _keep_former(event, changes, before)
            for row in touched:
                _log(event, row, act)
            return event
    except NotPossible as refused:
        raise _in_words(refused) from None
    except event_rows.NumbersTaken as taken:
        cards.note_duplicates(taken.hashes, by=by, village=taken.village)
        raise NumberWaits([0]) from None
    except IntegrityError as error:
        if "membership_open_once" in _constraint(error):
            raise _in_words(NotPossible("lives_elsewhere")) from None
        if "undoes" in _constraint(error):
            raise _in_words(NotPossible("undone_already")) from None
        raise


def _locked(households: Iterable[int]) -> dict[int, Household]:
    """The cards, locked in the order of their ids: events that share cards take turns and cannot lock one another."""
    rows = Household.objects.select_for_update().filter(pk__in=list(households)).order_by("pk")
    return {row.pk: row for row in rows}


def _check_rights(rows: Mapping[int, Household], by: User | None, capability: str | None) -> None:
    if by is None or capability is None:
        return
    if not all(covers(by, capability, row.village_id) for row in rows.values()):
        raise Refusal("not_your_area", _("涉及的户卡不都在您的辖区内，不能办理"))


def _check_versions(rows: Mapping[int, Household], needed: Iterable[int], versions: Versions) -> None:
    if any(household in rows and household not in versions for household in needed):
        raise Refusal("version_missing", _("缺少户卡版本号，请重新打开户卡再办理"))
    if any(rows[household].version != version for household, version in versions.items()):
        raise Stale


def _world(rows: Mapping[int, Household], persons: Sequence[int]) -> World:
    """The cards with who lives on each; how the persons asked for went, or where else they live."""
    members: dict[int, list[Lives]] = {pk: [] for pk in rows}
    elsewhere: dict[int, list[Lives]] = {}
    lived = Membership.objects.open().filter(Q(household__in=list(rows)) | Q(person__in=list(persons)))
    for row in lived.order_by("position", "pk"):
        side = members if row.household_id in rows else elsewhere
        side.setdefault(row.household_id, []).append(Lives(row.person_id, row.relation, row.since))
    homes = {pk: Home(pk, row.village_id, tuple(members[pk]), row.status != "closed") for pk, row in rows.items()}
    at_home = {each.person for side in (members, elsewhere) for people in side.values() for each in people}
    gone = {
        row.person_id: row.end_reason
        for row in Membership.objects.filter(person__in=set(persons) - at_home).order_by("until", "pk")
        if row.end_reason != rules.UNDONE
    }
    for people in elsewhere.values():
        raise NotPossible("lives_elsewhere", people[0].person)
    return World(homes, {person: gone.get(person, "") for person in persons if person not in at_home})


# What an event says of a new member. The facts of the year (school, health, insurance) come with the card form.
_IDENTITY = frozenset({"name", "sex", "birth_date", "id_kind", "id_number", "no_id_reason", "relation", "ethnicity"})


def _check_new(row: Household, new: NewPerson) -> None:
    """Red checks of the new member's identity refuse the event; what was wrong before is not its matter."""
    present = event_rows.present_sheet(row.pk)
    numbered = card_rows.load_card(row, present.year if present else None)
    index = numbered.persons.index(new.id)
    red = [
        finding
        for finding in checks.run(numbered.card)
        if finding.severity == checks.RED and finding.member == index and set(finding.attributes) <= _IDENTITY
    ]
    if red:
        raise CardRefused(red)


def _keep_former(event: LifeEvent, changes: Iterable[Change], before: Mapping[int, tuple[int, int]]) -> None:
    if event.kind == Kind.UNDO:
        return
    for change in changes:
        if isinstance(change, rules.Moves):
            FormerVillage.objects.create(
                household_id=change.household,
                village_id=change.before,
                until=event.on,
                version=before[change.household][0],
                memberships=list(
                    Membership.objects.open().filter(household=change.household).values_list("pk", flat=True)
                ),
                event=event,
            )


def _log(event: LifeEvent, row: Household, act: event_rows.Act) -> None:
    """One act of the log for each card, so that every version of every card has its act."""
    present = event_rows.present_sheet(row.pk)
    created = row.pk in act.created
    record(
        "households.event",
        by=act.by,
        target=row,
        area=row.village_id,
        version=row.version,
        event=event.pk,
        kind=event.kind,
        undoes=event.undoes.kind if event.undoes else None,
        created=created,
        fields=[],
        added=act.added.get(row.pk, []),
        ended=act.ended.get(row.pk, []),
        new_sheet=present.year if created and present else None,
    )
    if present:
        results.refresh_with_save(household=row.pk, year=present.year)
    else:
        results.mark_stale(households=[row.pk])


def _closing_event(household: Household) -> LifeEvent | None:
    return (
        LifeEvent.objects.standing()
        .filter(household=household, **{f"facts__status__{household.pk}__isnull": False})
        .order_by("-pk")
        .first()
    )


def _by_number(number: str | None) -> Person | None:
    """The person of a number: who holds the claim, else the latest record of it."""
    hashed = blind_index(number, kind="id") if number else None
    if hashed is None:
        return None
    claim = IdentityClaim.objects.filter(number_hash=hashed).select_related("person").first()
    return claim.person if claim else Person.objects.filter(id_number_hash=hashed).order_by("-pk").first()


def _needed(reason: str) -> str:
    if not reason.strip():
        raise Refusal("reason_missing", _("请写明原因"), field="reason")
    return reason.strip()


def _in_words(refused: NotPossible) -> Refusal:
    name = Person.objects.filter(pk=refused.person).values_list("name", flat=True).first() if refused.person else None
    return Refusal(refused.code, event_message(refused.code, name or ""), field=_FIELDS.get(refused.code))


_FIELDS = {
    "day_ahead": "on",
    "day_before_joining": "on",
    "nobody_chosen": "people",
    "everybody_chosen": "people",
    "head_newborn": "relation",
}


def _constraint(error: IntegrityError) -> str:
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
