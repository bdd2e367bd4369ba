"""Trials: a version of an index system tried on an area's real cards, township by township, beside the one in force.

Nothing of it reaches the results: what households get is decided by released versions alone. A township is one chunk
and one transaction: its villages' sums and its row in the ledger, or neither. A chunk done twice (its worker died after
the work) finds its row done; the row's lock makes two who do it at once take turns. When a trial is complete and its
version still is what was tried, the version is "tried".
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import Any

import pandas as pd
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import between, covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.divisions.codes import Level, ancestor, code_range
from changde.divisions.models import Division
from changde.jobs.models import Job
from changde.jobs.services import cancel as cancel_job
from changde.jobs.services import enqueue, finish_parent
from households import frames
from households.domain import sensitivity, trial
from households.domain.index import derive, judge
from households.domain.index_system import IndexSystem
from households.models import (
    HouseholdStatus,
    IndexTrial,
    IndexTrialTownship,
    IndexTrialVillage,
    IndexVersion,
    Sheet,
)
from households.models.yearly_standard import CITY
from households.services.index_runs import sheets_by_township
from households.services.index_versions import mark_tried

TRIAL_JOB, TOWNSHIP_JOB = "try_index", "try_index_township"
CLAIM_ENDS = timedelta(minutes=5)
KEPT_TRIALS = 10
EXAMPLES = 5  # households kept for each transition in a village
REGISTERED = (HouseholdStatus.REGISTERED, HouseholdStatus.RETURNED)  # who stands on the register as poor

Progress = Callable[[int, int], None]


@transaction.atomic
def start_trial(
    *, version: IndexVersion, division: Division, year: int, by: User | None, in_background: bool = True
) -> IndexTrial:
    """Open a trial of `version` on the cards of `year` in `division` and, in the background, enqueue its job.

    A county's version is tried on the county; the city's default on a county, or on the city without the counties that
    have a version of their own. In a year that is not the version's own its rules are tried with that year's lines.
    Refuses another area, a year without lines or sheets, and while the version is being tried. In this process
    (`in_background` False) the same trial broken off before is taken up again.
    """
    _check_area(version, division, by)
    reference = _reference(version=version, division=division, year=year)
    system = tried_system(version=version, reference=reference, year=year)
    expected = _townships(division=division, year=year)
    if not expected:
        message = _("%(division)s没有%(year)s年的年度表") % {"division": division.name, "year": year}
        raise Refusal("no_sheets", message, field="year")
    _close_abandoned(version)
    opened = {"version": version, "digest": version.digest, "division": division, "year": year}
    if not in_background:
        broken_off = IndexTrial.objects.filter(**opened, state=IndexTrial.State.RUNNING, job=None).first()
        if broken_off:
            return broken_off
    tried = _open_trial(**opened, definition=system.to_json(), reference=reference, owner=by)
    IndexTrialTownship.objects.bulk_create(
        IndexTrialTownship(trial=tried, township_id=code, expected=count) for code, count in sorted(expected.items())
    )
    record("index.try", by=by, target=tried, area=division.code, version=version.pk, year=year, digest=tried.digest)
    if in_background:
        total = sum(expected.values())
        tried.job = enqueue(TRIAL_JOB, by=by, area=division.code, parameters={"trial": tried.pk}, total=total)
        tried.save(update_fields=["job"])
    return tried


def _check_area(version: IndexVersion, division: Division, by: User | None) -> None:
    own = [version.division_id] if version.division_id else None
    if (own and division.code not in own) or division.level > Level.COUNTY:
        raise Refusal("not_its_area", _("县（市、区）的版本只在本县试算；全市默认在全市或一个县试算"), field="place")
    if by is None:
        return
    reads = covers(by, "manage_index", version.division_id or CITY)
    public = version.division_id is None and version.state in IndexVersion.FROZEN
    if not covers(by, "manage_index", division.code) or not (reads or public):
        raise Refusal("not_your_area", _("这里不归您管理，不能试算"))


def _reference(*, version: IndexVersion, division: Division, year: int) -> IndexVersion:
    """The version in force to compare with: of the area and year; in the version's own year, if none is in force yet,
    the latest before it."""
    in_force = IndexVersion.objects.in_force().filter(division__in=[division.code]) | (
        IndexVersion.objects.in_force().filter(division=None)
    )
    own_first = sorted(in_force.filter(year=year), key=lambda one: one.division_id is None)
    if own_first:
        return own_first[0]
    if year == version.year:
        earlier = sorted(in_force.filter(year__lt=year), key=lambda one: (-one.year, one.division_id is None))
        if earlier:
            return earlier[0]
    message = _("%(year)s年没有已发布的识别指标体系和收入标准，不能在这一年的户卡上试算")
    raise Refusal("no_index_version", message % {"year": year}, field="year")


def tried_system(*, version: IndexVersion, reference: IndexVersion, year: int) -> IndexSystem:
    """What is tried: the version itself; in another year its rules with the lines in force in that year."""
    if year == version.year:
        return version.system
    lines = reference.system
    return replace(version.system, year=year, income_line=lines.income_line, monitoring_line=lines.monitoring_line)


def _townships(*, division: Division, year: int) -> dict[int, int]:
    """Townships of the area with sheets of the year, and how many; of the city without the counties that would not be
    judged by its default."""
    first, last = code_range(division.code)
    expected = sheets_by_township(first=first, last=last, year=year)
    if division.level == Level.COUNTY:
        return expected
    own = set(
        IndexVersion.objects.in_force().filter(year=year, division__isnull=False).values_list("division", flat=True)
    )
    return {code: count for code, count in expected.items() if ancestor(code, Level.COUNTY) not in own}


def _close_abandoned(version: IndexVersion) -> None:
    """Free a version whose trial nobody works on: the process died, or the job ended without its finisher."""
    running = version.trials.filter(state=IndexTrial.State.RUNNING)
    silent = running.filter(job=None, heartbeat_at__lt=timezone.now() - CLAIM_ENDS)
    orphaned = running.exclude(job=None).exclude(job__state__in=Job.OPEN)
    for tried in silent | orphaned:
        close_trial(tried=tried, state=IndexTrial.State.FAILED, error=_("试算进程中断"))


def _open_trial(**values: Any) -> IndexTrial:
    try:
        with transaction.atomic():
            return IndexTrial.objects.create(**values)
    except IntegrityError as error:
        if "index_trial_one_at_a_time" not in str(error):
            raise
        raise Refusal("trial_running", _("这个版本正在试算，请等它结束或取消后再试")) from error


def enqueue_townships(*, tried: IndexTrial, parent: Job) -> int:
    """One job per township that is not done yet; doing it twice adds none."""
    with transaction.atomic():
        asked = {job.parameters["township"] for job in parent.children.all()}
        rows = tried.townships.exclude(pk__in=asked).exclude(state=IndexTrialTownship.State.DONE)
        for row in rows:
            enqueue(
                TOWNSHIP_JOB, by=parent.owner, area=row.township_id, parameters={"township": row.pk},
                total=row.expected, parent=parent,
            )  # fmt: skip
    return len(rows)


@transaction.atomic
def try_township(*, row: IndexTrialTownship) -> IndexTrialTownship:
    """Try one township: its villages' sums, examples and changes, in one transaction. What is done stays as it is."""
    began = monotonic()
    row = IndexTrialTownship.objects.select_for_update(of=("self",)).select_related("trial__reference").get(pk=row.pk)
    tried = row.trial
    if row.state == IndexTrialTownship.State.DONE or tried.state != IndexTrial.State.RUNNING:
        return row
    first, last = code_range(row.township_id)
    cards = derive(frames.features_of(year=tried.year, first=first, last=last))
    cards = cards.assign(registered=cards["household_id"].isin(_registered(year=tried.year, first=first, last=last)))
    before, after = judge(tried.reference.system, cards), judge(tried.system, cards)
    sums = trial.rows_of(trial.village_sums(cards, tried.reference.system, tried.system, before, after))
    examples = _examples(cards, before, after)
    IndexTrialVillage.objects.filter(trial=tried).filter(between("village_id", first, last)).delete()
    IndexTrialVillage.objects.bulk_create(
        _village(tried, code, of_village, examples.get(code, {})) for code, of_village in sums.items()
    )
    row.state = IndexTrialTownship.State.DONE
    row.households, row.sensitivity = len(cards), sensitivity.changes(tried.system, cards)
    row.seconds = round(monotonic() - began, 3)
    row.save()
    return row


