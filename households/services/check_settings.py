"""Setting a check in a county or, by the city, for all: figures and, of yellow checks, the switch."""

from collections.abc import Mapping
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.divisions.models import Division
from households.domain.checks import RED, YELLOW, descriptions
from households.domain.checks.figures import Figure, combined, contradict, figures_of, outside
from households.models import CheckSetting

CITY = 430700000000


@transaction.atomic
def set_check(
    *,
    check_id: str,
    division: Division | None,
    is_on: bool,
    figures: Mapping[str, Decimal],
    reason: str,
    by: User,
    expected_version: int | None = None,
) -> CheckSetting:
    """Write the next version of a check's setting in a county (None: the city's default for all counties).

    `figures` are by name; one left out follows the city, and of the city the reference. A red check stays on, and its
    figures can only be tightened. `expected_version` is the version the writer saw (0: none yet).
    Raises Refusal naming the field: figure_unknown, figure_outside, figure_relaxed, figures_contradict, red_is_on,
    reason_missing, or setting_changed when somebody set it meanwhile.
    """
    if not covers(by, "manage_checks", division.code if division else CITY):
        raise PermissionDenied("manage_checks")
    description = descriptions()[check_id]
    if not is_on and description.severity != YELLOW:
        raise Refusal("red_is_on", _("红色检查和重号检查不能关闭"), field="is_on")
    reason = reason.strip()
    if not reason:
        raise Refusal("reason_missing", _("请写明依据，例如文件名和日期"), field="reason")
    city = {} if division is None else _figures(current(check_id, None))
    _check_figures(check_id, figures, city)
    last = current(check_id, division)
    version = last.version if last else 0
    if expected_version is not None and expected_version != version:
        raise _changed()
    try:
        with transaction.atomic():
            row = CheckSetting.objects.create(
                division=division,
                check_id=check_id,
                severity=description.severity,
                is_on=is_on,
                figures={name: float(value) for name, value in figures.items()},
                reason=reason[:300],
                version=version + 1,
                set_by=by,
            )
    except IntegrityError as error:
        if "check_setting_version" not in str(error):
            raise
        raise _changed() from error
    record(
        "checks.set",
        by=by,
        target=row,
        area=division.code if division else CITY,
        check=check_id,
        version=row.version,
        is_on=is_on,
        figures={name: f"{value.normalize():f}" for name, value in figures.items()},
    )
    return row


def current(check_id: str, division: Division | None) -> CheckSetting | None:
    """The version in force of a division's own setting; None when it has set nothing."""
    return CheckSetting.objects.filter(check_id=check_id, division=division).order_by("-version").first()


def _changed() -> Refusal:
    return Refusal("setting_changed", _("这项检查刚刚被他人改过，请看过新的设置再改"))


def _figures(setting: CheckSetting | None) -> dict[str, Decimal]:
    return {name: Decimal(str(value)) for name, value in setting.figures.items()} if setting else {}


def _check_figures(check_id: str, figures: Mapping[str, Decimal], city: Mapping[str, Decimal]) -> None:
    known = {figure.name: figure for figure in figures_of(check_id)}
    if not set(figures) <= set(known):
        raise Refusal("figure_unknown", _("这项检查没有这个数值"))
    for name, value in figures.items():
        figure = known[name]
        if outside(figure, value):
            bounds = {"least": _plain(figure.least), "most": _plain(figure.most), "unit": _(figure.unit)}
            raise Refusal("figure_outside", _("应在 %(least)s 到 %(most)s %(unit)s之间") % bounds, field=name)
        if descriptions()[check_id].severity == RED:
            _refuse_relaxed(figure, value, city.get(name, figure.default))
    if contradict(check_id, combined(city, figures)):
        raise Refusal("figures_contradict", _("下限必须小于上限"), field=next(iter(figures), None))


def _refuse_relaxed(figure: Figure, value: Decimal, than: Decimal) -> None:
    if figure.relaxes(value, figure.tighter(than, figure.default)):
        facts = {"value": _plain(figure.tighter(than, figure.default)), "unit": _(figure.unit)}
        raise Refusal(
            "figure_relaxed", _("红色检查只能收紧，不能放宽：现为 %(value)s %(unit)s") % facts, field=figure.name
        )


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
