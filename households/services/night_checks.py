"""All checks over stored cards, township by township: notes open, and close as corrected where nothing fires any more.

A township is one job; inside it some hundred households are one transaction with their rows locked, so that a card
saved in that second is judged by the save or by the night, never by a mixture. Done twice, nothing changes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from changde.accounts.areas import between
from changde.accounts.models import User
from changde.audit.services import record
from changde.divisions.codes import Level, ancestor, code_range
from changde.jobs.models import Job
from changde.jobs.services import enqueue
from households.domain import checks
from households.domain.card_income import with_income
from households.domain.merge import NumberedCard
from households.models import Household, HouseholdStatus
from households.models.household import HouseholdQuerySet
from households.selectors.beside import beside_of
from households.selectors.rules import CheckRules, real_places
from households.services import findings as notes
from households.services.card_rows import load_latest_cards

AREA_JOB, TOWNSHIP_JOB = "check_stored_cards", "check_township"
CHUNK = 250
CITY = 430700000000

Progress = Callable[[int, int], None]


@dataclass
class Night:
    """What a pass over an area did."""

    households: int = 0
    opened: int = 0
    closed: int = 0


def start(*, area: int = CITY, by: User | None = None) -> Job:
    """Have all stored cards of an area checked in the background; one that runs already is answered with itself."""
    running = Job.objects.filter(kind=AREA_JOB, area=area, state__in=Job.OPEN).order_by("pk").first()
    return running or enqueue(AREA_JOB, by=by, area=area, parameters={"area": area})


def enqueue_townships(*, area: int, parent: Job) -> int:
    """One job per township that has cards; doing it twice adds none."""
    with transaction.atomic():
        asked = {job.parameters["township"] for job in parent.children.all()}
        counts = _households_by_township(area)
        for township, count in sorted(counts.items()):
            if township not in asked:
                enqueue(
                    TOWNSHIP_JOB, by=parent.owner, area=township, parameters={"township": township}, total=count,
                    parent=parent,
                )  # fmt: skip
    return len(counts)


def _households_by_township(area: int) -> dict[int, int]:
    counts: dict[int, int] = {}
    rows = _cards(area).order_by().values_list("village_id").annotate(Count("pk"))
    for village, count in rows:
        township = ancestor(village, Level.TOWNSHIP)
        counts[township] = counts.get(township, 0) + count
    return counts


def _cards(area: int) -> HouseholdQuerySet:
    return Household.objects.exclude(status=HouseholdStatus.CLOSED).filter(between("village_id", *code_range(area)))


def check_area(
    *, area: int, by: User | None = None, progress: Progress = lambda done, total: None, today: date | None = None
) -> Night:
    """Judge every open card of an area by its latest sheet, and bring its notes to that."""
    rules, night, today = CheckRules(real_places()), Night(), today or timezone.localdate()
    total = _cards(area).count()
    for households in _chunks(area):
        progress(night.households, total)
        with transaction.atomic():
            kept = _check_chunk(households, rules, today)
            if kept.opened or kept.closed:
                record(
                    "checks.night", by=by, area=area, households=len(households), opened=kept.opened, closed=kept.closed
                )
        night.households += len(households)
        night.opened += kept.opened
        night.closed += kept.closed
    progress(total, total)
    return night


def _chunks(area: int) -> Iterator[list[int]]:
    """Ids of the area's open cards in the order of village and id: the index, not the offset, finds the next ones."""
    villages = _cards(area).order_by("village_id").values_list("village_id", flat=True).distinct()
    ids: list[int] = []
    for village in list(villages):
        ids += _cards(area).filter(village_id=village).order_by("pk").values_list("pk", flat=True)
        while len(ids) >= CHUNK:
            yield ids[:CHUNK]
            ids = ids[CHUNK:]
    if ids:
        yield ids


def _check_chunk(households: list[int], rules: CheckRules, today: date) -> notes.Kept:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM households_household WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE", [households]
        )
    cards = load_latest_cards(households)
    beside = beside_of({pk: _persons(card) for pk, card in cards.items()}, today)
    judged = []
    for pk, card in cards.items():
        village, year = card.card.household.village_code or 0, card.card.sheet.year
        context = rules.context(village=village, year=year, beside=beside[pk])
        # Members come and go after a sheet was written: sums are those of today's members, as a save would write them.
        stands = with_income(card.card)
        judged.append(notes.Judged(pk, village, year, stands, _persons(card), checks.run(stands, context)))
    return notes.keep(judged, by=None)


def _persons(card: NumberedCard) -> list[int]:
    return [person for person in card.persons if person is not None]
