"""Figures and switches of the checks: a county tightens, never relaxes a red one; form, import and night obey them."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, InternalError, transaction

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.divisions.models import Division
from households.domain.checks.figures import FIGURES, combined
from households.models import CheckSetting, Finding
from households.selectors.rules import CheckRules
from households.services.cards import save_card
from households.services.check_settings import set_check
from tests.conftest import login
from tests.households.cards import a_card
from tests.personas import FENGMING, TAOYUAN, WULING_VILLAGE

CHECKS = "/checks/"


def county():
    return Division.objects.get(code=TAOYUAN)


def put(people, check_id, *, by="taoyuan_office", on=True, city=False, **figures):
    return set_check(
        check_id=check_id,
        division=None if city else county(),
        is_on=on,
        figures={name: Decimal(str(value)) for name, value in figures.items()},
        reason="县发〔2019〕12 号",
        by=getattr(people, by),
    )


def limits(village=FENGMING):
    return CheckRules().context(village=village, year=2019).limits


def refused(people, *arguments, **options):
    with pytest.raises(Refusal) as refusal:
        put(people, *arguments, **options)
    return refusal.value.code


def test_a_county_tightens_a_figure_for_itself_alone(people):
    put(people, "house-area", house_least=20)
    assert (limits().house_least, limits(WULING_VILLAGE).house_least) == (20, 8)


def test_what_a_county_has_not_set_follows_the_city(people):
    put(people, "road-distance", by="city_office", city=True, road_km=3)
    assert (limits().road_km, limits(WULING_VILLAGE).road_km) == (3, 3)
    put(people, "road-distance", road_km=4)
    assert (limits().road_km, limits(WULING_VILLAGE).road_km) == (4, 3)


@pytest.mark.parametrize(
    ("check_id", "name", "tight", "relaxed"),
    [("risk-months", "risk_months", 9, 5), ("income-sum", "sum_tolerance", 0, 0.02)],
)
def test_a_red_figure_is_tightened_and_never_relaxed(people, check_id, name, tight, relaxed):
    put(people, check_id, **{name: tight})
    assert getattr(limits(), name) == tight
    assert refused(people, check_id, **{name: relaxed}) in {"figure_relaxed", "figure_outside"}
    assert getattr(limits(), name) == tight


def test_a_county_cannot_go_below_what_the_city_has_tightened(people):
    put(people, "risk-months", by="city_office", city=True, risk_months=12)
    assert refused(people, "risk-months", risk_months=9) == "figure_relaxed"
    put(people, "risk-months", risk_months=18)
    assert (limits().risk_months, limits(WULING_VILLAGE).risk_months) == (18, 12)


def test_of_a_red_check_the_tightest_figure_holds_whoever_set_it_first():
    assert combined({"risk_months": Decimal(12)}, {"risk_months": Decimal(9)}).risk_months == 12
    assert combined({"road_km": Decimal(3)}, {"road_km": Decimal(4)}).road_km == 4


@pytest.mark.parametrize("figure", FIGURES.values(), ids=lambda figure: figure.name)
def test_every_figure_knows_which_way_it_relaxes(figure):
    step = Decimal("0.001") if figure.tightens == "lower" else Decimal("-0.001")
    assert figure.relaxes(figure.default + step, figure.default)
    assert not figure.relaxes(figure.default - step, figure.default)
    assert figure.tighter(figure.default + step, figure.default) == figure.default


def test_a_yellow_check_is_switched_off_and_a_red_one_or_a_wait_never(people):
    put(people, "power", on=False)
    assert CheckRules().context(village=FENGMING, year=2019).off == {"power"}
    assert [refused(people, check_id, on=False) for check_id in ("id-sex", "id-double")] == ["red_is_on", "red_is_on"]


@pytest.mark.parametrize(
    ("figures", "code"),
    [
        ({"house_least": 0.5}, "figure_outside"),
        ({"house_least": 55, "house_most": 3000}, "figure_outside"),
        ({"road_km": 5}, "figure_unknown"),
        ({"house_most": "NaN"}, "figure_outside"),
    ],
)
def test_figures_that_make_no_sense_are_refused(people, figures, code):
    assert refused(people, "house-area", **figures) == code
    assert CheckSetting.objects.count() == 0


def test_a_reason_is_asked_for(people):
    with pytest.raises(Refusal) as refusal:
        set_check(
            check_id="power", division=county(), is_on=False, figures={}, reason=" ", by=people.taoyuan_office
        )  # fmt: skip
    assert refusal.value.field == "reason"


@pytest.mark.parametrize("name", ["reshi_officer", "wuling_office", "inspector", "fengming_cadre"])
def test_nobody_else_sets_the_countys_checks(people, name):
    with pytest.raises(PermissionDenied):
        put(people, "power", by=name, on=False)


def test_a_county_does_not_set_the_citys_default(people):
    with pytest.raises(PermissionDenied):
        put(people, "power", on=False, city=True)


def test_every_change_is_a_version_of_its_own_with_its_event(people):
    put(people, "power", on=False)
    put(people, "power", on=True)
    assert list(CheckSetting.objects.order_by("version").values_list("version", "is_on")) == [(1, False), (2, True)]
    assert CheckRules().context(village=FENGMING, year=2019).off == frozenset()
    assert Event.objects.filter(verb="checks.set", area=TAOYUAN, actor=people.taoyuan_office).count() == 2


def test_two_who_set_one_check_do_not_overwrite_each_other(people):
    put(people, "power", on=False)
    with pytest.raises(Refusal) as refusal:
        set_check(
            check_id="power", division=county(), is_on=True, figures={}, reason="x", by=people.taoyuan_second,
            expected_version=0,
        )  # fmt: skip
    assert refusal.value.code == "setting_changed"


def test_a_version_cannot_be_changed_or_taken_away(people):
    row = put(people, "power", on=False)
    with pytest.raises((IntegrityError, InternalError), match="sealed"), transaction.atomic():
        CheckSetting.objects.filter(pk=row.pk).update(is_on=True)
    with pytest.raises((IntegrityError, InternalError), match="sealed"), transaction.atomic():
        row.delete()


@pytest.mark.parametrize(
    "values",
    [
        {"check_id": "id-sex", "severity": "red", "is_on": False},
        {"check_id": "risk-months", "severity": "red", "figures": {"risk_months": 5}},
        {"check_id": "income-sum", "severity": "red", "figures": {"sum_tolerance": 0.02}},
        {"check_id": "power", "severity": "yellow", "reason": ""},
    ],
)
def test_the_database_itself_refuses_to_relax_a_red_check(db, values):
    with pytest.raises(IntegrityError), transaction.atomic():
        CheckSetting.objects.create(**({"version": 1, "reason": "x"} | values))


def test_the_database_takes_what_is_tight(db):
    figures = {"check_id": "risk-months", "severity": "red", "version": 1, "reason": "x"}
    assert CheckSetting.objects.create(**figures, figures={"risk_months": 6}).pk


def test_a_saved_card_is_judged_by_the_countys_figures_and_switches(people):
    put(people, "house-area", house_least=20, house_most=80)
    put(people, "land-range", on=False)
    card = a_card(
        sheet={"business_income": Decimal("9000.50"), "house_area": Decimal(90), "cultivated_land": Decimal(101)}
    )
    saved = save_card(card=card, by=people.fengming_cadre)
    notes = Finding.objects.filter(household=saved)
    assert [note.code for note in notes] == ["house-area"]
    assert notes.get().facts["parameters"] == {"house_least": "20", "house_most": "80"}


def test_the_office_finds_all_checks_with_their_examples_and_sets_one(people, django_assert_max_num_queries):
    office = login(people.taoyuan_office)
    with django_assert_max_num_queries(12):
        page = office.get(CHECKS).content.decode()
    assert all(text in page for text in ("id-check-digit", "card-old", "member-twice", "差一天满一年", "桃源县的设置"))
    answer = office.post(
        f"{CHECKS}house-area/", {"is_on": "on", "house_least": "20", "reason": "县发〔2019〕12 号", "version": "0"}
    )
    assert answer.status_code == 302
    assert limits().house_least == 20
    assert "第 1 版" in office.get(f"{CHECKS}house-area/").content.decode()


def test_a_relaxed_red_figure_is_told_at_its_field(people):
    answer = login(people.taoyuan_office).post(
        f"{CHECKS}risk-months/", {"risk_months": "5", "reason": "x", "version": "0"}
    )
    assert answer.status_code == 422
    assert answer.context["form"].errors["risk_months"]
    assert CheckSetting.objects.count() == 0


def test_an_unknown_check_is_not_there(people):
    assert login(people.taoyuan_office).get(f"{CHECKS}no-such/").status_code == 404
