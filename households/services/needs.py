"""Writing the needs a household named in a year."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import acting, record
from households.domain.needs import Need, Needs, NeedsChange, merge_needs, need_kinds
from households.models import Household, HouseholdNeed


class NeedsClash(Refusal):
    """Somebody changed the same kinds meanwhile.

    `kinds` names them, `theirs` is what stands now, `merged` holds the changes of both (theirs where they clash).
    """

    def __init__(self, kinds: Sequence[str], theirs: Needs, merged: Needs):
        super().__init__("needs_conflict", _("您打开之后，他人也改了同一项诉求；请核对后再保存"))
        self.kinds, self.theirs, self.merged = tuple(kinds), theirs, merged


def needs_of(household: Household, year: int | None) -> dict[str, Need]:
    """What the household named in the year, in the order of the kinds."""
    rows = {row.kind: row for row in HouseholdNeed.objects.filter(household=household, year=year or 0)}
    return {kind: Need(rows[kind].urgency, rows[kind].detail) for kind in need_kinds() if kind in rows}


def save_needs(*, household: Household, year: int, change: NeedsChange, by: User) -> None:
    """Write the needs of a year by themselves; with a whole card they go through services.cards.save_card.

    Raises Refusal: NeedsClash, or one that names the reason.
    """
    if not covers(by, "edit_cards", household.village_id):
        raise Refusal("not_your_area", _("该村不在您的辖区内，不能录入或修改"))
    with acting(by), transaction.atomic():
        write_needs(Household.objects.select_for_update().get(pk=household.pk), year, change, by)


def write_needs(row: Household, year: int, change: NeedsChange, by: User | None) -> None:
    """Write the needs of a year inside the transaction of the caller, who holds the household's lock.

    Kinds that only one of two people changed merge by themselves. Saving the same again writes nothing.
    """
    if change.base is None:
        raise Refusal("version_missing", _("缺少打开时的内容，请重新打开再保存"))
    before = needs_of(row, year)
    after, clashing = merge_needs(change.base, before, change.needs)
    if clashing:
        raise NeedsClash(clashing, before, after)
    changed = [kind for kind in need_kinds() if before.get(kind) != after.get(kind)]
    if not changed:
        return
    rows = HouseholdNeed.objects.filter(household=row, year=year)
    rows.filter(kind__in=[kind for kind in changed if kind not in after]).delete()
    for kind in changed:
        if kind in after:
            facts = {"urgency": after[kind].urgency, "detail": after[kind].detail, "village_id": row.village_id}
            rows.update_or_create(household=row, year=year, kind=kind, defaults=facts)
    record("households.save_needs", by=by, target=row, area=row.village_id, year=year, fields=changed)
