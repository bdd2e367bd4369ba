"""Yearly standards: drafted by an office, proposed by one person, released by another, frozen from then on."""

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.resources import files
from itertools import groupby
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.divisions.codes import Level
from changde.divisions.models import Division
from households.domain.years import FIRST_YEAR, LAST_YEAR
from households.models import StandardRate, YearlyStandard
from households.models.yearly_standard import CITY, RATE_COLUMNS

SETTINGS = ("days_low", "days_high", "tolerance")


@transaction.atomic
def draft_standard(
    *, division: Division | None, year: int, copied_from: YearlyStandard | None, by: User | None
) -> YearlyStandard:
    """A new draft for a county (None: the city's default) and year, with the rates of `copied_from`."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Refusal("year_outside", _("年度不在可接受的范围之内（2010至2100）"), field="year")
    if division is not None and division.level != Level.COUNTY:
        raise Refusal("not_a_county", _("年度标准由县（市、区）或全市制定"))
    _check_right(by, division)
    of_place = YearlyStandard.objects.filter(division=division, year=year)
    if of_place.filter(state=YearlyStandard.State.DRAFT).exists():
        raise Refusal("draft_open", _("这一年度已有一份草稿，请接着修改那一份"), field="year")
    last = of_place.order_by("-number").first()
    kept = {name: getattr(copied_from, name) for name in SETTINGS} if copied_from else {}
    standard = YearlyStandard.objects.create(
        division=division,
        year=year,
        number=last.number + 1 if last else 1,
        based_on=copied_from,
        created_by=by,
        **kept,
    )
    if copied_from:
        _write_rates(standard, [{n: getattr(rate, n) for n in RATE_COLUMNS} for rate in copied_from.rates.all()])
    record("standards.draft", by=by, target=standard, area=standard.division_id, year=year, copied=kept != {})
    return standard


@transaction.atomic
def edit_standard(
    *,
    standard: YearlyStandard,
    settings: Mapping[str, int],
    rates: Sequence[Mapping[str, Any]],
    expected_revision: int | None,
    by: User,
) -> YearlyStandard:
    """Write all rates of a draft anew. Whoever proposed it has not seen this: the proposal falls away."""
    standard = _locked(standard, by)
    if standard.revision != expected_revision:
        raise _revised()
    for name in SETTINGS:
        setattr(standard, name, settings[name])
    standard.revision += 1
    standard.proposed_by = None
    standard.save(update_fields=[*SETTINGS, "revision", "proposed_by"])
    standard.rates.all().delete()
    _write_rates(standard, rates)
    record("standards.edit", by=by, target=standard, area=standard.division_id, rates=len(rates))
    return standard


@transaction.atomic
def propose_standard(*, standard: YearlyStandard, by: User) -> YearlyStandard:
    """Put a draft forward for release; somebody else releases it."""
    standard = _locked(standard, by)
    if not standard.rates.exists():
        raise Refusal("empty", _("还没有任何项目，不能提请发布"))
    standard.proposed_by = by
    standard.save(update_fields=["proposed_by"])
    record("standards.propose", by=by, target=standard, area=standard.division_id)
    return standard


@transaction.atomic
def release_standard(
    *, standard: YearlyStandard, by: User | None, expected_revision: int | None = None
) -> YearlyStandard:
    """Put a draft in force and supersede the one before. Two different persons; `by` None is the shipped default.

    `expected_revision` is what the releasing person has read: a draft edited and proposed again since is refused.
    """
    standard = _locked(standard, by)
    if expected_revision is not None and standard.revision != expected_revision:
        raise _revised()
    if by is not None and standard.proposed_by_id is None:
        raise Refusal("not_proposed", _("请先由一人提请发布"))
    if by is not None and standard.proposed_by_id == by.pk:
        raise Refusal("same_person", _("提请人与发布人不能是同一人"))
    in_force = YearlyStandard.objects.in_force().filter(division=standard.division_id, year=standard.year)
    in_force.update(state=YearlyStandard.State.SUPERSEDED, superseded_at=Now())
    standard.state, standard.released_by, standard.released_at = YearlyStandard.State.RELEASED, by, Now()
    standard.save(update_fields=["state", "released_by", "released_at"])
    record("standards.release", by=by, target=standard, area=standard.division_id, year=standard.year)
    standard.refresh_from_db()
    return standard


@transaction.atomic
def discard_standard(*, standard: YearlyStandard, by: User) -> None:
    """Throw a draft away."""
    standard = _locked(standard, by)
    record("standards.discard", by=by, target=standard, area=standard.division_id, year=standard.year)
    standard.delete()


def load_default_standards() -> int:
    """Release the shipped city default of every year that has none yet; how many. Idempotent."""
    present = set(YearlyStandard.objects.filter(division=None).values_list("year", flat=True))
    loaded = 0
    for year, rows in groupby(_default_rows(), key=lambda row: int(row["year"])):
        if year in present:
            continue
        with transaction.atomic():
            standard = draft_standard(division=None, year=year, copied_from=None, by=None)
            _write_rates(standard, [_typed(row) for row in rows])
            release_standard(standard=standard, by=None)
        loaded += 1
    return loaded


def _default_rows() -> list[dict[str, str]]:
    text = (files("households") / "reference/yearly_standard.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    texts = {"kind", "item", "proposed_by", "source"}
    return {name: row[name] if name in texts else Decimal(row[name]) if row[name] else None for name in RATE_COLUMNS}


def _write_rates(standard: YearlyStandard, rates: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        StandardRate(standard=standard, position=position, **{name: rate[name] for name in RATE_COLUMNS})
        for position, rate in enumerate(rates)
    ]
    try:
        with transaction.atomic():
            StandardRate.objects.bulk_create(rows)
    except IntegrityError as error:
        raise _explained(error) from None


def _explained(error: IntegrityError) -> Refusal:
    """What a constraint of the database says, in words."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
    words = {
        "standard_rate_once": _("同一项目出现了两次"),
        "standard_rate_range": _("产值或日工资应大于零，且低值不高于高值"),
        "standard_rate_net_range": _("净值应成对填写，低值不高于高值，也不高于产值"),
        "standard_rate_yield_range": _("产量应成对填写，低值不高于高值"),
    }
    if constraint in words:
        return Refusal(constraint, words[constraint])
    raise error


def _locked(standard: YearlyStandard, by: User | None) -> YearlyStandard:
    """The draft, locked, after the right to change it."""
    _check_right(by, standard.division)
    locked = YearlyStandard.objects.select_for_update(of=("self",)).filter(pk=standard.pk).first()
    if locked is None or not locked.is_draft:
        raise Refusal("frozen", _("已发布的标准不能再改动；要改请另起草一份"))
    return locked


def _revised() -> Refusal:
    return Refusal("revision", _("您打开之后，这份草稿已被他人修改；请重新打开，核对后再办"))


def _check_right(by: User | None, division: Division | None) -> None:
    if by is not None and not covers(by, "manage_standards", division.code if division else CITY):
        raise Refusal("not_your_area", _("只有本县（全市默认为市）的扶贫办可以制定年度标准"))