def _registered(*, year: int, first: int, last: int) -> list[int]:
    sheets = Sheet.objects.filter(between("village_id", first, last), year=year, household__status__in=REGISTERED)
    return list(sheets.values_list("household_id", flat=True))


def _village(tried: IndexTrial, code: int, sums: trial.Sums, examples: dict[str, list[int]]) -> IndexTrialVillage:
    everybody, absolute, poor = trial.count(sums), trial.flow(sums, "absolute"), trial.flow(sums, "poor")
    return IndexTrialVillage(
        trial=tried,
        village_id=code,
        households=everybody.households,
        persons=everybody.persons,
        changed=trial.changed(sums).households,
        absolute_in=absolute.enters.households,
        absolute_out=absolute.leaves.households,
        poor_in=poor.enters.households,
        poor_out=poor.leaves.households,
        sums=sums,
        examples=examples,
    )


def _examples(cards: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame) -> dict[int, dict[str, list[int]]]:
    """By village and transition the ids of the first few households whose outcome is another."""
    rows = pd.DataFrame(
        {
            "village": cards["village_id"],
            "household": cards["household_id"],
            "transition": before["outcome"].astype(str) + "." + after["outcome"].astype(str),
        }
    )
    rows = rows[(before["outcome"].astype(str) != after["outcome"].astype(str)).to_numpy()]
    found: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    few = rows.groupby(["village", "transition"]).head(EXAMPLES)
    for village, household, transition in few.itertuples(index=False):
        found[int(village)][str(transition)].append(int(household))
    return found


