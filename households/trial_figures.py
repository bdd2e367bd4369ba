"""The figures of a trial as a workbook: sums of areas alone, nothing of a person or a single household."""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from django.utils import timezone
from django.utils.translation import gettext as _

from changde.web.badges import badge_for
from households import trial_words as words
from households.domain import trial
from households.domain.index import OUTCOMES
from households.domain.workbook import Page, write
from households.models import IndexTrial
from households.selectors import index_trials as selectors


def write_workbook(target: BinaryIO, tried: IndexTrial, *, by: str) -> int:
    """Write the workbook of a complete trial; returns how many villages it lists."""
    figures = selectors.TrialFigures(tried)
    about = _about(tried, figures, by)
    mark = " · ".join(str(value) for _name, value in about[:3])
    villages = list(_villages(tried))
    change = _("变化")
    sides = [_("现行版"), _("试算版")]
    pages = [
        Page(_("说明"), [_("项目"), _("内容")], about, mark=mark, widths=(16, 100)),
        Page(_("变动"), _matrix_headers(), _matrix(figures), mark=mark, widths=(18,)),
        Page(_("指标"), [_("项目"), *sides, change], _measures(figures), mark=mark, widths=(36,)),
        Page(_("错位"), _error_headers(), _errors(figures), mark=mark, widths=(26, 22)),
        Page(_("敏感性"), _swing_headers(), _swings(figures), mark=mark, widths=(28,)),
        Page(_("分村"), _village_headers(), villages, mark=mark, widths=(16, 18, 20)),
    ]
    write(target, pages)
    return len(villages)


def _about(tried: IndexTrial, figures: selectors.TrialFigures, by: str) -> list[tuple[str, Any]]:
    conditions = words.conditions(tried, selectors.counties_left_out(tried))
    return [
        (_("试算版本"), words.version_name(tried.version)),
        (_("区划和年度"), f"{tried.division.name} {tried.year}"),
        (_("导出人"), f"{by} {timezone.localtime():%Y-%m-%d %H:%M}"),
        (_("对照版本"), words.version_name(tried.reference)),
        (_("版本校验码"), tried.digest),
        (_("试算时间"), f"{timezone.localtime(tried.finished_at):%Y-%m-%d %H:%M}"),
        *((_("结果"), sentence) for sentence in words.summary(tried, figures)),
        *((_("注意"), sentence) for sentence in conditions),
    ]


def _outcome(value: str) -> str:
    return str(badge_for("outcome", value).label)


def _matrix_headers() -> list[str]:
    return [
        _("现行版的结果"),
        *(_("试算版：%(outcome)s（户）") % {"outcome": _outcome(each)} for each in OUTCOMES),
        *(_("试算版：%(outcome)s（人）") % {"outcome": _outcome(each)} for each in OUTCOMES),
    ]


def _matrix(figures: selectors.TrialFigures) -> list[list[Any]]:
    return [
        [_outcome(before), *(cell.count.households for cell in cells), *(cell.count.persons for cell in cells)]
        for before, cells, _all in figures.matrix
    ]


def _measures(figures: selectors.TrialFigures) -> Iterator[Sequence[Any]]:
    for one in figures.measures:
        yield str(words.MEASURES[one.key]), one.before, one.after, one.change
    for indicator in figures.indicators:
        name = words.label_of(indicator.label)
        for text, (before, after) in (
            (_("贫困且缺失的人口：%(indicator)s"), indicator.censored),
            (_("对 M0 的贡献：%(indicator)s"), indicator.contribution),
        ):
            change = None if before is None or after is None else after - before
            yield text % {"indicator": name}, before, after, change


def _error_headers() -> list[str]:
    return [
        *(_("对照"), _("贫困指"), _("试算版为贫困（户）"), _("其中对照不为贫困（户）"), _("漏出率")),
        *(_("对照为贫困（户）"), _("其中试算版不为贫困（户）"), _("覆盖不足率")),
    ]


def _errors(figures: selectors.TrialFigures) -> Iterator[Sequence[Any]]:
    for against, meaning, found in figures.errors:
        yield (
            str(words.AGAINST[against]),
            str(words.MEANINGS[meaning]),
            *(found.treated.households, found.leaked.households, found.leakage),
            *(found.poor.households, found.missed.households, found.under_coverage),
        )


def _swing_headers() -> list[str]:
    counts = (_("变动户数"), _("变动人数"), _("绝对贫困新进"), _("绝对贫困退出"), _("合计新进"), _("合计退出"))
    return [
        *(_("数值"), _("下调后"), _("现值"), _("上调后")),
        *(_("下调：%(what)s") % {"what": each} for each in counts),
        *(_("上调：%(what)s") % {"what": each} for each in counts),
    ]


_COUNTS = ("households", "persons", "absolute_in", "absolute_out", "poor_in", "poor_out")


def _swings(figures: selectors.TrialFigures) -> Iterator[Sequence[Any]]:
    for swing in figures.swings:
        yield (
            words.swing_name(swing),
            *swing.value,
            *(swing.down[name] for name in _COUNTS),
            *(swing.up[name] for name in _COUNTS),
        )


def _village_headers() -> list[str]:
    return [
        *(_("行政区划代码"), _("乡镇"), _("村"), _("户数"), _("人口"), _("变动户数")),
        *(_("绝对贫困新进"), _("绝对贫困退出"), _("合计新进"), _("合计退出")),
        *(_("现行版 H"), _("试算版 H"), _("现行版 M0"), _("试算版 M0")),
    ]


def _villages(tried: IndexTrial) -> Iterator[Sequence[Any]]:
    systems = ((trial.REFERENCE, tried.reference.system), (trial.DRAFT, tried.system))
    rows = tried.villages.select_related("village__parent").order_by("village_id").defer("examples")
    for row in rows.iterator(chunk_size=500):
        township = row.village.parent or row.village
        before, after = (trial.measures(row.sums, side, system) for side, system in systems)
        yield (
            *(str(row.village_id), township.name, row.village.name, row.households, row.persons, row.changed),
            *(row.absolute_in, row.absolute_out, row.poor_in, row.poor_out),
            *(before.H, after.H, before.M0, after.M0),
        )
