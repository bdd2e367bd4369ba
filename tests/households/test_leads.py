"""Leads: opened, brought up to date, closed, and not told twice after a decision."""

import pytest
from django.utils import timezone

from households.models import Finding
from households.services.leads import Hit, keep_leads
from tests.factories import make_household
from tests.personas import FENGMING, RESHI

pytestmark = pytest.mark.django_db
CAR = {"kinds": ["vehicle"], "area": FENGMING, "year": 2019}


@pytest.fixture
def household():
    return make_household(FENGMING)


def car(household, plates=1, score=0.9):
    return Hit(household.pk, "vehicle", "private_car", score, {"cars": plates})


def test_a_hit_opens_a_lead_of_the_township_with_a_due_date(household):
    assert keep_leads([car(household)], **CAR).opened == 1
    lead = Finding.objects.of_leads().get()
    assert (lead.owner_id, lead.village_id, lead.blocks, lead.year) == (RESHI, FENGMING, True, 2019)
    assert lead.due_on > timezone.localdate()


def test_the_same_hits_again_change_nothing_and_better_ones_bring_the_lead_up_to_date(household):
    keep_leads([car(household)], **CAR)
    again = keep_leads([car(household)], **CAR)
    assert (again.opened, again.changed, again.closed) == (0, 0, 0)
    assert keep_leads([car(household, plates=2)], **CAR).changed == 1


def test_what_is_said_no_more_is_closed(household):
    keep_leads([car(household)], **CAR)
    assert keep_leads([], **CAR).closed == 1
    assert Finding.objects.get().decision == "corrected"


def test_a_decided_lead_comes_again_only_when_its_facts_change(household, people):
    keep_leads([car(household)], **CAR)
    Finding.objects.update(decision="dismissed", decided_at=timezone.now(), decided_by=people.reshi_officer)
    assert keep_leads([car(household, score=0.7)], **CAR).opened == 0
    assert keep_leads([car(household, plates=2)], **CAR).opened == 1


def test_hits_of_other_areas_and_kinds_are_kept_apart(household):
    other = {**CAR, "area": RESHI + 999000}
    assert keep_leads([car(household)], **other).opened == 0
    with pytest.raises(ValueError, match="kind"):
        keep_leads([car(household)], kinds=["kin"], area=FENGMING, year=2019)
