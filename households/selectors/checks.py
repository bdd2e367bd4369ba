"""The checks as an office reads them: what each looks for, its figures and switch here, its examples."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from changde.accounts.models import User
from changde.divisions.codes import Level, ancestor
from changde.divisions.models import Division
from households.domain.checks import Description, descriptions
from households.domain.checks.examples import WRONG, Example, examples
from households.domain.checks.figures import Figure, combined, figures_of
from households.models import CheckSetting


@dataclass(frozen=True)
class CheckLine:
    """One check in one county (or the city): figures as (figure, value in force, set here or None)."""

    description: Description
    figures: tuple[tuple[Figure, Decimal, Decimal | None], ...]
    is_on: bool
    own: CheckSetting | None
    above: Mapping[str, Decimal]
    right: tuple[Example, ...]
    wrong: tuple[Example, ...]

    @property
    def id(self) -> str:
        return self.description.id


def setting_place(user: User, within: Division | None) -> Division | None:
    """Where the person sets checks: the county worked in, None for the whole city."""
    if within is None or within.level == Level.CITY:
        return None
    code = ancestor(within.code, Level.COUNTY)
    return Division.objects.get(code=code)


def check_lines(county: Division | None) -> list[CheckLine]:
    """All checks in the order of the list, as they stand in the county, or in the city."""
    in_force = list(CheckSetting.objects.in_force().select_related("set_by"))
    city = {each.check_id: each for each in in_force if each.division_id is None}
    own = {each.check_id: each for each in in_force if county and each.division_id == county.pk} if county else city
    return [_line(description, city, own, county) for description in descriptions().values()]


def check_line(check_id: str, county: Division | None) -> CheckLine | None:
    return next((line for line in check_lines(county) if line.id == check_id), None)


def versions_of(check_id: str, county: Division | None) -> list[CheckSetting]:
    """Every version of the check here, the last first."""
    rows = CheckSetting.objects.filter(check_id=check_id, division=county).select_related("set_by")
    return list(rows.order_by("-version"))


def _line(
    description: Description,
    city: Mapping[str, CheckSetting],
    own: Mapping[str, CheckSetting],
    county: Division | None,
) -> CheckLine:
    of_city, here = city.get(description.id), own.get(description.id)
    city_figures = figures_in(of_city)
    own_figures = figures_in(here)
    above = combined(city_figures if county else {}, {})
    in_force = combined(city_figures if county else {}, own_figures)
    set_by = here or of_city
    of = [each for each in examples() if each.check_id == description.id]
    return CheckLine(
        description=description,
        figures=tuple(
            (figure, getattr(in_force, figure.name), own_figures.get(figure.name))
            for figure in figures_of(description.id)
        ),
        is_on=set_by.is_on if set_by else True,
        own=here,
        above={figure.name: getattr(above, figure.name) for figure in figures_of(description.id)},
        right=tuple(each for each in of if each.verdict != WRONG),
        wrong=tuple(each for each in of if each.verdict == WRONG),
    )


def figures_in(setting: CheckSetting | None) -> dict[str, Decimal]:
    return {name: Decimal(str(value)) for name, value in setting.figures.items()} if setting else {}
