"""The rows behind an event: each change of domain.events written, or taken back, and what the card sums up redone.

The latest sheet of a card is its present one and follows its members; earlier sheets are the past and stay. Rows are
never moved from one card to another: a membership ends here and another begins there, a member's sheet is deleted here
(the row history keeps it) and copied there, so that each card's own history stays whole. Ciphertexts are bound to the
person, and stay readable wherever the person lives.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Max, Q
from django.utils import timezone

from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from households.domain.card_income import with_income
from households.domain.events import (
    UNDONE,
    Change,
    Joins,
    Leaves,
    Moves,
    Opens,
    Relates,
    Reopens,
    Resumes,
    Shuts,
    Withdraws,
)
from households.domain.income import member_counts
from households.domain.years import last_full_year
from households.models import Finding, Household, HouseholdStatus, IdentityClaim, MemberSheet, Membership, Person, Sheet
from households.selectors.rules import CheckRules
from households.services import card_rows, cards, leads, status

# What a new card keeps of the house it comes from: the building and what leads to it. Income, land, animals, rooms and
# possessions are divided by people, not by a program: those fields start unknown.
CONDITIONS = (
    "production_power",
    "domestic_power",
    "water_difficult",
    "water_safe",
    "road_distance",
    "entrance_road",
    "unsafe_house",
    "house_grade",
    "sanitary_toilet",
    "main_fuel",
    "television",
    "broadband",
)


class NumbersTaken(Exception):
    """Numbers of people of this event stand on other cards."""

    def __init__(self, hashes: Sequence[bytes], village: int):
        super().__init__("numbers taken")
        self.hashes, self.village = tuple(hashes), village


@dataclass
class Act:
    """What one event writes. `keys` and `status` are kept with it, so that it can be taken back."""

    rows: dict[int, Household]
    on: date
    by: User | None
    new_card: Mapping[str, str] = field(default_factory=dict)
    new_facts: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)  # new person -> columns of the sheet
    taken_back: Mapping[str, Any] = field(default_factory=dict)  # facts of the event that is undone
    keys: dict[str, dict[str, int]] = field(default_factory=dict)  # "household:person" -> rows
    status: dict[str, list[Any]] = field(default_factory=dict)  # household -> status, kind, since before
    sheets: list[int] = field(default_factory=list)  # that went along to another village
    created: set[int] = field(default_factory=set)
    added: dict[int, list[int]] = field(default_factory=dict)
    ended: dict[int, list[int]] = field(default_factory=dict)
    columns: dict[int, set[str]] = field(default_factory=dict)

    def key(self, change: Any) -> dict[str, int]:
        return self.keys.setdefault(f"{change.household}:{change.person}", {})

    def key_before(self, change: Any) -> Mapping[str, int]:
        return self.taken_back.get("keys", {}).get(f"{change.household}:{change.person}", {})

    def put(self, household: int, **columns: Any) -> None:
        for name, value in columns.items():
            setattr(self.rows[household], name, value)
        self.columns.setdefault(household, set()).update(columns)


def write(act: Act, changes: Sequence[Change]) -> list[Household]:
    """Write the changes in their order; the cards they touched, summed up and saved, one version on."""
    closing = {change.household for change in changes if isinstance(change, Shuts)}
    facts = _facts_of([change.person for change in changes if isinstance(change, Joins)]) | dict(act.new_facts)
    for change in changes:
        act.columns.setdefault(change.household, set())
        match change:
            case Opens() as new:
                joining = [
                    each.person for each in changes if isinstance(each, Joins) and each.household == new.household
                ]
                _open_card(act, new, counted=sum(_counts(facts.get(person, {})) for person in joining))
            case Leaves() | Withdraws():
                _end(act, change, keep_sheet=change.household in closing)
            case Joins():
                _begin(act, change, facts.get(change.person, {}))
            case Resumes():
                _resume(act, change)
            case Relates():
                _relate(change)
            case Moves():
                _move(act, change)
            case Shuts() | Reopens():
                _set_status(act, change)
    lives = [change for change in changes if not isinstance(change, (Opens, Shuts, Reopens, Moves))]
    people = {change.person for change in lives}
    touched = [act.rows[household] for household in sorted(act.columns)]
    for row in touched:
        _sum_up(act, row, members_changed=any(change.household == row.pk for change in lives))
    _hold_numbers(act, people)
    _findings_follow(people, moved=[act.rows[c.household] for c in changes if isinstance(c, Moves)])
    return touched


# -- cards ------------------------------


def _counts(facts: Mapping[str, Any]) -> bool:
    return member_counts(facts.get("counts"), facts.get("soldier"))


def _open_card(act: Act, change: Opens, *, counted: int) -> None:
    old = act.rows[change.split_from]
    row = Household(
        pk=change.household,
        village_id=change.village,
        group=act.new_card.get("group") or old.group,
        address=act.new_card.get("address") or old.address,
        split_from=old,
        status_since=act.on,
    )
    row.save(force_insert=True)
    act.rows[row.pk] = row
    act.created.add(row.pk)
    present = present_sheet(old.pk)
    if present:
        Sheet.objects.create(
            household=row,
            village_id=row.village_id,
            year=present.year,
            entered_by=act.by.display_name if act.by else "",
            entered_at=timezone.now(),
            members_counted=counted,
            **{name: getattr(present, name) for name in CONDITIONS},
        )


def _set_status(act: Act, change: Shuts | Reopens) -> None:
    """Through services.status, its only writer; the status before is kept for the way back."""
    row = act.rows[change.household]
    since = row.status_since.isoformat() if row.status_since else None
    act.status[str(row.pk)] = [row.status, row.monitored_kind, since]
    if isinstance(change, Shuts):
        columns = status.put(row, HouseholdStatus.CLOSED, since=act.on)
        act.put(row.pk, merged_into_id=change.into)
    else:
        before, kind, since = act.taken_back.get("status", {}).get(
            str(row.pk), [HouseholdStatus.UNREGISTERED, "", None]
        )
        columns = status.put(row, before, kind=kind, since=date.fromisoformat(since) if since else act.on)
        act.put(row.pk, merged_into_id=None)
    act.columns[row.pk].update(columns)


def _move(act: Act, change: Moves) -> None:
    """The card goes; sheets of years that were over on the day stay with the village they were lived in."""
    act.put(change.household, village_id=change.after)
    sheets = Sheet.objects.filter(household_id=change.household)
    if act.taken_back:
        sheets = sheets.filter(pk__in=act.taken_back.get("sheets", []))
    else:
        sheets = sheets.filter(year__gt=last_full_year(act.on))
    act.sheets = list(sheets.values_list("pk", flat=True))
    sheets.update(village_id=change.after)


def _sum_up(act: Act, row: Household, *, members_changed: bool) -> None:
    """What the card repeats of its open memberships; its income a head; its findings; its version."""
    columns = act.columns[row.pk]
    lived = list(Membership.objects.open().filter(household=row).select_related("person"))
    if lived and members_changed:
        head = next((each.person.name for each in lived if each.relation == Membership.HEAD), "")
        pinyin, initials = card_rows.name_keys(head)
        act.put(row.pk, head_name=head, head_pinyin=pinyin, head_initials=initials, persons=len(lived))
        _recount(row, act.by)
    act.put(row.pk, version=row.version + (row.pk not in act.created), changed_at=timezone.now())
    row.save(update_fields=sorted(name.removesuffix("_id") for name in columns))


def present_sheet(household: int) -> Sheet | None:
    """The latest sheet: the one that goes with the present members."""
    return Sheet.objects.filter(household=household).order_by("-year").first()


def _recount(row: Household, by: User | None) -> None:
    present = present_sheet(row.pk)
    if present is None:
        return
    numbered = card_rows.load_card(row, present.year)
    card = with_income(numbered.card)
    columns = {
        "members_counted": card.counted,
        "transfer_income": card.sheet.transfer_income,
        "net_income": card.sheet.net_income,
        "per_capita_income": card.sheet.per_capita_income,
    }
    if differing := card_rows.differing(present, columns):
        _save(present, differing | {"version": present.version + 1, "changed_at": timezone.now()})
    persons = [person for person in numbered.persons if person is not None]
    cards.note_findings(row, card, persons, by, CheckRules(), None)


# -- members ------------------------------


def _end(act: Act, change: Leaves | Withdraws, *, keep_sheet: bool) -> None:
    membership = Membership.objects.open().get(household=change.household, person=change.person)
    undone = isinstance(change, Withdraws)
    until = (membership.since or act.on) if undone else max(act.on, membership.since or act.on)
    _save(membership, {"until": until, "end_reason": UNDONE if undone else change.reason})  # type: ignore[union-attr]
    act.key(change)["membership"] = membership.pk
    act.ended.setdefault(change.household, []).append(change.person)
    present = present_sheet(change.household)
    if present and not keep_sheet:
        for sheet in MemberSheet.objects.filter(sheet=present, person=change.person):
            act.key(change)["sheet"] = sheet.pk
            sheet.delete()


def _begin(act: Act, change: Joins, facts: Mapping[str, Any]) -> None:
    membership = Membership.objects.create(
        household_id=change.household,
        person_id=change.person,
        relation=change.relation,
        since=change.since,
        position=_last_position(change.household),
    )
    act.key(change)["membership"] = membership.pk
    act.added.setdefault(change.household, []).append(change.person)
    _give_sheet(change, facts)


def _resume(act: Act, change: Resumes) -> None:
    """The very membership goes on, with the sheet the person had."""
    key = act.key_before(change)
    membership = Membership.objects.get(pk=key["membership"])
    _save(membership, {"until": None, "end_reason": "", "relation": change.relation})
    act.added.setdefault(change.household, []).append(change.person)
    if key.get("sheet") and not MemberSheet.objects.filter(pk=key["sheet"]).exists():
        _from_history(key["sheet"]).save(force_insert=True)
    _give_sheet(change, _facts_of([change.person]).get(change.person, {}))


def _relate(change: Relates) -> None:
    membership = Membership.objects.open().get(household=change.household, person=change.person)
    _save(membership, {"relation": change.after})
    present = present_sheet(change.household)
    for sheet in MemberSheet.objects.filter(sheet=present, person=change.person) if present else ():
        _save(sheet, {"relation": change.after})


def _give_sheet(change: Joins | Resumes, facts: Mapping[str, Any]) -> None:
    """The member's facts in the present sheet: as the person's latest sheet says, else unknown."""
    present = present_sheet(change.household)
    if present and not MemberSheet.objects.filter(sheet=present, person=change.person).exists():
        position = _last_position(change.household)
        MemberSheet.objects.create(
            sheet=present, person_id=change.person, **{**facts, "relation": change.relation, "position": position}
        )


def _facts_of(persons: Iterable[int]) -> dict[int, Mapping[str, Any]]:
    """The latest facts of each person, wherever they were written."""
    found = MemberSheet.objects.filter(person__in=list(persons)).order_by("sheet__year", "pk")
    return {row.person_id: {name: getattr(row, name) for name in card_rows.MEMBER_COLUMNS} for row in found}


def _from_history(pk: int) -> MemberSheet:
    was = MemberSheet.pgh_event_model.objects.filter(pgh_obj_id=pk).order_by("-pgh_id").first()  # type: ignore[attr-defined]
    if was is None:
        raise Refusal("history_missing", "row history is missing")
    return MemberSheet(**{column.attname: getattr(was, column.attname) for column in MemberSheet._meta.concrete_fields})


def _last_position(household: int) -> int:
    last = Membership.objects.open().filter(household=household).aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


# -- numbers and findings ------------------------------


def _hold_numbers(act: Act, people: Iterable[int]) -> None:
    """One claim for each number of an open membership, of this card and no other; none for who lives nowhere."""
    lives = {row.person_id: row.household_id for row in Membership.objects.open().filter(person__in=list(people))}
    IdentityClaim.objects.filter(person__in=set(people) - set(lives)).delete()
    persons = Person.objects.filter(pk__in=list(lives), id_number_hash__isnull=False)
    hashes = {bytes(person.id_number_hash or b""): person.pk for person in persons}
    held = {row.person_id: row for row in IdentityClaim.objects.filter(person__in=list(lives))}
    wanted: dict[int, dict[bytes, int]] = {}
    for hashed in sorted(hashes):
        person = hashes[hashed]
        claim = held.get(person)
        if claim is None:
            wanted.setdefault(lives[person], {})[hashed] = person
        elif claim.household_id != lives[person]:
            IdentityClaim.objects.filter(pk=claim.pk).update(household=lives[person])
    for household, numbers in sorted(wanted.items()):
        taken = cards.claim_numbers(act.rows[household], numbers)
        if taken:
            raise NumbersTaken(taken, act.rows[household].village_id)


def _findings_follow(people: Iterable[int], *, moved: Sequence[Household]) -> None:
    """Open findings about a person go along to the card of the person, those of a card to its village."""
    lives = Membership.objects.open().filter(person__in=list(people)).select_related("household")
    for row in lives:
        Finding.objects.open().filter(person=row.person_id).exclude(household=row.household_id).exclude(
            kind=Finding.Kind.YELLOW_CHECK
        ).update(household=row.household_id, village=row.household.village_id)
    for household in moved:
        Finding.objects.open().filter(household=household).filter(~Q(village=household.village_id)).update(
            village=household.village_id
        )
    leads.rehome(households=[*(row.household_id for row in lives), *(household.pk for household in moved)])


def _save(row: Any, columns: Mapping[str, Any]) -> None:
    for name, value in columns.items():
        setattr(row, name, value)
    row.save(update_fields=list(columns))
