"""match_cadres: what it prints, for programs and for people, and how it refuses."""

import io
import json
from datetime import date
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cadres.models import MatchPlan
from tests.cadres.factories import make_cadre
from tests.factories import make_household
from tests.personas import FENGMING, RESHI, TAOYUAN, WULING, People

pytestmark = pytest.mark.django_db


def match(**options: Any) -> str:
    out = io.StringIO()
    call_command("match_cadres", stdout=out, **({"division": TAOYUAN} | options))
    return out.getvalue()


@pytest.fixture
def cadre() -> Any:
    make_household(FENGMING, status="registered", main_cause="缺水", members=2)
    return make_cadre(skills={"水利": 3}, possible_roles=["第一书记"])


def test_the_json_holds_the_plan_with_parts_proof_and_reasons(cadre: Any) -> None:
    data = json.loads(match(json=True))
    assert (data["posts"], data["filled"], data["gap"]) == (2, 1, 0)
    assert data["bound"] == data["objective"] == data["assignments"][0]["score"]
    one = data["assignments"][0]
    assert (one["village"], one["role"], one["cadre"], one["next"]) == (FENGMING, "第一书记", cadre.staff_number, None)
    assert sum(one["parts"].values()) == pytest.approx(one["score"], abs=1e-9)
    empty = data["unfilled"][0]
    assert (empty["village"], empty["role"], empty["reason"]) == (FENGMING, "专业书记", "nobody_eligible")
    assert empty["barred"] == {"role": 1}


def test_it_says_the_same_in_words(cadre: Any) -> None:
    text = match()
    assert all(words in text for words in ("posts 2, filled 1", "gap 0.000000000", cadre.staff_number, "没有符合条件"))


def test_start_and_length_of_the_term_can_be_given(cadre: Any) -> None:
    data = json.loads(match(json=True, start=date(2026, 3, 1), years=1))
    assert data["term"] == {"start": "2026-03-01", "end": "2027-02-28"}


def test_somebody_acts_when_named_with_the_rights_of_that_person(cadre: Any, people: People) -> None:
    match(by="taoyuan_office")
    assert MatchPlan.objects.get().made_by == people.taoyuan_office
    with pytest.raises(CommandError, match="本辖区"):
        match(by="wuling_office")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"division": 430725103999}, "no division"),
        ({"division": WULING}, "户卡"),
        ({"years": 9}, "between 1 and 5"),
        ({"by": "nobody"}, "no user"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(cadre: Any, options: dict, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        match(**options)


def test_a_town_can_be_matched_alone(cadre: Any) -> None:
    assert json.loads(match(division=RESHI, json=True))["division"] == RESHI
