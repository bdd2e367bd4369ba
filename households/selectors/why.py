"""What stands behind one result: the members its counts are made of, and its place among the village's results."""

from dataclasses import dataclass

import pandas as pd
from django.db.models import BigIntegerField, Count, F, Q
from django.db.models.functions import Cast
from django.utils.translation import gettext

from changde.accounts.models import User
from changde.crypto.masking import mask_name
from households.domain.features import FEATURES, who_belongs
from households.index_words import feature_text
from households.models import Household, MemberSheet, Result
from households.reasons import Counted

# In a smaller village a count of others would point at them.
FEWEST_COMPARED = 10
_ANSWERS = ("counts", "soldier", "residents_insurance", "employees_insurance")
_WORDS = ("education", "school_status", "labour")


def counted_members(user: User, household: Household, result: Result) -> dict[str, list[Counted]] | None:
    """By feature, who is counted by it and who might be; None when the card changed since the result read it."""
    if result.stale or result.card_version != household.version:
        return None
    rows = MemberSheet.objects.visible_to(user).filter(sheet__household=household, sheet__year=result.year)
    members = list(rows.select_related("person"))
    if not members:
        return {}
    frame = pd.DataFrame(
        {
            "birth_date": pd.to_datetime(pd.Series([row.person.birth_date for row in members], dtype="object")),
            "health": pd.Series(["、".join(row.health) or None for row in members], dtype="string"),
            **{name: pd.Series([getattr(row, name) or None for row in members], dtype="string") for name in _WORDS},
            **{name: pd.Series([getattr(row, name) for row in members], dtype="boolean") for name in _ANSWERS},
        }
    )
    found: dict[str, list[Counted]] = {}
    for name, belonging in who_belongs(frame, result.year).items():
        for positions, sure in ((belonging.surely, True), (belonging.perhaps, False)):
            if positions:
                people = [(members[one].person.name, gettext(members[one].relation)) for one in positions]
                said = Counted(
                    feature_text(FEATURES[name]),
                    [f"{called}（{relation}）" for called, relation in people],
                    [f"{mask_name(called)}（{relation}）" for called, relation in people],
                    sure,
                )
                found.setdefault(name, []).append(said)
    return found


@dataclass(frozen=True)
class Place:
    """A household among the judged results of its village, itself included. Counts only, nobody else is shown.

    `poorer`: households with less net income a head; `more_deprived`: with a higher score.
    """

    compared: int
    poorer: int
    more_deprived: int


def place_in_village(result: Result) -> Place | None:
    """Where the result stands in its village; None where it has no figures or fewer than FEWEST_COMPARED can be
    compared.

    Not narrowed to what the reader may open: counts of a village name nobody. All current results of a village are of
    the run its township shows (index: run, village), so that one village is read and no more.
    """
    if result.net_income is None or not result.members or result.score is None:
        return None
    judged = Result.objects.filter(run=result.run_id, village=result.village_id, year=result.year)
    judged = judged.filter(net_income__isnull=False, members__gt=0, score__isnull=False)
    # Income a head, a/b < c/d, compared without dividing; in 64 bits, members being a small integer.
    theirs, mine = F("net_income") * result.members, Cast("members", BigIntegerField()) * result.net_income
    counts = (
        judged.exclude(household__status="closed")
        .annotate(theirs=theirs, mine=mine)
        .aggregate(
            compared=Count("pk"),
            poorer=Count("pk", filter=Q(theirs__lt=F("mine"))),
            more_deprived=Count("pk", filter=Q(score__gt=result.score)),
        )
    )
    place = Place(**counts)
    return place if place.compared >= FEWEST_COMPARED else None
