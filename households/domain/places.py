"""Which village a card names: by its 12-digit code, or by the names of county, township and village."""

from collections.abc import Iterable

from households.domain.card import HouseholdFacts


class Places:
    """The open villages. Built from (code, name, township name, county name)."""

    def __init__(self, villages: Iterable[tuple[int, str, str, str]]):
        self._codes: set[int] = set()
        self._by_name: dict[str, list[tuple[int, str, str]]] = {}
        for code, name, township, county in villages:
            self._codes.add(code)
            self._by_name.setdefault(name, []).append((code, township, county))

    @property
    def counties(self) -> set[int]:
        """The codes of the counties that have villages."""
        return {code - code % 1_000_000 for code in self._codes}

    def village(self, household: HouseholdFacts) -> int | None:
        """The village's code; None when the code is unknown and the names do not lead to exactly one village.

        A known code wins over the names. Names that are empty do not narrow the search.
        """
        if household.village_code in self._codes:
            return household.village_code
        found = [
            code
            for code, township, county in self._by_name.get(household.village_name or "", ())
            if household.township_name in {None, township} and household.county_name in {None, county}
        ]
        return found[0] if len(found) == 1 else None
