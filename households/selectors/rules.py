"""What a card is judged by: built here alone, for form, workbook, API and night."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property

from changde.divisions.codes import Level, ancestor
from changde.divisions.models import Division
from households.domain.checks import Beside, Context, Limits
from households.domain.checks.figures import combined
from households.domain.places import Places
from households.domain.read_ahead import Ruling
from households.models import CheckSetting
from households.selectors.lines import income_lines, lines_of_all_counties


def real_places() -> Places:
    """The villages of today, with the names of their townships and counties."""
    names = dict(Division.objects.current().values_list("code", "name"))
    villages = list(Division.objects.current().villages().values_list("code", flat=True))
    return Places(
        (
            code,
            names[code],
            names.get(ancestor(code, Level.TOWNSHIP), ""),
            names.get(ancestor(code, Level.COUNTY), ""),
        )
        for code in villages
    )


class CheckRules:
    """Lines, figures and switches of the counties, each read once; keep one for as long as a job or a request lasts.

    A single save needs no `places`: the service has looked the village up already.
    """

    def __init__(self, places: Places | None = None):
        self.places = places
        self._rulings: dict[int | None, Ruling] = {}

    def context(self, *, village: int | None, year: int | None, beside: Beside | None = None) -> Context:
        ruling = self.ruling(ancestor(village, Level.COUNTY) if village else None)
        return Context(
            line=ruling.lines.get(year or 0),
            places=self.places,
            limits=ruling.limits,
            off=ruling.off,
            beside=beside or Beside(),
        )

    def rulings(self, counties: Iterable[int | None]) -> dict[int | None, Ruling]:
        """What each of the counties judges by, in two queries."""
        lines = lines_of_all_counties()
        for county in counties:
            if county not in self._rulings:
                self._rulings[county] = Ruling(lines[county], *self._of(county))
        return self._rulings

    def ruling(self, county: int | None) -> Ruling:
        """What a county judges by; None: a card of no known village."""
        if county not in self._rulings:
            self._rulings[county] = Ruling(income_lines(county), *self._of(county))
        return self._rulings[county]

    @cached_property
    def _settings(self) -> list[CheckSetting]:
        return list(CheckSetting.objects.in_force())

    def _of(self, county: int | None) -> tuple[Limits, frozenset[str]]:
        """Figures and switches of a county; what it has not set itself is the city's."""
        city = {each.check_id: each for each in self._settings if each.division_id is None}
        own = {each.check_id: each for each in self._settings if each.division_id == county and county is not None}
        in_force = city | own
        off = frozenset(check_id for check_id, each in in_force.items() if not each.is_on)
        return combined(_figures(city), _figures(own)), off


def _figures(settings: Mapping[str, CheckSetting]) -> dict[str, Decimal]:
    return {name: Decimal(str(value)) for each in settings.values() for name, value in each.figures.items()}