def compute_trial(*, tried: IndexTrial, progress: Progress = lambda done, total: None) -> IndexTrial:
    """All townships of a trial one after the other, in this process; then close it.

    Broken off by hand it stays open, and `start_trial` takes it up again.
    """
    rows = list(tried.townships.all())
    total, done = sum(row.expected for row in rows), 0
    try:
        for row in rows:
            progress(done, total)
            IndexTrial.objects.filter(pk=tried.pk).update(heartbeat_at=Now())
            try_township(row=row)
            done += row.expected
        progress(total, total)
    except Exception as error:
        close_trial(tried=tried, state=IndexTrial.State.FAILED, error=type(error).__name__)
        raise
    return close_trial(tried=tried, state=IndexTrial.State.DONE)


@transaction.atomic
def close_trial(*, tried: IndexTrial, state: str, error: str = "") -> IndexTrial:
    """Add the townships up; a complete trial of a version that did not change since makes it tried."""
    tried = IndexTrial.objects.select_for_update(of=("self",)).select_related("version").get(pk=tried.pk)
    if tried.state != IndexTrial.State.RUNNING:
        return tried
    rows = list(tried.townships.all())
    if state == IndexTrial.State.DONE and any(row.state != IndexTrialTownship.State.DONE for row in rows):
        state, error = IndexTrial.State.FAILED, _("有乡镇没有完成")
    tried.state, tried.error, tried.finished_at = state, error[:300], timezone.now()
    tried.households = tried.townships.aggregate(sum=Sum("households"))["sum"] or 0
    if state == IndexTrial.State.DONE:
        tried.totals = trial.add_up(tried.villages.values_list("sums", flat=True).iterator())
        tried.sensitivity = sensitivity.add_up([row.sensitivity for row in rows])
    tried.save()
    record(
        "index.try_over", by=tried.owner, target=tried, area=tried.division_id, state=state, households=tried.households
    )
    if state == IndexTrial.State.DONE:
        mark_tried(version=tried.version, digest=tried.digest, by=tried.owner)
        _drop_old_trials(tried.version)
    else:
        tried.villages.all().delete()
    return tried


def _drop_old_trials(version: IndexVersion) -> None:
    """The last KEPT_TRIALS trials of a version stay."""
    over = version.trials.exclude(state=IndexTrial.State.RUNNING).order_by("-pk").values_list("pk", flat=True)
    IndexTrial.objects.filter(pk__in=list(over[KEPT_TRIALS:])).delete()


def cancel_trial(*, tried: IndexTrial, by: User) -> IndexTrial:
    """Stop a trial; what was tried so far is not shown."""
    if tried.state != IndexTrial.State.RUNNING:
        raise Refusal("trial_over", _("这次试算已经结束，无法取消"))
    if tried.job and tried.job.is_open:
        cancel_job(job=tried.job, by=by)
        if finish_parent(tried.job.pk).is_open:
            return tried  # a township is being tried; the trial closes behind it
    return close_trial(tried=tried, state=IndexTrial.State.CANCELLED)
