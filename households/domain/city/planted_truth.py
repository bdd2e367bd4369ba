"""What is true of a village once everything is planted, named from the whole of it.

Some kinds are true of a household whoever planted it: a cadre's relative put on the list for a hidden car is favored
kin all the same, and who was on the list through two good years clings whether it was planted or grew. Named one by
one where they are planted, they would say of such a household that a lead on it is wrong.
"""

import numpy as np

from households.domain.city.facts import YearFacts
from households.domain.city.planter import LINE, Planter

# A clerk or a village brings cards under the line when so many of theirs do not say what was earned; fewer are chance.
BUNCH = 6
LARGE = 0.25  # bills of such a share of the income are large (the higher threshold of SDG indicator 3.8.2)
_MISSED = np.array(["因病休学", "因贫辍学", "厌学辍学"], dtype=object)


def name_truth(at: Planter) -> None:
    """Kinds `kin`, `village_rate`, `bunching`, and those by the card: `left_out`, `sudden_hardship`, `clinging`,
    `exit_due`."""
    for household in sorted(at.favored):
        if household in at.tied:
            at.planted.say(household, "kin")
        if at.is_favoring:
            at.planted.say(household, "village_rate")
    _bunching(at)
    _by_the_card(at)


def _bunching(at: Planter) -> None:
    """Declared less than earned, so that the income comes out within a tenth below the line, by a clerk or in a village
    that does it."""
    share = at.last.sheets["per_capita_income"] / (100 * LINE[at.last.year])
    clerk = at.last.sheets["entered_by"]
    brought = [one for one in sorted(at.cut) if 0.9 <= share[one] < 1]
    for household in brought:
        of_clerk = sum(clerk[one] == clerk[household] for one in brought)
        if clerk[household] in at.bunching_clerks or of_clerk >= BUNCH or len(brought) >= BUNCH:
            at.planted.say(household, "bunching")


def _by_the_card(at: Planter) -> None:
    homes, this, before = at.block.households, at.last, at.before
    status, line = homes["status"], 100 * LINE[this.year]
    helped_since = homes["status_since"].astype("datetime64[D]")
    long_on = helped_since <= np.datetime64(f"{before.year}-09-30")
    safe, good, good_before = _safe(at, this), _good(at, this), _good(at, before)
    per_capita = this.sheets["per_capita_income"]
    afterwards, afterwards_before = _after_bills(this), _after_bills(before)
    for household in range(at.n):
        poor = per_capita[household] < line or (per_capita[household] < 1.5 * line and not safe[household])
        if status[household] == "unregistered" and poor:
            at.planted.say(household, "left_out")
        if status[household] == "registered" and good[household]:
            clings = good_before[household] and long_on[household]
            at.planted.say(household, "clinging" if clings else "exit_due")
        if status[household] in ("unregistered", "exited") and per_capita[household] >= 1.5 * line:
            large = this.sheets["medical_cost"][household] >= LARGE * this.sheets["net_income"][household]
            fell = large and afterwards[household] < 1.5 * line
            if fell and afterwards_before[household] >= 150 * LINE[before.year]:
                at.planted.say(household, "sudden_hardship")


def _after_bills(year: YearFacts) -> np.ndarray:
    """Income a head that is left when what the household paid for illness is taken off; fen."""
    counted = np.maximum(year.sheets["members_counted"], 1)
    return (year.sheets["net_income"] - year.sheets["medical_cost"]) / counted


def _good(at: Planter, year: YearFacts) -> np.ndarray:
    """A good year: half as much again as the line also after bills, and nothing lacking."""
    enough = 150 * LINE[year.year]
    return _safe(at, year) & (year.sheets["per_capita_income"] >= enough) & (_after_bills(year) >= enough)


def _safe(at: Planter, year: YearFacts) -> np.ndarray:
    """A safe house, safe water, everybody insured and every child at school."""
    members, sheets, alive = year.members, year.sheets, year.alive
    missing = ~(members["residents_insurance"] | members["employees_insurance"]) | np.isin(
        members["out_of_school_reason"], _MISSED
    )
    missed = np.bincount(at.block.members["household"], missing & alive, minlength=at.n) > 0
    return ~sheets["unsafe_house"] & sheets["water_safe"] & ~sheets["water_difficult"] & ~missed
