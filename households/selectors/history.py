"""The life of a card: who changed what, when; and how the card was at an earlier version.

Two sources tell one story. The audit log knows who did which act to the card and to which version it led; the row
history (triggers, so bulk and raw SQL leave it too) knows every row as it was before. Rows written in one transaction
carry one time. A change of rows without an act of the log is shown as what it is: written past the application.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import pghistory.models
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from changde.accounts.models import User
from changde.audit.models import Event
from changde.crypto.cipher import CannotDecrypt, decrypt
from changde.crypto.masking import mask_account, mask_id_number, mask_phone
from households.domain.fields import by_attribute
from households.domain.worksheet import PART_OF
from households.line_words import row_text
from households.models import Household, IncomeLine, MemberSheet, Membership, Person, Sheet

_TRACKED: tuple[type[models.Model], ...] = (Household, Sheet, Membership, MemberSheet, IncomeLine, Person)
# Columns that follow from others or serve the machine: no reader asks who changed them.
_QUIET = frozenset(
    {
        "id", "version", "changed_at", "created_at", "client_key", "head_name", "head_pinyin", "head_initials",
        "persons", "bank_account_hash",
        "pinyin", "initials", "phone_hash", "id_number_hash", "position", "household", "person", "sheet", "village",
        "members_counted", "year", "entered_at", "entered_by",
    }
)  # fmt: skip
_MASKS = {
    "id_number": mask_id_number,
    "old_id_number": mask_id_number,
    "disability_certificate": mask_id_number,
    "phone": mask_phone,
    "helper_phone": mask_phone,
    "bank_account": mask_account,
}
_CIPHER = "_cipher"
_WORDS = {
    "relation": _("与户主关系"),
    "since": _("入户日期"),
    "until": _("离户日期"),
    "end_reason": _("离户原因"),
    "status": _("户状态"),
    "status_since": _("状态起始"),
    "monitored_kind": _("监测类型"),
    "old_id_number": _("15 位旧号码"),
    "split_from": _("分自"),
    "merged_into": _("并入"),
}


@dataclass(frozen=True)
class RowChange:
    """One row before and after one act; `after` is None when the row was deleted."""

    model: type[models.Model]
    pk: int
    before: Any
    after: Any | None
    moment: datetime
    context: Any


@dataclass(frozen=True)
class FieldChange:
    """One field of one row: model and name (for the label), whose it is, of which year's sheet, the masked values."""

    model: str
    name: str
    label: str
    person_id: int | None
    year: int | None
    before: Any
    after: Any


@dataclass
class Act:
    """One entry of the timeline. `verb` is the audit verb, "" for a change past the application."""

    moment: datetime
    verb: str
    actor: User | None
    version: int | None
    facts: dict[str, Any]
    changes: list[FieldChange] = field(default_factory=list)


def history_of(household: Household, *, limit: int = 100, until: date | None = None) -> list[Act]:
    """Acts on the card, the latest first, at most `limit`. The caller has checked that the card may be read.

    `until` is the last day the reader may see: the day a household moved away, for the office it left.
    """
    changes_seen = _row_changes(household)
    logged = _acts_of_log(household)
    if until is not None:
        changes_seen = [change for change in changes_seen if change.moment < end_of(until)]
        logged = logged.filter(at__lt=end_of(until))
    groups = _by_act(changes_seen)
    years = dict(Sheet.objects.filter(household=household).values_list("pk", "year"))
    lines = _written_lines(household, groups)
    acts = []
    for event in logged.select_related("actor").order_by("-pk")[:limit]:
        version = event.facts.get("version")
        changes = groups.pop(version, []) if version else []
        shown = _field_changes(changes, years) + [_new_line(line) for line in lines.get(version, ())]
        acts.append(Act(event.at, event.verb, event.actor, version, event.facts, shown))
    for changes in groups.values():
        shown = _field_changes(changes, years)
        if shown:
            acts.append(Act(changes[0].moment, "", _actor(changes[0].context), None, {}, shown))
    return sorted(acts, key=lambda act: act.moment, reverse=True)[:limit]


