"""The village card: one form, one version, one village's own."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.divisions.models import Division
from households.domain.fields import of_entity
from households.forms.village_card import GROUPS
from households.models import VillageCard
from households.services.village_cards import FACTS, save_village_card
from tests.personas import FENGMING, OTHER_VILLAGE, RESHI, People

EDIT = f"/villages/{FENGMING}/card/edit/?year=2019"
FILLED = {
    "households": "412", "rural_persons": "1,380", "terrain": "丘陵", "hardened_road": "是", "groups_without_road": "2",
    "safe_water_households": "400", "collective_income": "52000.50", "leading_industries": ["水稻", "油茶"],
    "disasters": ["洪涝"],
}  # fmt: skip


@pytest.fixture
def village(db: None) -> Division:
    return Division.objects.get(code=FENGMING)


@pytest.fixture
def cadre(people: People, as_user: Callable[..., Client]) -> Client:
    return as_user(people.fengming_cadre)


def test_every_field_of_the_village_card_stands_in_the_form() -> None:
    shown = [name for group in GROUPS for name in group.attributes]
    assert sorted(shown) == sorted(FACTS)
    assert set(FACTS) | {"village_code", "year"} == {field.attribute for field in of_entity("village_card")}


def test_a_village_card_is_filled_in_and_read(cadre: Client) -> None:
    assert cadre.post(EDIT, FILLED).status_code == 302
    card = VillageCard.objects.get()
    assert (card.rural_persons, card.collective_income, card.leading_industries, card.clinic) == (
        1380,
        Decimal("52000.50"),
        ["水稻", "油茶"],
        None,
    )
    page = cadre.get(f"/villages/{FENGMING}/card/").content.decode()
    assert "水稻、油茶" in page and "52,000.50 元" in page


def test_a_correction_raises_the_version_and_is_logged(cadre: Client) -> None:
    cadre.post(EDIT, FILLED)
    cadre.post(EDIT, FILLED | {"version": "1", "doctors": "2"})
    card = VillageCard.objects.get()
    assert (card.version, card.doctors) == (2, 2)
    assert Event.objects.filter(verb="households.save_village_card").last().facts["fields"] == ["doctors"]


def test_the_same_again_writes_nothing(cadre: Client) -> None:
    cadre.post(EDIT, FILLED)
    cadre.post(EDIT, FILLED | {"version": "1"})
    assert VillageCard.objects.get().version == 1


@pytest.mark.parametrize("version", ["", "7"])
def test_a_stale_version_is_refused(cadre: Client, version: str) -> None:
    cadre.post(EDIT, FILLED)
    answer = cadre.post(EDIT, FILLED | {"version": version, "doctors": "2"})
    assert (answer.status_code, VillageCard.objects.get().doctors) == (422, None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"households": "-1"}, "households"),
        ({"cultivated_land": "-1"}, "cultivated_land"),
        ({"safe_water_households": "500"}, "safe_water_households"),
        ({"disasters": ["无", "洪涝"]}, "disasters"),
        ({"terrain": "月球"}, "terrain"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(cadre: Client, change: dict, field: str) -> None:
    answer = cadre.post(EDIT, FILLED | change)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])


def test_another_villages_card_is_404(cadre: Client) -> None:
    assert cadre.get(f"/villages/{OTHER_VILLAGE}/card/").status_code == 404
    assert cadre.post(f"/villages/{OTHER_VILLAGE}/card/edit/", FILLED).status_code == 404


def test_a_reader_reads_and_does_not_edit(people: People, as_user: Callable[..., Client]) -> None:
    office = as_user(people.taoyuan_office)
    assert office.get(f"/villages/{FENGMING}/card/").status_code == 200
    assert office.get(f"/villages/{FENGMING}/card/edit/").status_code == 403


def test_a_town_has_no_village_card(people: People) -> None:
    with pytest.raises(Refusal):
        save_village_card(
            village=Division.objects.get(code=RESHI), year=2019, facts={}, expected_version=None,
            by=people.reshi_officer,
        )  # fmt: skip
