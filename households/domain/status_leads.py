"""What a household's outcome says against its status: the table of identification as leads. Pure; see docs/leads.md.

A lead says that somebody must look, never what is decided.
"""

from dataclasses import dataclass

LEFT_OUT, MARGINAL, RETURNED, UNSTABLE, EXIT_DUE, CLINGING, GUARANTEE_GAP = KINDS = (
    "left_out",
    "marginal",
    "returned",
    "unstable",
    "exit_due",
    "clinging",
    "guarantee_gap",
)
# Rules. Three of them are of the kind `returned`: only the first counts as a return to poverty.
FACTS_CHANGED, LINE_CHANGED, POOR_BEFORE = "returned", "returned-line", "returned-before"
NOT_COUNTED = frozenset({LINE_CHANGED, POOR_BEFORE})

_IN = frozenset({"registered", "returned"})
# Monitored kinds of households that were registered once and left.
_ONCE_REGISTERED = frozenset({"unstable"})
# How sure a rule is of a household far from the line; one that stands just beside it gets NEAR of that.
_SURE = {
    LEFT_OUT: 0.95,
    MARGINAL: 0.8,
    FACTS_CHANGED: 0.9,
    LINE_CHANGED: 0.3,
    POOR_BEFORE: 0.7,
    UNSTABLE: 0.8,
    EXIT_DUE: 0.7,
    CLINGING: 0.9,
    GUARANTEE_GAP: 0.9,
}
NEAR = 0.6
FAR = 0.5  # so far from the line, as a share of it, is far
OWNS = 0.5  # an exclusion rule hits: the household is heard first


@dataclass(frozen=True, slots=True)
class YearBefore:
    """The household's result of the year before. `poor_by_this_line`: its facts of that year, judged by this year's
    lines, are absolutely poor too. `burdened`: bills took that year's income below the monitoring line."""

    outcome: str
    poor_by_this_line: bool
    burdened: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A household in one year. `helped_through`: it was on the list at the end of this year and of the one before
    (false for who came on it in between). `burdened`: what it paid for illness takes this year's income below the
    monitoring line. `distance`: net income minus the line that decides, as a share of that line (the monitoring line
    for who is not below the line); None where no line decides."""

    status: str
    outcome: str
    below_monitoring: bool = False
    guarantee_gap: bool = False
    excluded: bool = False
    monitored_kind: str = ""
    helped_through: bool = True
    burdened: bool = False
    before: YearBefore | None = None
    distance: float | None = None


@dataclass(frozen=True, slots=True)
class StatusLead:
    """`score` 0 to 1: how sure the rule is of this household."""

    kind: str
    rule: str
    score: float


def lead_of(household: Standing) -> StatusLead | None:
    """The one lead of the table, or none: `undetermined` goes back to the village, `relative` only by its score is
    helped by dimension without registration, and who stands in a procedure (`proposed`) is looked into there."""
    found = _found(household)
    if found is None:
        return None
    kind, rule = found
    return StatusLead(kind, rule, _score(rule, household))


def _found(household: Standing) -> tuple[str, str] | None:
    status, outcome = household.status, household.outcome
    if status == "closed" or outcome == "undetermined":
        return None
    if outcome == "absolute":
        if status == "unregistered":
            return LEFT_OUT, LEFT_OUT
        if status == "monitored":
            return (RETURNED, _return_rule(household)) if _was_in(household) else (LEFT_OUT, LEFT_OUT)
        return (RETURNED, _return_rule(household)) if status == "exited" else None
    if outcome == "relative" and household.below_monitoring:
        return {"unregistered": (MARGINAL, MARGINAL), "exited": (UNSTABLE, UNSTABLE)}.get(status)
    if household.guarantee_gap:  # no exit is due while a guarantee is missing
        return GUARANTEE_GAP, GUARANTEE_GAP
    if outcome == "not_poor" and status in _IN and not household.burdened:
        before = household.before
        two_good = before is not None and before.outcome == "not_poor" and not before.burdened
        return (CLINGING, CLINGING) if two_good and household.helped_through else (EXIT_DUE, EXIT_DUE)
    return None


def _was_in(household: Standing) -> bool:
    return household.monitored_kind in _ONCE_REGISTERED


def _return_rule(household: Standing) -> str:
    """A return counts only where a fact of the household changed: by this year's lines it was not poor the year
    before. Without a result of that year nothing is known against it, and the visit decides."""
    before = household.before
    if before is None or not before.poor_by_this_line:
        return FACTS_CHANGED
    return POOR_BEFORE if before.outcome == "absolute" else LINE_CHANGED


def _score(rule: str, household: Standing) -> float:
    score = _SURE[rule]
    if household.distance is not None and rule != GUARANTEE_GAP:
        score *= NEAR + (1 - NEAR) * min(1.0, abs(household.distance) / FAR)
    if household.excluded and rule in (LEFT_OUT, MARGINAL, FACTS_CHANGED, UNSTABLE):
        score *= OWNS
    return round(score, 3)
