"""What the pages of trials read: which versions one may try where, a trial's figures, its villages, its examples."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
from django.db.models import F, Q, QuerySet, Sum

from changde.accounts.areas import between, covers, ranges_of
from changde.accounts.models import User
from changde.divisions.codes import Level, code_range
from changde.divisions.models import Division
from changde.web.keyset import KeysetPage
from households import frames
from households.domain import sensitivity, trial
from households.domain.index import OUTCOMES, derive, judge
from households.domain.index_system import IndexSystem
from households.models import Household, IndexTrial, IndexTrialTownship, IndexTrialVillage, IndexVersion
from households.models.yearly_standard import CITY

SEARCHED = 40  # characters of a village's name


def versions_to_try(user: User) -> QuerySet[IndexVersion]:
    """Versions of the user's counties; the city's default for the city, and for a county once it was released."""
    own = Q(division=None) & (Q() if covers(user, "manage_index", CITY) else Q(state__in=IndexVersion.FROZEN))
    for first, last in ranges_of(user, "manage_index"):
        own |= between("division_id", first, last)
    found = IndexVersion.objects.select_related("division")
    return found.filter(own) if ranges_of(user, "manage_index") else found.none()


def places_of(user: User, version: IndexVersion) -> list[Division]:
    """Where a version may be tried: a county's on the county, the city's default on the city or one of its counties."""
    if version.division_id:
        return list(Division.objects.filter(code=version.division_id))
    here = Q(pk__in=())
    for first, last in ranges_of(user, "manage_index"):
        here |= Q(code__range=(first, last))
    return list(Division.objects.current().filter(here, level__lte=Level.COUNTY).order_by("code"))


def years_of(version: IndexVersion) -> list[int]:
    """Years whose cards a version may be tried on: those with lines in force for it, and its own; latest first."""
    in_force = IndexVersion.objects.in_force().filter(Q(division=version.division_id) | Q(division=None))
    return sorted({version.year, *in_force.values_list("year", flat=True)}, reverse=True)


def trials_of(user: User) -> QuerySet[IndexTrial]:
    """Trials over the user's area of versions the user may try."""
    trials = IndexTrial.objects.visible_to(user).filter(version__in=versions_to_try(user))
    return trials.select_related("version__division", "reference__division", "division", "owner", "job")


def trial_list(user: User, version: IndexVersion, parameters: Mapping[str, Any]) -> KeysetPage:
    """The trials of a version, the latest first."""
    return KeysetPage(
        trials_of(user).filter(version=version).defer("sensitivity", "definition"), parameters, order=["-pk"]
    )


def done_of(tried: IndexTrial) -> int:
    """Households tried so far, from the ledger."""
    return tried.townships.filter(state=IndexTrialTownship.State.DONE).aggregate(done=Sum(F("expected")))["done"] or 0


def expected_of(tried: IndexTrial) -> int:
    return tried.townships.aggregate(all=Sum("expected"))["all"] or 0


def townships_of(tried: IndexTrial) -> list[Division]:
    """The townships that were tried, in the order of their codes."""
    return list(Division.objects.filter(pk__in=tried.townships.values("township")).order_by("code"))


def counties_left_out(tried: IndexTrial) -> list[str]:
    """Counties of a trial over the city that are not in it: they have a version of their own, or no cards."""
    if tried.division.level != Level.CITY:
        return []
    there = {code - code % 10**6 for code in tried.townships.values_list("township_id", flat=True)}
    counties = Division.objects.current().within(tried.division_id).filter(level=Level.COUNTY).order_by("code")
    return [county.name for county in counties if county.code not in there]


# ------------------------------------------------------------------------------------------------------ figures


@dataclass(frozen=True)
class Cell:
    """One cell of the transition matrix."""

    after: str
    count: trial.Count
    same: bool


@dataclass(frozen=True)
class Measure:
    """One measure of both sides."""

    key: str
    before: float
    after: float

    @property
    def change(self) -> float:
        return self.after - self.before

    @property
    def points(self) -> float:
        """The change in percentage points."""
        return self.change * 100


