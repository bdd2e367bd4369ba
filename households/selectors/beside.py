"""What other rows say about households: one query for a card or for hundreds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from changde.bulk.copy import run_sql
from households.domain.checks import Beside

_SQL = Path(__file__).parents[1] / "sql/beside_cards.sql"


def beside_of(persons: Mapping[int, Sequence[int]], today: date | None = None) -> dict[int, Beside]:
    """By household id; `persons` are the ids of each household's members in the order of its card.

    `today` is given where age of a card is looked at (at night); a save has just touched it.
    """
    rows = run_sql(_SQL, {"ids": list(persons)})
    return {row["id"]: _beside(row, persons[row["id"]], today) for row in rows}


def of_a_save(beside: Beside) -> Beside:
    """What a save may be asked about: the course of monitoring and the claims on numbers are not the typist's."""
    return replace(beside, identified=None, risk_removed=None, touched=None, numbers_elsewhere=())


def _beside(row: Mapping[str, Any], persons: Sequence[int], today: date | None) -> Beside:
    places = {person: index for index, person in enumerate(persons)}
    return Beside(
        last_per_capita=row["last_per_capita"],
        phone_elsewhere=row["phone_elsewhere"],
        left=tuple(row["left_without_event"]),
        numbers_elsewhere=tuple(places[person] for person in row["numbers_elsewhere"] if person in places),
        identified=row["identified"],
        risk_removed=row["risk_removed"],
        touched=row["touched"],
        today=today,
    )
