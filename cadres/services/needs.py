"""Needs of villages: work them out from the cards, correct them, take a correction back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cadres import frames
from cadres.domain.needs import SKILLS, WEIGHT_UNITS, need_of
from cadres.models import VillageNeed
from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record

_COMPUTED = (
    "registered_households",
    "registered_persons",
    "rural_persons",
    "persons_from_cards",
    "provisional",
    "weights",
    "rows",
)


@dataclass(frozen=True)
class NeedsSummary:
    """What a computation did: the year it read, how many villages it saw and how many needs changed."""

    year: int
    villages: int
    changed: int


@transaction.atomic
def recompute_needs(*, division: int, by: User | None, year: int | None = None) -> NeedsSummary:
    """Work out the needs of every village of `division` with cards, from the sheets of `year` (default: the latest).

    Corrections stay. Only what changed is written, so that the history tells of changes. Raises Refusal when the area
    has no cards.
    """
    year = year or frames.latest_year(division)
    if year is None:
        raise Refusal("no_cards", _("这个区划还没有户卡，无法测算需求；请先导入户卡"))
    computed = [_need_values(row) for row in frames.village_rows(division, year)]
    stored = {need.village_id: need for need in VillageNeed.objects.within(division).filter(year=year)}
    now = timezone.now()
    new, changed = [], []
    for values in computed:
        need = stored.get(values["village_id"])
        if need is None:
            new.append(VillageNeed(year=year, computed_at=now, **values))
        elif any(getattr(need, name) != values[name] for name in _COMPUTED):
            for name in _COMPUTED:
                setattr(need, name, values[name])
            need.computed_at = now
            changed.append(need)
    VillageNeed.objects.bulk_create(new, batch_size=500)
    VillageNeed.objects.bulk_update(changed, [*_COMPUTED, "computed_at"], batch_size=500)
    summary = NeedsSummary(year, len(computed), len(new) + len(changed))
    record(
        "cadres.recompute_needs",
        by=by,
        target=("divisions.division", division),
        area=division,
        year=year,
        villages=summary.villages,
        changed=summary.changed,
    )
    return summary


def _need_values(row: Mapping[str, Any]) -> dict[str, Any]:
    need = need_of(frames.facts_of(row), frames.need_rules())
    from_cards = row["rural_persons"] is None
    return {
        "village_id": row["village"],
        "registered_households": row["registered_households"],
        "registered_persons": int(row["registered_persons"]),
        "rural_persons": int(row["persons_on_cards"]) if from_cards else row["rural_persons"],
        "persons_from_cards": from_cards,
        "provisional": row["provisional"],
        "weights": dict(need.weights),
        "rows": [frames.row_values(one) for one in need.rows],
    }


@transaction.atomic
def correct_need(*, need: VillageNeed, weights: Mapping[str, int], reason: str, by: User) -> VillageNeed:
    """Replace the weights by those of people on the spot: ten-thousandths by skill, together 10,000, with a reason."""
    need = _locked(need, by)
    reason = reason.strip()
    if not reason:
        raise Refusal("reason_missing", _("请写明修正理由"), field="reason")
    kept = {skill: weights[skill] for skill in SKILLS if weights.get(skill)}
    if set(weights) - set(SKILLS) or any(weight < 0 for weight in weights.values()):
        raise Refusal("weights_invalid", _("权重只能填在所列技能上，且不能为负"))
    if sum(kept.values()) != WEIGHT_UNITS:
        raise Refusal(
            "weights_do_not_sum",
            _("各项权重之和应为 100 %%，现在是 %(sum)s %%") % {"sum": f"{sum(kept.values()) / 100:g}"},
        )
    need.correction, need.correction_reason = kept, reason
    need.corrected_by, need.corrected_at = by, timezone.now()
    need.save(update_fields=["correction", "correction_reason", "corrected_by", "corrected_at"])
    record("cadres.correct_need", by=by, target=need, area=need.village_id, year=need.year, weights=kept)
    return need


@transaction.atomic
def withdraw_correction(*, need: VillageNeed, by: User) -> VillageNeed:
    """Back to the computed weights; the correction stays in the history."""
    need = _locked(need, by)
    if need.correction is None:
        raise Refusal("nothing_corrected", _("这个村的需求没有修正过"))
    need.correction, need.correction_reason, need.corrected_by, need.corrected_at = None, "", None, None
    need.save(update_fields=["correction", "correction_reason", "corrected_by", "corrected_at"])
    record("cadres.withdraw_correction", by=by, target=need, area=need.village_id, year=need.year)
    return need


def _locked(need: VillageNeed, by: User) -> VillageNeed:
    if not covers(by, "correct_needs", need.village_id):
        raise Refusal("not_your_area", _("只能修正本辖区的村"))
    return VillageNeed.objects.select_for_update().get(pk=need.pk)