@dataclass(frozen=True)
class IndicatorMeasures:
    """Censored headcount and contribution of one indicator on both sides; None: that side does not have it."""

    id: str
    label: Any
    censored: tuple[float | None, float | None]
    contribution: tuple[float | None, float | None]


@dataclass(frozen=True)
class Swing:
    """What moving one figure by 5 % does; counts of `domain.sensitivity.changes`."""

    kind: str
    indicator: str
    label: Any
    value: tuple[float, float, float]  # moved down, as it is, moved up
    down: Mapping[str, int]
    up: Mapping[str, int]

    @property
    def most(self) -> int:
        return max(self.down["households"], self.up["households"])


class TrialFigures:
    """Everything the page of a complete trial shows, from its stored sums."""

    def __init__(self, tried: IndexTrial) -> None:
        self.sums: dict[str, int] = tried.totals
        self.reference: IndexSystem = tried.reference.system
        self.draft: IndexSystem = tried.system
        self._changes: dict[str, dict[str, int]] = tried.sensitivity

    @cached_property
    def everybody(self) -> trial.Count:
        return trial.count(self.sums)

    @cached_property
    def flows(self) -> dict[str, trial.Flow]:
        return {meaning: trial.flow(self.sums, meaning) for meaning in trial.MEANINGS}

    @cached_property
    def matrix(self) -> list[tuple[str, list[Cell], trial.Count]]:
        """Outcome by the version in force, a cell for each outcome by the draft, the row's sum."""
        return [
            (
                before,
                [Cell(after, trial.count(self.sums, [before], [after]), before == after) for after in OUTCOMES],
                trial.count(self.sums, [before]),
            )
            for before in OUTCOMES
        ]

    @cached_property
    def column_sums(self) -> list[trial.Count]:
        return [trial.count(self.sums, after=[after]) for after in OUTCOMES]

    @cached_property
    def errors(self) -> list[tuple[str, str, trial.Errors]]:
        """(reference: version or register, meaning of poor, errors)."""
        return [
            (against, meaning, of(self.sums, meaning))
            for against, of in (("version", trial.errors), ("register", trial.errors_of_registration))
            for meaning in trial.MEANINGS
        ]

    @cached_property
    def sides(self) -> tuple[trial.Measures, trial.Measures]:
        return (
            trial.measures(self.sums, trial.REFERENCE, self.reference),
            trial.measures(self.sums, trial.DRAFT, self.draft),
        )

    @cached_property
    def measures(self) -> list[Measure]:
        before, after = self.sides
        names = ("H", "A", "M0", "headcount", "gap", "severity")
        return [Measure(name, getattr(before, name), getattr(after, name)) for name in names]

    @cached_property
    def indicators(self) -> list[IndicatorMeasures]:
        """Those of the draft in its order, then those it no longer has."""
        before, after = self.sides
        labels = {one.id: one.label for one in (*self.draft.indicators, *self.reference.indicators)}
        return [
            IndicatorMeasures(
                name,
                label,
                (before.censored.get(name), after.censored.get(name)),
                (before.contributions.get(name), after.contributions.get(name)),
            )
            for name, label in labels.items()
        ]

    @cached_property
    def swings(self) -> list[Swing]:
        """Lines and cutoff first, then the weights, the one most hangs on first."""
        labels = {one.id: one.label for one in self.draft.indicators}
        moved = {each.key: each for each in sensitivity.variations(self.draft)}
        found = []
        for down in (each for each in moved.values() if not each.up):
            up = moved[down.key.removesuffix("down") + "up"]
            if down.key not in self._changes or up.key not in self._changes:
                continue
            found.append(
                Swing(
                    down.kind,
                    down.indicator,
                    labels.get(down.indicator),
                    (_moved(down.system, down), _moved(self.draft, down), _moved(up.system, down)),
                    self._changes[down.key],
                    self._changes[up.key],
                )
            )
        return sorted(found, key=lambda swing: -swing.most if swing.kind == "weight" else -(10**12))

    @cached_property
    def most_swing(self) -> int:
        return max((swing.most for swing in self.swings), default=0)


