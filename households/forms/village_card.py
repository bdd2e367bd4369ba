"""The form of a village card, every field of the registry."""

from django import forms
from django.utils.translation import gettext_lazy as _

from households.card_sections import Group
from households.forms.registry import RegistryForm

GROUPS = (
    Group(_("人口与劳动力"), "village_card", ("households", "rural_persons", "resident_labour", "away_labour")),
    Group(_("地理与土地"), "village_card", ("terrain", "county_seat_distance", "cultivated_land", "disasters")),
    Group(
        _("道路、饮水与通信"),
        "village_card",
        ("hardened_road", "groups_without_road", "safe_water_households", "broadband"),
    ),
    Group(_("卫生与教育"), "village_card", ("clinic", "doctors", "school")),
    Group(_("产业与集体经济"), "village_card", ("leading_industries", "cooperatives", "collective_income")),
    Group(_("贫困村"), "village_card", ("poor_village", "hat_removal_year")),
)


class VillageCardForm(RegistryForm):
    groups = GROUPS
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