def end_of(day: date) -> datetime:
    """The first moment after a local day."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))


def rows_before(household: Household, moment: datetime) -> dict[tuple[type[models.Model], int], Any]:
    """Every row that was changed or deleted at or after `moment`, as it was just before; the others are as they are.

    A row that was inserted since is not told apart here: the history keeps changes, no insertions (see inserted_since).
    """
    earliest: dict[tuple[type[models.Model], int], Any] = {}
    for change in _row_changes(household, elsewhere=True):
        if change.moment >= moment:
            earliest.setdefault((change.model, change.pk), change.before)
    return earliest


def lines_at(sheet: Any | None, version: int, earlier: Mapping[tuple[type[models.Model], int], Any]) -> list[Any]:
    """The lines of a sheet's worksheet when the card stood at `version`, in their order.

    Rows know which version wrote them; those closed since are in `earlier` (rows_at, rows_before).
    """
    if sheet is None:
        return []
    gone = [old for (model, _pk), old in earlier.items() if model is IncomeLine and old.sheet_id == sheet.pk]
    stand = IncomeLine.objects.filter(sheet_id=sheet.pk).select_related("person")
    return sorted((line for line in (*stand, *gone) if line.version <= version), key=lambda line: line.position)


@dataclass(frozen=True)
class Inserted:
    """What came to a card since a moment: years of sheets, and how often each person joined."""

    years: frozenset[int]
    joined: Counter[int]


def inserted_since(household: Household, moment: datetime) -> Inserted:
    """Told by the log: a card is made with all its rows at once, and every act since says which it added: a save, a
    birth, a marriage, a return."""
    facts = [event.facts for event in _acts_of_log(household).filter(at__gte=moment)]
    return Inserted(
        years=frozenset(year for each in facts if (year := each.get("new_sheet"))),
        joined=Counter(person for each in facts for person in each.get("added", ())),
    )


def _acts_of_log(household: Household) -> models.QuerySet[Event]:
    return Event.objects.filter(
        target_kind=household._meta.label_lower, target_id=str(household.pk), kind=Event.Kind.WRITE
    )


def rows_at(household: Household, version: int) -> dict[tuple[type[models.Model], int], Any]:
    """Every row that has changed since the card stood at `version`, as it was then.

    Rows not in the answer are as they are now (or did not exist then).
    """
    earliest: dict[tuple[type[models.Model], int], Any] = {}
    for after, changes in sorted(_by_act(_row_changes(household)).items(), key=lambda item: _order(item[0])):
        if isinstance(after, int) and after > version:
            for change in changes:
                earliest.setdefault((change.model, change.pk), change.before)
    return earliest


def _order(key: Any) -> int:
    return key if isinstance(key, int) else -1


def _row_changes(household: Household, *, elsewhere: bool = False) -> list[RowChange]:
    """Every change of a row of the card, in the order of each row's own history.

    `elsewhere`: also what happened to persons after they left; never shown, but needed to know how they were before.
    """
    memberships = Membership.objects.filter(household=household)
    sheets = Sheet.objects.filter(household=household)
    wanted: dict[type[models.Model], Any] = {
        Household: Household.objects.filter(pk=household.pk),
        Sheet: sheets,
        Membership: memberships,
        MemberSheet: MemberSheet.objects.filter(sheet__in=sheets),
        IncomeLine: IncomeLine.objects.filter(sheet__in=sheets),
        Person: Person.objects.filter(memberships__in=memberships).distinct(),
    }
    lived = {row.person_id: row.until for row in memberships.order_by(F("until").asc(nulls_last=True))}
    found = []
    for model in _TRACKED:
        now = {row.pk: row for row in wanted[model]}
        history = model.pgh_event_model.objects  # type: ignore[attr-defined]
        if model in (MemberSheet, IncomeLine):
            events = history.filter(sheet_id__in=[row.pk for row in sheets])
        elif model in (Sheet, Membership):
            events = history.filter(household_id=household.pk)
        else:
            events = history.filter(pgh_obj_id__in=list(now))
        by_row = defaultdict(list)
        for event in events.select_related("pgh_context").order_by("pgh_id"):
            by_row[event.pgh_obj_id].append(event)
        for pk, rows in by_row.items():
            for row, later in zip(rows, [*rows[1:], now.get(pk)], strict=True):
                change = RowChange(model, pk, row, later, row.pgh_created_at, row.pgh_context)
                if elsewhere or model is not Person or _was_here(change, lived):
                    found.append(change)
    return found


def _was_here(change: RowChange, lived: dict[int, Any]) -> bool:
    """What happens to a person after leaving the household is the next card's business."""
    until = lived[change.pk]
    return until is None or timezone.localtime(change.moment).date() <= until