def _moved(system: IndexSystem, variation: sensitivity.Variation) -> float:
    """The figure of a system a variation moves: yuan of a line, else a share."""
    if variation.kind == "weight":
        return system.weights[variation.indicator]
    value = getattr(system, variation.kind)
    return float(value) if variation.kind == "cutoff" else value / 100


# ------------------------------------------------------------------------------------------------------ villages


def villages_of(tried: IndexTrial, parameters: Mapping[str, Any]) -> QuerySet[IndexTrialVillage]:
    """The villages of a trial, narrowed to a township (`within`) and to names that hold `village`."""
    rows = tried.villages.select_related("village__parent").defer("sums", "examples")
    within, named = str(parameters.get("within") or ""), str(parameters.get("village") or "").strip()[:SEARCHED]
    if len(within) == 12 and within.isascii() and within.isdecimal() and within[0] != "0":
        rows = rows.filter(between("village_id", *code_range(int(within))))
    if named:
        rows = rows.filter(Q(village__name__contains=named) | Q(village__initials__startswith=named.lower()))
    return rows


def village_page(tried: IndexTrial, parameters: Mapping[str, Any]) -> KeysetPage:
    """A page of villages, those where most changes first."""
    return KeysetPage(villages_of(tried, parameters), parameters, order=["-changed", "-pk"])


@dataclass(frozen=True)
class Example:
    """A household whose outcome changes: both verdicts and what differs. `still`: its card still says so today."""

    household: Household
    before: str
    after: str
    scores: tuple[float | None, float | None]
    net_income: int | None
    members: int | None
    differences: tuple[trial.Difference, ...]
    still: bool

    @property
    def per_capita(self) -> float | None:
        """Yuan a head, for reading only: the outcome compares whole households."""
        known = self.net_income is not None and self.members
        return round(self.net_income / self.members / 100, 2) if known else None  # type: ignore[operator]


@dataclass(frozen=True)
class Transition:
    """Households of a village that change from one outcome to another; a few of them as examples."""

    before: str
    after: str
    count: trial.Count
    examples: list[Example]


def transitions_of(user: User, row: IndexTrialVillage) -> list[Transition]:
    """What changes in a village, with examples the user may see, judged anew by both versions (three queries)."""
    kept: dict[str, list[int]] = row.examples
    shown = _examples(user, row.trial, kept)
    return [
        Transition(before, after, counted, shown.get(f"{before}.{after}", []))
        for before in OUTCOMES
        for after in OUTCOMES
        if before != after and (counted := trial.count(row.sums, [before], [after])).households
    ]


def _examples(user: User, tried: IndexTrial, kept: Mapping[str, Iterable[int]]) -> dict[str, list[Example]]:
    asked = {household: transition for transition, ids in kept.items() for household in ids}
    cards = Household.objects.visible_to(user, "read_cards").prefetch_related("village").in_bulk(list(asked))
    first, last = code_range(tried.division_id)
    frame = frames.features_of(year=tried.year, first=first, last=last, households=sorted(cards))
    if not len(frame):
        return {}
    derived = derive(frame)
    before, after = judge(tried.reference.system, derived), judge(tried.system, derived)
    found: dict[str, list[Example]] = {}
    for position, household in enumerate(frame["household_id"].tolist()):
        one, two = before.iloc[position], after.iloc[position]
        transition = asked[household]
        found.setdefault(transition, []).append(
            Example(
                cards[household],
                one["outcome"],
                two["outcome"],
                (_known(one["score"]), _known(two["score"])),
                _known(two["net_income"]),
                _known(two["members"]),
                trial.differences(tried.reference.system, tried.system, one, two),
                still=f"{one['outcome']}.{two['outcome']}" == transition,
            )
        )
    return found


def _known(value: Any) -> Any:
    return None if pd.isna(value) else value
