"""Status of a household: one writer for the procedure, one for the first load of a workbook.

Nobody else writes Household.status. Which steps lead where is the procedure's knowledge (supervision); here stands
what must hold whoever asks: a reason, a kind exactly for monitored households, a version that rises, one audit event.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from households.models import Household, HouseholdStatus
from households.services import status_leads

_POOR = frozenset({"一般贫困户", "低保贫困户"})
_NOT_REGISTERED = frozenset({"一般农户", ""})
_STILL_IN = frozenset({"未脱贫", "预脱贫", "返贫"})


def initial_status(attribute: str, exit_flag: str) -> HouseholdStatus:
    """What the workbook's attribute (aac006) and exit flag (aar010) say about a household in the first load.

    一般农户 and an empty attribute are never registered, whatever the flag says. 已脱贫 is exited; 未脱贫, 预脱贫
    (not yet out) and 返贫 (in again) are registered. Without a flag the two attributes that say 贫困户 are registered;
    低保户 and 五保户 alone receive assistance but have no card.
    """
    if attribute in _NOT_REGISTERED:
        return HouseholdStatus.UNREGISTERED
    if exit_flag == "已脱贫":
        return HouseholdStatus.EXITED
    if exit_flag in _STILL_IN or attribute in _POOR:
        return HouseholdStatus.REGISTERED
    return HouseholdStatus.UNREGISTERED


def put(row: Household, status: str, *, kind: str = "", since: date | None = None) -> list[str]:
    """Set the status on a row the caller has locked, and saves with an act and a version of its own.

    Returns the names of the columns. Closing and reopening are events of the household (services.events), which log
    the status before and after.
    """
    row.status, row.monitored_kind = HouseholdStatus(status), kind
    row.status_since = since or timezone.localdate()
    return ["status", "monitored_kind", "status_since"]


@transaction.atomic
def set_status(
    *, household: Household, status: str, by: User | None, reason: str, kind: str = "", since: date | None = None
) -> Household:
    """Move a household to `status` (the only writer). `kind` is given exactly for monitored households.

    `reason` names the decision in codes (the list, the objection, the approval), never a person.
    """
    if not reason.strip():
        raise Refusal("status_without_reason", _("改变户状态须写明依据"))
    if (status == HouseholdStatus.MONITORED) != bool(kind):
        raise Refusal("status_kind", _("监测对象须写明监测类型，其他状态不写"))
    row = Household.objects.select_for_update().get(pk=household.pk)
    before = row.status
    if (before, row.monitored_kind) == (status, kind):
        return row
    columns = put(row, status, kind=kind, since=since)
    row.version += 1
    row.changed_at = timezone.now()
    row.save(update_fields=[*columns, "version", "changed_at"])
    record(
        "households.set_status",
        by=by,
        target=row,
        area=row.village_id,
        before=before,
        after=status,
        monitored_kind=kind,
        reason=reason,
        version=row.version,
    )
    transaction.on_commit(lambda: status_leads.keep_household(household=row.pk, village=row.village_id), robust=True)
    return row


@transaction.atomic
def set_initial_status(
    *,
    cards: Iterable[tuple[int, str, str]],
    by: User | None,
    area: int,
    since: date | None = None,
    created: Iterable[HouseholdStatus] = (),
) -> dict[str, int]:
    """First load: give (household id, attribute, exit flag) their status; returns how many got which.

    Only households whose status was never set (status_since is empty) are touched, so that a second workbook changes
    nothing: later a difference is a finding. `created` are the statuses of households that were made with theirs in
    this transaction. One statement and one audit event for the whole batch.
    """
    wanted = {household: initial_status(attribute, flag) for household, attribute, flag in cards}
    counts: Counter[str] = Counter(map(str, created))
    if not wanted and not counts:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE households_household AS card
               SET status = given.status, status_since = %s
              FROM unnest(%s::bigint[], %s::varchar[]) AS given (id, status)
             WHERE card.id = given.id AND card.status_since IS NULL
            RETURNING card.status
            """,
            [since or timezone.localdate(), list(wanted), [str(status) for status in wanted.values()]],
        )
        counts.update(status for (status,) in cursor.fetchall())
    found: dict[str, Any] = dict(counts)
    record("households.set_initial_status", by=by, area=area, **found)
    return found


def differs_from(status: str, attribute: str, exit_flag: str) -> bool:
    """Does a later sheet contradict the status? Told by a finding, never by a change.

    Statuses a workbook has no word for (proposed, monitored, closed) contradict nothing.
    """
    said = initial_status(attribute, exit_flag)
    if status == HouseholdStatus.RETURNED:
        return said != HouseholdStatus.REGISTERED
    if status in (HouseholdStatus.UNREGISTERED, HouseholdStatus.REGISTERED, HouseholdStatus.EXITED):
        return bool(attribute) and said != status
    return False
