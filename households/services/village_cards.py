"""Saving a village card: one village, one year, with its version, its history and its audit event."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import acting, record
from changde.divisions.codes import Level
from changde.divisions.models import Division
from households.domain.fields import of_entity
from households.models import VillageCard
from households.services import results

FACTS = tuple(field.attribute for field in of_entity("village_card") if field.attribute not in ("village_code", "year"))


def save_village_card(
    *, village: Division, year: int, facts: Mapping[str, Any], expected_version: int | None, by: User | None
) -> VillageCard:
    """Write the facts (typed, by attribute; a missing one is unknown) of a village's year.

    `expected_version` is None for a card that does not exist yet. Saving the same again writes nothing.
    """
    if village.level != Level.VILLAGE:
        raise Refusal("not_a_village", _("只能为行政村填写村卡"))
    if by is not None and not covers(by, "edit_cards", village.code):
        raise Refusal("not_your_area", _("该村不在您的辖区内，不能录入或修改"))
    _check(facts)
    try:
        with acting(by), transaction.atomic():
            return _save(village, year, facts, expected_version, by)
    except IntegrityError:
        raise _stale() from None


def _save(
    village: Division, year: int, facts: Mapping[str, Any], expected_version: int | None, by: User | None
) -> VillageCard:
    row = VillageCard.objects.select_for_update().filter(village=village, year=year).first()
    if (row.version if row else None) != expected_version:
        raise _stale()
    before = {name: getattr(row, name) for name in FACTS} if row else {}
    after = {name: _stored(name, facts.get(name)) for name in FACTS}
    changed = sorted(name for name in FACTS if row is None or before[name] != after[name])
    if row and not changed:
        return row
    row = row or VillageCard(village=village, year=year, version=0)
    for name, value in after.items():
        setattr(row, name, value)
    row.version, row.changed_at = row.version + 1, timezone.now()
    row.save()
    record(
        "households.save_village_card",
        by=by,
        target=row,
        area=village.code,
        year=year,
        version=row.version,
        fields=changed,
    )
    results.mark_village_stale(village=village.code, year=year, by=by)
    return row


def _stale() -> Refusal:
    return Refusal("version_conflict", _("您打开之后，这张村卡已被他人保存；请重新打开，核对后再填"))


def _check(facts: Mapping[str, Any]) -> None:
    """What cannot be true of a village."""
    for name in ("cultivated_land", "county_seat_distance", "collective_income"):
        if (facts.get(name) or 0) < 0:
            raise Refusal("negative", _("不能为负"), field=name)
    if "无" in (facts.get("disasters") or ()) and len(facts["disasters"]) > 1:
        raise Refusal("disasters", _("选了“无”就不能再选其他灾害"), field="disasters")
    whole = facts.get("households")
    if whole is not None and (facts.get("safe_water_households") or 0) > whole:
        raise Refusal("safe_water", _("安全饮水户数多于总户数"), field="safe_water_households")


def _stored(name: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return "" if value is None and not VillageCard._meta.get_field(name).null else value
