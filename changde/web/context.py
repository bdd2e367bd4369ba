"""What the frame around every page needs; nothing is asked of the database before a template reads it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from changde.accounts.areas import Area
from changde.divisions.codes import contains
from changde.divisions.models import Division
from changde.jobs.models import Job
from changde.web import navigation


@dataclass(frozen=True)
class Step:
    """One division on the way down; `own`: inside the person's posts."""

    division: Division
    own: bool
    current: bool


class Frame:
    """Rail, bar of the phone, way of divisions, running jobs; each computed when a template reads it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def _user(self) -> Any:
        user = getattr(self._request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @cached_property
    def links(self) -> list[navigation.Link]:
        """Every entry this user may open."""
        return navigation.links_for(self._user, self._request.path) if self._user else []

    @property
    def rail(self) -> list[navigation.Link]:
        """What stands in the rail; "more" takes a place of its own where the links do not fit."""
        fits = len(self.links) <= navigation.RAIL_LENGTH
        return self.links if fits else self.links[: navigation.RAIL_LENGTH - 1]

    @property
    def rail_more(self) -> list[navigation.Link]:
        return self.links[len(self.rail) :]

    @property
    def tabbar(self) -> list[navigation.Link]:
        return self.links[: navigation.TABBAR_LENGTH]

    @property
    def tabbar_more(self) -> list[navigation.Link]:
        return self.links[navigation.TABBAR_LENGTH :]

    @cached_property
    def area(self) -> Area:
        """The division one works in and the divisions of one's posts."""
        if not self._user:
            return Area(None, ())
        return self._request.area  # type: ignore[attr-defined]

    @cached_property
    def way(self) -> list["Step"]:
        """City, county, township, village down to where one works; the steps inside one's posts can be chosen."""
        division = self.area.division
        if division is None:
            return []
        return [Step(step, self._is_own(step.code), step.code == division.code) for step in division.path()]

    def _is_own(self, code: int) -> bool:
        return any(contains(own.code, code) for own in self.area.divisions)

    @cached_property
    def running_jobs(self) -> int:
        """Jobs of this user that are not finished."""
        if not self._user:
            return 0
        return Job.objects.filter(owner=self._user, parent=None, state__in=Job.OPEN).count()

    @cached_property
    def search(self) -> str:
        """Where the search box posts to (what is searched stays out of addresses); empty for who reads no cards."""
        if not self._user or not self._user.can("read_cards"):
            return ""
        try:
            return reverse("households:search")
        except NoReverseMatch:
            return ""

    @property
    def language(self) -> str:
        return get_language() or ""

    @property
    def texts(self) -> dict[str, str]:
        """Sentences that scripts speak (static/js/app.js)."""
        return {
            "offline": _("没有网络。内容还在本页，连上网络后再试。"),
            "failed": _("系统出错，没有保存。请稍后再试；如再出现，请告诉管理员时间和所在页面。"),
            "forbidden": _("您没有这项权限。如需办理，请联系上级单位的管理员。"),
            "missing": _("没有找到，可能已被移走，或不在您的辖区内。"),
            "busy": _("操作太频繁，请稍等一分钟再试。"),
            "undo": _("撤销"),
            "close": _("关闭"),
            "selected": _("已选 %(count)s 条"),
            "chartFailed": _("图表没有加载出来，请看下方表格。"),
            "noData": _("暂无数据"),
        }


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Context processor: `frame` in every template."""
    return {"frame": Frame(request)}