def _by_act(changes: Iterable[RowChange]) -> dict[Any, list[RowChange]]:
    """Changes by the version they led to; those of a transaction that left the version alone by their moment."""
    changes = list(changes)
    versions = {
        _act(change): change.before.version + 1
        for change in changes
        if change.model is Household and (change.after is None or change.after.version > change.before.version)
    }
    groups: dict[Any, list[RowChange]] = defaultdict(list)
    for change in changes:
        groups[versions.get(_act(change), _act(change))].append(change)
    return groups


def _act(change: RowChange) -> tuple[Any, datetime]:
    return change.context.pk if change.context else None, change.moment


def _field_changes(changes: Iterable[RowChange], years: dict[int, int]) -> list[FieldChange]:
    """`years` are the accounting years of the card's sheets, by their ids."""
    shown = []
    for change in changes:
        if change.model is IncomeLine:
            shown.append(_line_change(change.before, gone=True))
            continue
        for column in change.model._meta.concrete_fields:
            name = column.name.removesuffix(_CIPHER)
            if name in _QUIET:
                continue
            before = _value(change, change.before, column)
            after = _value(change, change.after, column) if change.after is not None else None
            if before != after:
                shown.append(
                    FieldChange(
                        change.model.__name__,
                        name,
                        _label(change.model, name, column),
                        _person(change),
                        years.get(change.pk if change.model is Sheet else getattr(change.before, "sheet_id", 0)),
                        before,
                        after,
                    )
                )
    return shown


def _written_lines(household: Household, groups: dict[Any, list[RowChange]]) -> dict[int, list[Any]]:
    """Lines of the worksheet by the version that wrote them; those of the first entry go without saying."""
    gone = [change.before for changes in groups.values() for change in changes if change.model is IncomeLine]
    written: dict[int, list[Any]] = defaultdict(list)
    for line in (*gone, *IncomeLine.objects.filter(sheet__household=household)):
        if line.version > 1:
            written[line.version].append(line)
    return written


def _new_line(line: Any) -> FieldChange:
    return _line_change(line, gone=False)


def _line_change(line: Any, *, gone: bool) -> FieldChange:
    """A line of the worksheet that came or went, whole."""
    label = gettext("%(part)s明细") % {"part": gettext(by_attribute("sheet", PART_OF[line.kind]).header)}
    text = row_text(line)
    before, after = (text, None) if gone else (None, text)
    return FieldChange("IncomeLine", "lines", label, line.person_id, None, before, after)


def _label(model: type[models.Model], name: str, column: Any) -> str:
    """The header of the form; a column of the machine's own has a word of its own."""
    if name in _WORDS:
        return str(_WORDS[name])
    entity = {"Household": "household", "Person": "person", "Sheet": "sheet", "MemberSheet": "member_sheet"}
    try:
        return gettext(by_attribute(entity.get(model.__name__, "membership"), name).header)
    except KeyError:
        return str(column.verbose_name)


def _value(change: RowChange, row: Any, column: Any) -> Any:
    value = getattr(row, column.attname)
    if not column.name.endswith(_CIPHER) or value is None:
        return value if value != "" and value != [] else None
    name = column.name.removesuffix(_CIPHER)
    try:
        text = decrypt(value, field=f"{change.model._meta.model_name}.{name}", owner=change.pk)
    except CannotDecrypt:
        return "***"
    return _MASKS[name](text)


def _person(change: RowChange) -> int | None:
    if change.model is Person:
        return change.pk
    return getattr(change.before, "person_id", None)


def _actor(context: pghistory.models.Context | None) -> User | None:
    user = (context.metadata or {}).get("user") if context else None
    return User.objects.filter(pk=user).first() if user else None
