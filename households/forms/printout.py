"""Asking for a village's cards on paper; how many members the blank card has room for."""

from django import forms
from django.utils.translation import gettext_lazy as _

from households.domain.years import FIRST_YEAR, LAST_YEAR
from households.models import Printout
from households.paper import MOST_MEMBERS


class PrintoutForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("范围"), choices=Printout.Kind.choices, widget=forms.RadioSelect, initial=Printout.Kind.REGISTERED
    )
    year = forms.IntegerField(label=_("年度"), min_value=FIRST_YEAR, max_value=LAST_YEAR)
    reason = forms.CharField(
        label=_("用途"),
        max_length=200,
        help_text=_("例如“入户核对、户主签字”。用途会印在每页页脚并记入日志；不要写证件号码。"),
    )


class BlankForm(forms.Form):
    members = forms.IntegerField(label=_("成员数"), min_value=1, max_value=MOST_MEMBERS, initial=4)
