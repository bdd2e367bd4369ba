"""Index versions: drafted, proposed by one person, released by another, frozen from then on."""

import json
from collections.abc import Iterable
from pathlib import Path

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from changde.accounts.areas import between
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.divisions.codes import code_range
from changde.divisions.models import Division
from households.domain.index import IndexSystem, default_systems
from households.models import IndexVersion, Result

DEFAULTS = Path(__file__).parents[1] / "reference/index_default.json"


def version_for(*, county: int, year: int) -> IndexVersion:
    """The version in force for a county and a year: its own, else the city's default. Refuses when there is none."""
    return versions_for(counties=[county], year=year)[county]


def versions_for(*, counties: Iterable[int], year: int) -> dict[int, IndexVersion]:
    """The version in force for each county; refuses, naming the year, when one has none."""
    in_force = {version.division_id: version for version in IndexVersion.objects.in_force().filter(year=year)}
    chosen = {county: in_force.get(county) or in_force.get(None) for county in counties}
    if None in chosen.values():
        raise Refusal(
            "no_index_version",
            _("%(year)s年没有已发布的识别指标体系和收入标准,请先发布") % {"year": year},
        )
    return {county: version for county, version in chosen.items() if version}


@transaction.atomic
def draft_version(*, division: Division | None, system: IndexSystem, by: User | None) -> IndexVersion:
    """A new draft for a county (None: the city's default) and the system's year."""
    last = IndexVersion.objects.filter(division=division, year=system.year).order_by("-number").first()
    version = IndexVersion.objects.create(
        division=division,
        year=system.year,
        number=last.number + 1 if last else 1,
        definition=system.to_json(),
        columns=list(system.columns),
        digest=system.digest,
        created_by=by,
    )
    record("index.draft", by=by, target=version, area=version.division_id, year=version.year, digest=version.digest)
    return version


@transaction.atomic
def propose_version(*, version: IndexVersion, by: User) -> IndexVersion:
    """Put a draft forward for release; somebody else releases it."""
    version = _locked(version)
    _refuse_frozen(version)
    version.proposed_by = by
    version.save(update_fields=["proposed_by"])
    record("index.propose", by=by, target=version, area=version.division_id, digest=version.digest)
    return version


@transaction.atomic
def release_version(*, version: IndexVersion, by: User | None) -> IndexVersion:
    """Put a version in force and supersede the one before; results of its area become stale.

    Two different persons release; `by` None is the system itself (the shipped defaults).
    """
    version = _locked(version)
    _refuse_frozen(version)
    if by is not None and version.proposed_by_id is None:
        raise Refusal("not_proposed", _("请先由一人提请发布"))
    if by is not None and version.proposed_by_id == by.pk:
        raise Refusal("same_person", _("提请人与发布人不能是同一人"))
    in_force = IndexVersion.objects.in_force().filter(division=version.division_id, year=version.year)
    in_force.update(state=IndexVersion.State.SUPERSEDED, superseded_at=Now())
    IndexVersion.objects.filter(pk=version.pk).update(
        state=IndexVersion.State.RELEASED, released_by=by, released_at=Now()
    )
    version.refresh_from_db()
    _mark_stale(version)
    record("index.release", by=by, target=version, area=version.division_id, year=version.year, digest=version.digest)
    return version


@transaction.atomic
def mark_tried(*, version: IndexVersion, digest: str, by: User | None) -> bool:
    """Say that a draft was tried as it stands: one that changed meanwhile (another digest) stays a draft."""
    draft = IndexVersion.objects.filter(pk=version.pk, digest=digest, state=IndexVersion.State.DRAFT)
    if not draft.update(state=IndexVersion.State.TRIED):
        return False
    record("index.tried", by=by, target=version, area=version.division_id, digest=digest)
    return True


def _mark_stale(version: IndexVersion) -> int:
    """Say that another version rules the results of this version's area and year."""
    rows = Result.objects.filter(year=version.year, stale=False).exclude(version=version)
    if version.division_id:
        rows = rows.filter(between("village_id", *code_range(version.division_id)))
    else:
        own = IndexVersion.objects.in_force().filter(year=version.year, division__isnull=False)
        for county in own.values_list("division_id", flat=True):
            rows = rows.exclude(between("village_id", *code_range(county)))
    return rows.update(stale=True)


def _locked(version: IndexVersion) -> IndexVersion:
    return IndexVersion.objects.select_for_update().get(pk=version.pk)


def _refuse_frozen(version: IndexVersion) -> None:
    if version.state in IndexVersion.FROZEN:
        raise Refusal("frozen", _("已发布的版本不能再改动"))


@transaction.atomic
def load_default_versions() -> int:
    """Release the shipped default of every year that has none of the city yet; returns how many. Idempotent."""
    released = set(IndexVersion.objects.filter(division=None).values_list("year", flat=True))
    systems = default_systems(json.loads(DEFAULTS.read_text(encoding="utf-8")))
    missing = [system for year, system in sorted(systems.items()) if year not in released]
    for system in missing:
        release_version(version=draft_version(division=None, system=system, by=None), by=None)
    return len(missing)
