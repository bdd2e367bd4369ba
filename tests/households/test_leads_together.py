"""Several leads of one kind decided with one reason: each by the rules of one, told by row, taken back together."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from households.models import Finding
from households.services import lead_cases
from tests.conftest import login
from tests.factories import make_household
from tests.households.test_lead_cases import found, visited
from tests.personas import FENGMING, WULING_VILLAGE

TOGETHER = "/leads/together/"
NO = {"decision": "dismissed", "reason": "登记的是同名的另一个人", "no_visit_reason": "车管所已出具证明"}


def car(head, village=FENGMING):
    return found(make_household(village, head=head), "vehicle", "private_car", cars=1)


@pytest.fixture
def cars(people):
    return [car(f"欧阳{place}") for place in "甲乙丙"]


def typed_by(lead, person):
    Event.objects.create(
        kind="write", verb="households.save_card", actor=person,
        target_kind="households.household", target_id=str(lead.household_id),
    )  # fmt: skip


def code_of(call, **arguments):
    with pytest.raises(Refusal) as refusal:
        call(**arguments)
    return refusal.value.code


def posted(leads, **other):
    return {"lead": [lead.pk for lead in leads], **NO, **other}


def decisions():
    return Counter(Finding.objects.values_list("decision", flat=True))


# -- deciding ------------------------------


def test_one_decision_is_written_to_each_lead_with_an_event_and_a_history_of_its_own(cars, people):
    visited(cars[0], people.reshi_officer)
    done = lead_cases.decide_together(leads=cars, by=people.reshi_second, **NO)
    rows = Finding.objects.order_by("pk")
    assert (len(done.taken), done.refused) == (3, [])
    assert {(row.decision, row.reason, row.decided_by, row.decided_at) for row in rows} == {
        ("dismissed", NO["reason"], people.reshi_second, rows[0].decided_at)
    }
    assert [row.no_visit_reason for row in rows] == ["", NO["no_visit_reason"], NO["no_visit_reason"]]
    events = Event.objects.filter(verb="leads.decide")
    assert {event.target_id for event in events} == {str(lead.pk) for lead in cars}
    assert {event.facts["together"] for event in events} == {3}
    assert [row.events.count() for row in rows] == [2, 1, 1]


def test_what_the_person_may_not_decide_stays_and_is_told_by_row(cars, people):
    handed = lead_cases.hand_over(lead=cars[1], reason="涉及多个乡镇", by=people.reshi_officer)
    typed_by(cars[2], people.reshi_officer)
    done = lead_cases.decide_together(leads=cars, by=people.reshi_officer, **NO)
    assert [lead.pk for lead in done.taken] == [cars[0].pk]
    told = {lead.pk: why for lead, why in done.refused}
    assert ("桃源县" in told[handed.pk], "另一位同志" in told[cars[2].pk]) == (True, True)
    assert decisions() == {"dismissed": 1, "": 2}


@pytest.mark.parametrize(
    ("change", "code"),
    [({"reason": "号码430725194309046431查无此人"}, "sentence_wrong"), ({"no_visit_reason": " "}, "not_visited"),
     ({"decision": "corrected"}, "decision")],
)  # fmt: skip
def test_wrong_words_refuse_all_and_write_nothing(cars, people, change, code):
    assert code_of(lead_cases.decide_together, leads=cars, by=people.reshi_officer, **NO | change) == code
    assert decisions() == {"": 3}


def test_one_reason_does_not_serve_two_kinds_nor_no_lead_nor_too_many(cars, people, monkeypatch):
    flat = found(cars[0].household, "real_estate", "flat")
    assert code_of(lead_cases.decide_together, leads=[*cars, flat], by=people.reshi_officer, **NO) == "kinds"
    assert code_of(lead_cases.decide_together, leads=[], by=people.reshi_officer, **NO) == "none_chosen"
    monkeypatch.setattr(lead_cases, "MOST_TOGETHER", 2)
    assert code_of(lead_cases.decide_together, leads=cars, by=people.reshi_officer, **NO) == "too_many"
    assert decisions() == {"": 4}


def test_a_lead_of_another_place_among_them_lets_nothing_be_written(cars, people):
    with pytest.raises(PermissionDenied):
        lead_cases.decide_together(leads=[*cars, car("武陵户", WULING_VILLAGE)], by=people.reshi_officer, **NO)
    assert decisions() == {"": 4}


def test_a_fault_in_the_middle_leaves_nothing_half_written(cars, people, monkeypatch):
    written = []
    whole = lead_cases.record

    def breaks_at_the_third(*arguments, **facts):
        written.append(whole(*arguments, **facts))
        assert len(written) < 3

    monkeypatch.setattr(lead_cases, "record", breaks_at_the_third)
    with pytest.raises(AssertionError):
        lead_cases.decide_together(leads=cars, by=people.reshi_officer, **NO)
    assert len(written) == 3
    assert decisions() == {"": 3}
    assert not Event.objects.filter(verb="leads.decide").exists()


# -- taking back ------------------------------


def test_all_are_taken_back_together_and_no_other_decision_is(cars, people):
    other = car("司马另案")
    lead_cases.decide(lead=other, by=people.reshi_officer, **NO)
    lead_cases.decide_together(leads=cars, by=people.reshi_officer, **NO)
    cars[0].refresh_from_db()
    assert code_of(lead_cases.undo_together, lead=cars[0], by=people.reshi_second) == "not_yours"
    undone = lead_cases.undo_together(lead=cars[0], by=people.reshi_officer)
    assert (len(undone.taken), undone.refused) == (3, [])
    assert decisions() == {"dismissed": 1, "": 3}
    assert Event.objects.filter(verb="leads.undo", facts__together=3).count() == 3


def test_a_lead_touched_since_stays_as_it_is_and_is_told(cars, people):
    lead_cases.decide_together(leads=cars, by=people.reshi_officer, **NO)
    for lead in cars:
        lead.refresh_from_db()
    lead_cases.undo(lead=cars[0], by=people.reshi_officer)
    lead_cases.decide(lead=cars[0], by=people.reshi_second, **NO | {"decision": "confirmed"})
    found(cars[1].household, "vehicle", "private_car", cars=2)  # has come anew
    undone = lead_cases.undo_together(lead=cars[2], by=people.reshi_officer)
    assert [lead.pk for lead in undone.taken] == [cars[2].pk]
    assert [(lead.pk, "新情况" in why) for lead, why in undone.refused] == [(cars[1].pk, True)]
    assert decisions() == {"confirmed": 1, "dismissed": 1, "": 2}


def test_after_the_hour_nothing_is_taken_back(cars, people):
    lead_cases.decide_together(leads=cars, by=people.reshi_officer, **NO)
    Finding.objects.update(decided_at=timezone.now() - timedelta(hours=2))
    cars[0].refresh_from_db()
    assert code_of(lead_cases.undo_together, lead=cars[0], by=people.reshi_officer) == "too_late"


# -- the pages ------------------------------


def test_the_desk_offers_boxes_to_who_decides_and_to_nobody_else(cars, people):
    page = login(people.reshi_officer).get("/leads/").content.decode()
    assert page.count('name="lead" value=') == 3
    assert f"{TOGETHER}?lead=" in page  # the whole page, without script
    assert 'name="lead"' not in login(people.inspector).get("/leads/").content.decode()
    assert 'name="lead"' not in login(people.reshi_officer).get("/leads/?state=decided").content.decode()


def test_what_was_ticked_is_looked_over_decided_and_taken_back(cars, people):
    client = login(people.reshi_officer)
    page = client.get(TOGETHER, {"lead": [lead.pk for lead in cars], "kind": "vehicle"}).content.decode()
    assert [lead.household.head_name in page for lead in cars] == [True] * 3
    answer = client.post(f"{TOGETHER}?kind=vehicle", posted(cars), follow=True)
    assert answer.redirect_chain == [("/leads/?kind=vehicle", 302)]
    assert "3 条“名下有车辆”已一起办结：不属实" in answer.content.decode()
    answer = client.post(f"/leads/{cars[0].pk}/undo/", {"together": "1"}, follow=True)
    assert "3 条线索重新待办" in answer.content.decode()
    assert decisions() == {"": 3}


def test_a_page_tells_beforehand_what_cannot_be_decided_and_leaves_its_box_out(cars, people):
    typed_by(cars[2], people.reshi_officer)
    page = login(people.reshi_officer).get(TOGETHER, {"lead": [lead.pk for lead in cars]}).content.decode()
    assert page.count('name="lead" value=') == 2
    assert "须由另一位同志办理" in page


def test_an_answer_that_could_not_write_all_names_the_others(cars, people):
    typed_by(cars[2], people.reshi_officer)
    answer = login(people.reshi_officer).post(TOGETHER, posted(cars))
    page = answer.content.decode()
    assert (answer.status_code, "已办结 2 条；下面 1 条没有办结" in page) == (200, True)
    assert [lead.household.head_name in page for lead in cars] == [False, False, True]
    again = login(people.reshi_officer).post(TOGETHER, posted(cars))
    assert (again.status_code, decisions()) == (422, {"dismissed": 2, "": 1})


def test_several_kinds_are_offered_one_at_a_time(cars, people):
    flat = found(cars[0].household, "real_estate", "flat")
    leads = [*cars, flat]
    client = login(people.reshi_officer)
    page = client.get(TOGETHER, {"lead": [lead.pk for lead in leads]}).content.decode()
    assert (f'href="{TOGETHER}?lead={flat.pk}"' in page, 'value="dismissed"' in page) == (True, False)
    answer = client.post(TOGETHER, posted(leads))
    assert (answer.status_code, "一次只能办理同一类型" in answer.content.decode()) == (422, True)


def test_what_was_typed_and_ticked_stays_when_something_is_to_be_mended(cars, people):
    client = login(people.reshi_officer)
    shown = [lead.pk for lead in cars]
    answer = client.post(TOGETHER, {"shown": shown, **NO})
    page = answer.content.decode()
    assert (answer.status_code, "请先勾选" in page, NO["reason"] in page) == (422, True, True)
    assert " checked>" not in page
    answer = client.post(TOGETHER, {"shown": shown, "lead": shown[:1], **NO, "reason": ""})
    page = answer.content.decode()
    assert (answer.status_code, page.count(" checked>"), NO["no_visit_reason"] in page) == (422, 1, True)
    assert all(lead.household.head_name in page for lead in cars)
    assert decisions() == {"": 3}


@pytest.mark.parametrize("asked", [{}, {"lead": "x"}, {"lead": "9" * 30}, {"lead": "0"}])
def test_nothing_ticked_or_nothing_known_leads_back_to_the_desk(people, asked):
    for ask in (login(people.reshi_officer).get, login(people.reshi_officer).post):
        answer = ask(TOGETHER, asked, follow=True)
        assert (answer.redirect_chain, "请先勾选" in answer.content.decode()) == ([("/leads/", 302)], True)


def test_many_are_looked_over_with_as_many_queries_as_few(cars, people, django_assert_max_num_queries):
    client = login(people.reshi_officer)
    ids = [lead.pk for lead in [*cars, *(car(f"上官{place}") for place in range(9))]]
    client.get(TOGETHER, {"lead": ids[:1]})
    with django_assert_max_num_queries(14):
        assert client.get(TOGETHER, {"lead": ids}).content.decode().count('name="lead" value=') == 12
