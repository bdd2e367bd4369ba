"""Writing the needs a household named in a year."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import acting, record
from households.domain.needs import Need, Needs, merge_needs, need_kinds
from households.models import Household, HouseholdNeed


class NeedsClash(Refusal):
    """Somebody changed the same kinds meanwhile; `kinds` names them, `theirs` is what stands now."""

    def __init__(self, kinds: Sequence[str], theirs: Needs):
        super().__init__("needs_conflict", _("您打开之后，他人也改了同一项诉求；请核对后再保存"))
        self.kinds, self.theirs = tuple(kinds), theirs


def needs_of(household: Household, year: int | None) -> dict[str, Need]:
    """What the household named in the year, in the order of the kinds."""
    rows = {row.kind: row for row in HouseholdNeed.objects.filter(household=household, year=year or 0)}
    return {kind: Need(rows[kind].urgency, rows[kind].detail) for kind in need_kinds() if kind in rows}


def save_needs(*, household: Household, year: int, needs: Needs, base: Needs | None, by: User) -> None:
    """Write the needs of a year. `base` is what stood there when the writer began, required: it is the version.

    Kinds that only one of two people changed merge by themselves. Saving the same again writes nothing.
    Raises Refusal: NeedsClash, or one that names the reason.
    """
    if base is None:
        raise Refusal("version_missing", _("缺少打开时的内容，请重新打开再保存"))
    if not covers(by, "edit_cards", household.village_id):
        raise Refusal("not_your_area", _("该村不在您的辖区内，不能录入或修改"))
    with acting(by), transaction.atomic():
        Household.objects.select_for_update().get(pk=household.pk)
        before = needs_of(household, year)
        after, clashing = merge_needs(base, before, needs)
        if clashing:
            raise NeedsClash(clashing, before)
        changed = [kind for kind in need_kinds() if before.get(kind) != after.get(kind)]
        if not changed:
            return
        rows = HouseholdNeed.objects.filter(household=household, year=year)
        rows.filter(kind__in=[kind for kind in changed if kind not in after]).delete()
        for kind in changed:
            if kind in after:
                facts = {"urgency": after[kind].urgency, "detail": after[kind].detail}
                place = {"village_id": household.village_id}
                rows.update_or_create(household=household, year=year, kind=kind, defaults=facts | place)
        record("households.save_needs", by=by, target=household, area=household.village_id, year=year, fields=changed)
