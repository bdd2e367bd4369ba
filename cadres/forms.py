"""Forms of the office and of the village: validate, convert, stop."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cadres.domain.fit import FitRules
from cadres.domain.needs import SKILLS, WEIGHT_UNITS
from cadres.domain.posts import PostRules
from cadres.models.posting import TERM_YEARS
from cadres.services.plans import PlanRules


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def _percent(label: Any, initial: Fraction, most: int = 100) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=Decimal(0),
        max_value=Decimal(most),
        decimal_places=1,
        initial=f"{float(initial * 100):g}",
    )


def _share(value: Decimal) -> Fraction:
    return Fraction(value) / 100


FIT, POSTS = FitRules(), PostRules()
WEIGHTS = ("skills", "years", "assessment", "dialect", "proximity", "wished", "change")


class PlanForm(forms.Form):
    """Term and rules of a plan; the defaults are the city's."""

    start = forms.DateField(label=gettext_lazy("派驻起"), widget=DayInput)
    years = forms.IntegerField(label=gettext_lazy("任期"), min_value=1, max_value=5, initial=TERM_YEARS)
    skills = _percent(gettext_lazy("技能对应村需求"), FIT.skills)
    assessment = _percent(gettext_lazy("上年考核"), FIT.assessment)
    dialect = _percent(gettext_lazy("会讲当地方言"), FIT.dialect)
    proximity = _percent(gettext_lazy("单位离村远近"), FIT.proximity)
    wished = _percent(gettext_lazy("本人意向县"), FIT.wished)
    rural_years = _percent(gettext_lazy("农村工作年限"), FIT.years)
    change = _percent(gettext_lazy("提前结束现任的成本"), FIT.change)
    one_member_from = forms.IntegerField(label=gettext_lazy("满多少户派 1 名队员"), min_value=1, initial=20)
    two_members_from = forms.IntegerField(label=gettext_lazy("满多少户派 2 名队员"), min_value=1, initial=80)
    professional_above = _percent(gettext_lazy("贫困发生率高于多少派专业书记"), POSTS.professional_above)
    priority_above = _percent(gettext_lazy("贫困发生率高于多少优先派第一书记"), POSTS.priority_above)
    probationary_may_lead = forms.BooleanField(label=gettext_lazy("中共预备党员可任第一书记"), required=False)

    WEIGHT_FIELDS = ("skills", "rural_years", "assessment", "dialect", "proximity", "wished", "change")
    POST_FIELDS = ("one_member_from", "two_members_from", "professional_above", "priority_above")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["start"].initial = timezone.localdate()

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        one, two = given.get("one_member_from"), given.get("two_members_from")
        if one and two and two <= one:
            self.add_error("two_members_from", _("应多于派 1 名队员的户数"))
        return given

    def plain(self) -> dict[str, Any]:
        """The values as JSON for the job's row; `plan_rules` reads them back."""
        return {name: str(value) if value is not None else None for name, value in self.cleaned_data.items()}

    @property
    def weight_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.WEIGHT_FIELDS]

    @property
    def post_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.POST_FIELDS]


def plan_rules(plain: dict[str, Any]) -> PlanRules:
    """The rules a PlanForm described (percentages become exact fractions)."""

    def share(name: str) -> Fraction:
        return _share(Decimal(plain[name]))

    return PlanRules(
        fit=FitRules(
            skills=share("skills"),
            years=share("rural_years"),
            assessment=share("assessment"),
            dialect=share("dialect"),
            proximity=share("proximity"),
            wished=share("wished"),
            change=share("change"),
            probationary_may_lead=plain["probationary_may_lead"] == "True",
        ),
        posts=PostRules(
            team_members={int(plain["one_member_from"]): 1, int(plain["two_members_from"]): 2},
            professional_above=share("professional_above"),
            priority_above=share("priority_above"),
        ),
        years=int(plain["years"]),
    )


class NeedForm(forms.Form):
    """Weights of the fourteen skills in percent, and why."""

    reason = forms.CharField(label=gettext_lazy("修正理由"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, weights: dict[str, int] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, skill in enumerate(SKILLS):
            self.fields[f"skill_{number}"] = forms.DecimalField(
                label=_(skill),
                min_value=Decimal(0),
                max_value=Decimal(100),
                decimal_places=2,
                required=False,
                initial=((weights or {}).get(skill, 0) / 100) or None,
            )

    @property
    def skill_fields(self) -> list[forms.BoundField]:
        return [self[f"skill_{number}"] for number in range(len(SKILLS))]

    @property
    def weights(self) -> dict[str, int]:
        """Ten-thousandths by skill."""
        given = {skill: self.cleaned_data.get(f"skill_{number}") for number, skill in enumerate(SKILLS)}
        return {skill: int(value * WEIGHT_UNITS / 100) for skill, value in given.items() if value}


class WorkbookForm(forms.Form):
    """A workbook of cadres."""

    file = forms.FileField(
        label=gettext_lazy("干部工作簿"), widget=forms.FileInput(attrs={"accept": ".xlsx"}), allow_empty_file=True
    )
