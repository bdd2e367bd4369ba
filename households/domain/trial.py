"""A draft index tried beside the one in force: who enters, who leaves, and the measures of both.

Everything is kept as whole-number sums by village, so that villages, townships and counties add up exactly to the
area: shares, intensities and gaps are worked out from the sums alone. Definitions and a worked example: docs/trial.md.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from households.domain.index import ABSOLUTE, NOT_POOR, OUTCOMES, RELATIVE, UNDETERMINED
from households.domain.index_system import IndexSystem, Indicator, NamedRule

REFERENCE, DRAFT = SIDES = ("reference", "draft")
# Poor by identification, and poor in any way (with relative poverty).
MEANINGS: dict[str, tuple[str, ...]] = {"absolute": (ABSOLUTE,), "poor": (ABSOLUTE, RELATIVE)}
DETERMINED = (ABSOLUTE, RELATIVE, NOT_POOR)

Sums = Mapping[str, int]
Add = Callable[[str, np.ndarray, np.ndarray], None]


# --------------------------------------------------------------------------------------------------------------- adding


def village_sums(
    cards: pd.DataFrame, reference: IndexSystem, draft: IndexSystem, before: pd.DataFrame, after: pd.DataFrame
) -> pd.DataFrame:
    """The sums of each village (index: village_id, ascending), whole numbers all.

    `cards` holds village_id and registered (bool: stands registered today); `before` and `after` are the verdicts of
    `index.judge` of the two systems on the same households. Persons are those who count; a household in which nobody
    is known to count weighs 0. Columns:

    households.B.A, persons.B.A: by outcome of the reference (B) and of the draft (A);
    registered_households.R.A, registered_persons.R.A: by registration (yes, no) and outcome of the draft;
    and for each SIDE: SIDE.scored, SIDE.poor (persons whose score is known; whose score reaches the cutoff),
    SIDE.censored.INDICATOR (persons poor and deprived in it), SIDE.income, SIDE.below (persons whose income is known;
    is below the line), SIDE.shortfall (line x members - net income of the households below the line, fen) and
    SIDE.squares (its square by the members, fen2, rounded down household by household).
    """
    villages, place = np.unique(cards["village_id"].to_numpy("int64"), return_inverse=True)
    people = after["members"].fillna(0).to_numpy("int64")
    ones = np.ones(len(cards), "int64")
    first, second = _codes(before), _codes(after)
    known = cards["registered"].to_numpy(bool)
    sums: dict[str, np.ndarray] = {}

    def add(name: str, values: np.ndarray, where: np.ndarray) -> None:
        total = np.zeros(len(villages), values.dtype)
        np.add.at(total, place[where], values[where])
        sums[name] = total

    for kind, weight in (("households", ones), ("persons", people)):
        for number, outcome in enumerate(OUTCOMES):
            ends = second == number
            for earlier, begun in enumerate(OUTCOMES):
                add(f"{kind}.{begun}.{outcome}", weight, ends & (first == earlier))
            add(f"registered_{kind}.yes.{outcome}", weight, ends & known)
            add(f"registered_{kind}.no.{outcome}", weight, ends & ~known)
    for side, system, verdicts in ((REFERENCE, reference, before), (DRAFT, draft, after)):
        _add_measures(add, side, system, verdicts, people)
    return pd.DataFrame(sums, index=pd.Index(villages, name="village_id"))


def _codes(verdicts: pd.DataFrame) -> np.ndarray:
    return verdicts["outcome"].cat.codes.to_numpy()


def _add_measures(add: Add, side: str, system: IndexSystem, verdicts: pd.DataFrame, people: np.ndarray) -> None:
    poor = verdicts["reaches_cutoff"].to_numpy(bool)
    deprived = verdicts["deprived"].to_numpy("int64")
    add(f"{side}.scored", people, verdicts["score"].notna().to_numpy())
    add(f"{side}.poor", people, poor)
    for bit, indicator in enumerate(system.indicators):
        add(f"{side}.censored.{indicator.id}", people, poor & ((deprived >> bit) & 1 == 1))
    below = verdicts["below_line"].to_numpy(bool)
    shortfall = -verdicts["to_line"].fillna(0).to_numpy("int64")
    # Whole numbers of any size: the square of a deep debt leaves 63 bits.
    squares = np.zeros(len(people), dtype=object)
    gaps, sizes = shortfall[below].tolist(), people[below].tolist()
    squares[below] = [gap * gap // max(size, 1) for gap, size in zip(gaps, sizes, strict=True)]
    add(f"{side}.income", people, verdicts["to_line"].notna().to_numpy())
    add(f"{side}.below", people, below)
    add(f"{side}.shortfall", shortfall, below)
    add(f"{side}.squares", squares, below)


def rows_of(sums: pd.DataFrame) -> dict[int, dict[str, int]]:
    """The sums by village as plain whole numbers; zeros are left out."""
    found: dict[int, dict[str, int]] = {int(village): {} for village in sums.index}
    for name in sums.columns:
        for village, value in zip(found, sums[name].tolist(), strict=True):
            if value:
                found[village][name] = int(value)
    return found


def add_up(parts: Iterable[Sums]) -> dict[str, int]:
    """The sums of an area from those of its parts."""
    whole: Counter[str] = Counter()
    for part in parts:
        whole.update(part)
    return dict(whole)


# -------------------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class Count:
    households: int
    persons: int


@dataclass(frozen=True, slots=True)
class Flow:
    """Who is poor in one meaning: by the draft and not by the reference (enters), the other way round (leaves), alike
    by both (unchanged), or undetermined by one of them (undecided). The four together are everybody."""

    enters: Count
    leaves: Count
    unchanged: Count
    undecided: Count


@dataclass(frozen=True, slots=True)
class Errors:
    """Targeting errors of the draft against a reference, over the households both decide.

    leakage: treated as poor by the draft though not poor by the reference, as a share of those treated;
    under-coverage: poor by the reference though not treated, as a share of the poor. None where there is nobody.
    Source: Cornia and Stewart (1993), Two errors of targeting, J. of International Development 5; Coady, Grosh and
    Hoddinott (2004), Targeting of transfers in developing countries, World Bank.
    """

    treated: Count
    poor: Count
    leaked: Count
    missed: Count

    @property
    def leakage(self) -> float | None:
        return _share(self.leaked.households, self.treated.households)

    @property
    def under_coverage(self) -> float | None:
        return _share(self.missed.households, self.poor.households)

    @property
    def leakage_of_persons(self) -> float | None:
        return _share(self.leaked.persons, self.treated.persons)

    @property
    def under_coverage_of_persons(self) -> float | None:
        return _share(self.missed.persons, self.poor.persons)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class Measures:
    """Alkire-Foster and FGT measures of one side (docs/identification.md); `censored` and `contributions` by indicator.

    Persons whose score or income is unknown are outside the one or the other: `scored` and `with_income` remain.
    """

    scored: int
    with_income: int
    H: float
    A: float
    M0: float
    censored: dict[str, float]
    contributions: dict[str, float]
    headcount: float
    gap: float
    severity: float


def count(sums: Sums, before: Iterable[str] = OUTCOMES, after: Iterable[str] = OUTCOMES) -> Count:
    """Households and persons with one of the outcomes `before` by the reference and one of `after` by the draft."""
    return _count(sums, "", before, after)


def _count(sums: Sums, kind: str, before: Iterable[str], after: Iterable[str]) -> Count:
    ends = list(after)
    pairs = [(first, second) for first in before for second in ends]
    return Count(
        sum(sums.get(f"{kind}households.{first}.{second}", 0) for first, second in pairs),
        sum(sums.get(f"{kind}persons.{first}.{second}", 0) for first, second in pairs),
    )


def changed(sums: Sums) -> Count:
    """Whose outcome by the draft is another than by the reference."""
    everybody, same = count(sums), [count(sums, [outcome], [outcome]) for outcome in OUTCOMES]
    return Count(
        everybody.households - sum(each.households for each in same),
        everybody.persons - sum(each.persons for each in same),
    )


def flow(sums: Sums, meaning: str) -> Flow:
    """Who enters, leaves, stays as they were; `meaning` is a key of MEANINGS."""
    inside = MEANINGS[meaning]
    outside = tuple(outcome for outcome in DETERMINED if outcome not in inside)
    stays, stays_out = count(sums, inside, inside), count(sums, outside, outside)
    everybody, decided = count(sums), count(sums, DETERMINED, DETERMINED)
    return Flow(
        enters=count(sums, outside, inside),
        leaves=count(sums, inside, outside),
        unchanged=Count(stays.households + stays_out.households, stays.persons + stays_out.persons),
        undecided=Count(everybody.households - decided.households, everybody.persons - decided.persons),
    )


def errors(sums: Sums, meaning: str) -> Errors:
    """Targeting errors against the version in force, in one meaning of poor."""
    inside = MEANINGS[meaning]
    outside = tuple(outcome for outcome in DETERMINED if outcome not in inside)
    return Errors(
        treated=count(sums, DETERMINED, inside),
        poor=count(sums, inside, DETERMINED),
        leaked=count(sums, outside, inside),
        missed=count(sums, inside, outside),
    )


def errors_of_registration(sums: Sums, meaning: str) -> Errors:
    """Targeting errors against the register: poor is who stands registered."""
    inside = MEANINGS[meaning]
    outside = tuple(outcome for outcome in DETERMINED if outcome not in inside)
    return Errors(
        treated=_count(sums, "registered_", ("yes", "no"), inside),
        poor=_count(sums, "registered_", ("yes",), DETERMINED),
        leaked=_count(sums, "registered_", ("no",), inside),
        missed=_count(sums, "registered_", ("yes",), outside),
    )


def measures(sums: Sums, side: str, system: IndexSystem) -> Measures:
    """H, A, M0, censored headcounts, contributions and FGT of one side from its sums."""
    scored, poor = sums.get(f"{side}.scored", 0), sums.get(f"{side}.poor", 0)
    weights = system.weights
    censored = {name: sums.get(f"{side}.censored.{name}", 0) / scored if scored else 0.0 for name in weights}
    parts = {name: weight * censored[name] for name, weight in weights.items()}
    adjusted = sum(parts.values())
    headcount = poor / scored if scored else 0.0
    people, line = sums.get(f"{side}.income", 0), system.income_line
    return Measures(
        scored=scored,
        with_income=people,
        H=headcount,
        A=adjusted / headcount if headcount else 0.0,
        M0=adjusted,
        censored=censored,
        contributions={name: part / adjusted if adjusted else 0.0 for name, part in parts.items()},
        headcount=sums.get(f"{side}.below", 0) / people if people else 0.0,
        gap=sums.get(f"{side}.shortfall", 0) / line / people if people else 0.0,
        severity=sums.get(f"{side}.squares", 0) / line**2 / people if people else 0.0,
    )


# ------------------------------------------------------------------------------------------------------- one household


@dataclass(frozen=True, slots=True)
class Difference:
    """What one system says of a household and the other does not.

    kind: indicator (deprived), veto (guarantee missing), line, monitoring_line (income below it), cutoff (score reaches
    it) or open (a rule cannot be decided). `id` names the indicator or veto; `by_draft` True: the draft says so.
    """

    kind: str
    id: str
    by_draft: bool


def differences(
    reference: IndexSystem, draft: IndexSystem, before: pd.Series, after: pd.Series
) -> tuple[Difference, ...]:
    """What differs between two verdicts on one household (rows of `index.judge`)."""
    found = _named(
        "indicator", _ids(reference.indicators, before["deprived"]), _ids(draft.indicators, after["deprived"])
    )
    found += _named("veto", _ids(reference.vetoes, before["missing"]), _ids(draft.vetoes, after["missing"]))
    for kind, field in (
        ("line", "below_line"),
        ("monitoring_line", "below_monitoring_line"),
        ("cutoff", "reaches_cutoff"),
    ):
        if bool(before[field]) != bool(after[field]):
            found.append(Difference(kind, "", by_draft=bool(after[field])))
    if (before["outcome"] == UNDETERMINED) != (after["outcome"] == UNDETERMINED):
        found.append(Difference("open", "", by_draft=bool(after["outcome"] == UNDETERMINED)))
    return tuple(found)


def _ids(parts: Sequence[Indicator | NamedRule], bits: int) -> set[str]:
    return {part.id for bit, part in enumerate(parts) if int(bits) >> bit & 1}


def _named(kind: str, before: set[str], after: set[str]) -> list[Difference]:
    gone = [Difference(kind, name, by_draft=False) for name in sorted(before - after)]
    return gone + [Difference(kind, name, by_draft=True) for name in sorted(after - before)]
