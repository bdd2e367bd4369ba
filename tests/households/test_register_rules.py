"""The rules of the comparison, by the examples of the table a clerk can extend, and what no rule may do."""

import csv
from datetime import date
from importlib.resources import files

import pytest

from households.domain.register_rules import CardFacts, Found, Match, Member, judge, kinds_of, pairs, rules
from households.domain.registers import REGISTERS
from households.models import Finding
from households.register_messages import REGISTER_RULES, REGISTER_SENTENCES, sentence

AS_OF = date(2019, 10, 31)
_OF_MEMBER = {
    "birth_date", "counts", "school_status", "health", "public_post", "member_dibao", "residents_insurance"
}  # fmt: skip
_YES_NO = {"yes": True, "no": False}


def examples() -> list[dict[str, str]]:
    with (files("households") / "reference/register_examples.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def typed(name: str, text: str):
    if name == "birth_date":
        return date.fromisoformat(text)
    if name == "health":
        return (text,)
    return _YES_NO[text] if text in _YES_NO else float(text) if text.replace(".", "").isdigit() else text


def match(person: int = 1, version: int = 7, source: str = "车管所", facts=None, **of_member) -> Match:
    facts = dict(facts or {})
    as_of = date.fromisoformat(facts.pop("as_of", AS_OF.isoformat()))
    return Match(Member(person, **of_member), facts, version, source, as_of)


def judged(register: str, entry: str, card: str) -> list[Found]:
    told = {name: typed(name, text) for name, text in pairs(card)}
    of_member = {name.removeprefix("member_"): told.pop(name) for name in set(told) & _OF_MEMBER}
    facts = {name: text if name.endswith(("_on", "as_of")) else typed(name, text) for name, text in pairs(entry)}
    household = CardFacts(**{"status": "registered", "year": 2019, **told})
    return judge(register, household, [match(facts=facts, **of_member)])


@pytest.mark.parametrize("row", examples(), ids=lambda row: f"{row['rule']}: {row['entry']} / {row['card']}")
def test_each_example_hits_or_not_as_written(row):
    found = {each.rule: each.score for each in judged(rules()[row["rule"]].register, row["entry"], row["card"])}
    assert found.get(row["rule"]) == (float(row["score"]) if row["hit"] == "yes" else None)


def test_every_rule_has_a_right_and_a_wrong_example_a_sentence_and_a_kind_of_lead():
    told = {(row["rule"], row["hit"]) for row in examples()}
    assert told == {(rule, hit) for rule in rules() for hit in ("yes", "no")}
    assert set(REGISTER_SENTENCES) == set(REGISTER_RULES) == set(rules())
    assert {kind for register in REGISTERS for kind in kinds_of(register)} <= set(Finding.LEADS)


def test_absence_from_a_register_is_no_hit():
    assert [judge(register, CardFacts("registered", 2019), []) for register in REGISTERS] == [[]] * len(REGISTERS)


def test_two_cars_are_one_hit_with_their_number_and_a_second_source_counts_for_itself():
    car = {"vehicle_type": "小型轿车", "price": 60000}
    dear = {"vehicle_type": "小型轿车", "price": 160000}
    found = judge("vehicle", CardFacts("registered", 2019), [match(facts=car), match(facts=dear)])
    assert [(each.rule, each.score, each.figures["count"]) for each in found] == [("private_car", 0.9, 2)]
    twice = [match(facts=car), match(facts=car, version=8, source="市车管所")]
    assert judge("vehicle", CardFacts("registered", 2019), twice)[0].figures["count"] == 1


def test_bills_of_all_members_together_are_set_beside_the_cost_of_the_card():
    bills = [match(person=1, facts={"own_cost": 3000}), match(person=2, facts={"own_cost": 3500})]
    found = judge("medical", CardFacts("registered", 2019, medical_cost=1000), bills)
    assert [(each.rule, each.person, each.figures["own_cost"]) for each in found] == [
        ("medical_understated", None, 6500)
    ]


def test_pension_and_medical_insurance_on_one_wage_count_once():
    both = [
        match(facts={"scheme": scheme, "wage_base": 4000, "state": "正常缴费"})
        for scheme in ("职工基本养老保险", "职工基本医疗保险")
    ]
    assert judge("insurance", CardFacts("registered", 2019, wage_income=0), both)[0].figures["yearly"] == 48000


def test_a_sentence_names_source_date_fact_and_card():
    (found,) = judged("vehicle", "vehicle_type=小型轿车;price=100763", "owns_car=no")
    assert sentence(found.rule, found.parameters(CardFacts("registered", 2019))) == (
        "车管所 2019-10-31 的登记：名下有 1 辆小型轿车，购置价 10.1 万元；户卡没有填生活用汽车。"
    )


@pytest.mark.parametrize("rule", REGISTER_SENTENCES)
def test_a_sentence_stands_even_when_figures_are_missing(rule):
    assert "%" not in sentence(rule, {"source": "某局", "as_of": "2019-10-31"})
