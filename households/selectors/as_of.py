"""A card as it stood at the end of a day, put together again from the row history and the log; read-only.

A row is as it was before its first change after that day; a row that was not there yet is left out. Nothing of it is
written, and nothing that is known only today (a result worked out since, a finding made since) stands in it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.refusal import Refusal
from changde.divisions.models import Division
from households.models import Finding, Household, MemberSheet, Membership, Person, Result, Sheet
from households.selectors.cards import CardPage, Reader
from households.selectors.findings import without_leads
from households.selectors.history import Inserted, end_of, inserted_since, lines_at, rows_before

M = TypeVar("M", bound=models.Model)
Rows = dict[tuple[type[models.Model], int], Any]


@dataclass(frozen=True)
class AsOf:
    """The day, the version the card had then, the page, and the lines of its sheet's worksheet.

    `result_kept` is false when the result of that day is gone.
    """

    day: date
    version: int
    page: CardPage
    result_kept: bool
    lines: list[Any]


def card_as_of(
    user: Reader, household: Household, day: date, *, year: int | None = None, until: date | None = None
) -> AsOf:
    """The card at the end of `day` (local). The caller has checked that it may be read.

    `until` is the last day the reader may see (the day the household moved away, for the office it left).
    Raises Refusal with field as_of: a day to come, one before the card was there, one after `until`.
    """
    _check(household, day, until)
    moment = end_of(day)
    earlier, inserted = rows_before(household, moment), inserted_since(household, moment)
    then = _row(Household, household.pk, household, earlier)
    then.village = Division.objects.get(pk=then.village_id)
    sheets = {row.year: row for row in _sheets(household, earlier, inserted)}
    years = sorted(sheets, reverse=True)
    sheet = sheets.get(year) if year in sheets else (sheets[years[0]] if years else None)  # type: ignore[arg-type]
    memberships = _memberships(household, earlier, inserted)
    here = {row.person_id for row in memberships}
    members = [row for row in _members(sheet, earlier) if row.person_id in here] if sheet else []
    gone = [row for row in memberships if row.until is not None and row.until <= day]
    result = _result(household, sheet, then.version, moment)
    found = Finding.objects.visible_to(user).filter(household=household, found_at__lt=moment)
    findings = list(
        found.filter(Q(decided_at=None) | Q(decided_at__gte=moment)).select_related("person").order_by("pk")
    )
    of_persons: list[Any] = [*members, *gone]
    for row in of_persons:
        row.person = _row(Person, row.person_id, row.person, earlier)
    blocked = any(finding.blocks for finding in findings)
    kept = without_leads(findings)
    page = CardPage(then, then.village.path(), years, sheet, members, gone, kept, result, blocked)
    return AsOf(day, then.version, page, result is not None or sheet is None, lines_at(sheet, then.version, earlier))


def _check(household: Household, day: date, until: date | None) -> None:
    born = timezone.localdate(household.created_at)
    if day > timezone.localdate():
        raise Refusal("as_of_future", _("这一天还没有到，请选今天或以前的日期"), field="as_of")
    if until is not None and day > until:
        raise Refusal(
            "as_of_moved",
            _("这一户已于 %(day)s 迁出，只能查看到当天为止的户卡") % {"day": f"{until:%Y-%m-%d}"},
            field="as_of",
        )
    if day < born:
        raise Refusal(
            "as_of_before",
            _("这张户卡 %(day)s 才录入系统，这一天还没有户卡") % {"day": f"{born:%Y-%m-%d}"},
            field="as_of",
        )


def _row(model: type[M], pk: int, now: M, earlier: Rows) -> M:
    """A row as it was: one of the history becomes an unsaved row of the model, so that its properties work."""
    old = earlier.get((model, pk))
    columns = [column.attname for column in model._meta.concrete_fields]
    source = now if old is None else old
    made = model(**{name: getattr(source, name) for name in columns if name != "id"})
    made.pk = pk
    return made


def _sheets(household: Household, earlier: Rows, inserted: Inserted) -> list[Sheet]:
    now = Sheet.objects.filter(household=household).exclude(year__in=inserted.years)
    return [_row(Sheet, row.pk, row, earlier) for row in now]


def _memberships(household: Household, earlier: Rows, inserted: Inserted) -> list[Membership]:
    """Memberships that were there, with how they stood; of a person who joined since, the latest are left out."""
    later = inserted.joined.copy()
    found = []
    for row in Membership.objects.filter(household=household).select_related("person").order_by("-pk"):
        if later[row.person_id] > 0:
            later[row.person_id] -= 1
            continue
        then = _row(Membership, row.pk, row, earlier)
        then.person = row.person
        found.append(then)
    return sorted(found, key=lambda row: (row.position, row.pk or 0))


def _members(sheet: Sheet, earlier: Rows) -> list[MemberSheet]:
    """The sheet's members then: rows of today as they were, and rows deleted since."""
    today = {row.pk: row for row in MemberSheet.objects.filter(sheet_id=sheet.pk).select_related("person")}
    deleted = {
        pk: old
        for (model, pk), old in earlier.items()
        if model is MemberSheet and old.sheet_id == sheet.pk and pk not in today
    }
    people = Person.objects.in_bulk([old.person_id for old in deleted.values()])
    found = []
    for pk, row in (today | deleted).items():
        then = _row(MemberSheet, pk, row, earlier)
        then.person = row.person if pk in today else people[row.person_id]
        found.append(then)
    return sorted(found, key=lambda row: (row.position, row.pk or 0))


def _result(household: Household, sheet: Sheet | None, version: int, moment: datetime) -> Result | None:
    """The result of the sheet as worked out then; one that was replaced since is not kept."""
    if sheet is None:
        return None
    kept = Result.objects.filter(household=household, year=sheet.year, card_version=version, computed_at__lt=moment)
    return kept.current().first()
