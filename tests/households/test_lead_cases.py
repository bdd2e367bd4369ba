"""Leads worked by an office: who may, in which order, what it says of the household, and who never sees it."""

from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from households.domain.priority import wilson
from households.models import Finding
from households.selectors import leads as selectors
from households.services import lead_cases
from households.services.leads import Hit, keep_household_leads
from households.views.leads import XLSX
from tests.conftest import confirmed, login
from tests.factories import make_household
from tests.personas import CITY, FENGMING, RESHI, TAOYUAN, WULING_VILLAGE

DESK = "/leads/"
SAID = {"year": 2019, "net_income": 100_000, "members": 2, "line": 321_800, "monitoring_line": 482_700}


def found(household, kind="left_out", rule="left_out", score=0.9, **parameters):
    hit = Hit(household.pk, kind, rule, score, SAID | parameters)
    keep_household_leads([hit], kinds=[kind], households=[household.pk], year=2019)
    return Finding.objects.open().get(household=household, kind=kind)


@pytest.fixture
def household(people):
    return make_household(FENGMING, head="欧阳线索")


@pytest.fixture
def lead(household):
    return found(household)


def visited(lead, by, on=None):
    return lead_cases.note_visit(lead=lead, on=on or timezone.localdate(), note="房屋漏雨，老人独居", by=by)


def code_of(call, **arguments):
    with pytest.raises(Refusal) as refusal:
        call(**arguments)
    return refusal.value.code


YES = {"decision": "confirmed", "reason": "入户核实，收入属实"}


# -- lifecycle ------------------------------


def test_a_visit_then_a_decision_ends_a_lead_and_leaves_the_status_alone(lead, household, people):
    visited(lead, people.reshi_officer)
    lead = lead_cases.decide(lead=lead, by=people.reshi_second, **YES)
    household.refresh_from_db()
    assert (lead.decision, lead.decided_by, household.status) == ("confirmed", people.reshi_second, "unregistered")
    assert list(Event.objects.filter(verb__startswith="leads.").order_by("pk").values_list("verb", flat=True)) == [
        "leads.keep", "leads.visit", "leads.decide",
    ]  # fmt: skip


def test_without_a_visit_a_decision_wants_a_word_why_none_is_needed(lead, people):
    assert code_of(lead_cases.decide, lead=lead, by=people.reshi_officer, **YES) == "not_visited"
    decided = lead_cases.decide(lead=lead, by=people.reshi_officer, no_visit_reason="民政局已出具证明", **YES)
    assert (decided.decision, decided.visited_on) == ("confirmed", None)


@pytest.mark.parametrize("days", [-1, 400])
def test_a_visit_is_neither_to_come_nor_long_past(lead, people, days):
    day = timezone.localdate() - timedelta(days=days)
    assert code_of(visited, lead=lead, by=people.reshi_officer, on=day).startswith("visit_")


def test_words_hold_no_personal_number(lead, people):
    visited(lead, people.reshi_officer)
    reason = {"decision": "dismissed", "reason": "号码430725194309046431查无此人"}
    assert code_of(lead_cases.decide, lead=lead, by=people.reshi_officer, **reason) == "sentence_wrong"


def test_who_wrote_the_card_notes_a_visit_and_does_not_decide(lead, household, people):
    Event.objects.create(
        kind="write", verb="households.save_card", actor=people.reshi_officer,
        target_kind="households.household", target_id=str(household.pk),
    )  # fmt: skip
    visited(lead, people.reshi_officer)
    assert code_of(lead_cases.decide, lead=lead, by=people.reshi_officer, **YES) == "own_record"
    assert lead_cases.choices(people.reshi_officer, lead).own
    assert lead_cases.decide(lead=lead, by=people.reshi_second, **YES).decision == "confirmed"


def test_a_lead_goes_to_the_county_and_back_with_a_reason_and_only_its_office_decides(lead, people):
    lead = lead_cases.hand_over(lead=lead, reason="涉及多个乡镇", by=people.reshi_officer)
    assert (lead.owner_id, lead.handed_by) == (TAOYUAN, people.reshi_officer)
    visited(lead, people.reshi_officer)
    assert code_of(lead_cases.decide, lead=lead, by=people.reshi_officer, **YES) == "elsewhere"
    assert code_of(lead_cases.hand_over, lead=lead, reason="退回来吧", by=people.reshi_officer) == "elsewhere"
    back = lead_cases.hand_over(lead=lead, reason="请乡镇入户", by=people.taoyuan_office)
    assert back.owner_id == RESHI
    assert lead_cases.decide(lead=back, by=people.taoyuan_office, **YES).decision == "confirmed"


def test_what_is_about_people_of_an_office_is_the_countys_alone(household, people):
    lead = found(household, "kin", "same_account")
    assert lead.owner_id == TAOYUAN
    with pytest.raises(PermissionDenied):
        visited(lead, people.reshi_officer)
    assert code_of(lead_cases.hand_over, lead=lead, reason="转给乡镇", by=people.taoyuan_office) == "stays"
    visited(lead, people.taoyuan_office)
    assert lead_cases.decide(lead=lead, by=people.taoyuan_second, **YES).decision == "confirmed"


@pytest.mark.parametrize("name", ["fengming_cadre", "fengming_team", "other_cadre", "inspector", "wuling_office"])
def test_who_does_not_work_leads_of_the_place_changes_none(lead, people, name):
    who = getattr(people, name)
    for step, arguments in (
        (lead_cases.note_visit, {"on": timezone.localdate(), "note": "看过了"}),
        (lead_cases.decide, YES),
        (lead_cases.hand_over, {"reason": "转给别人"}),
        (lead_cases.undo, {}),
    ):
        with pytest.raises(PermissionDenied):
            step(lead=lead, by=who, **arguments)


def test_a_decision_is_taken_back_within_the_hour_by_who_made_it(lead, people):
    visited(lead, people.reshi_officer)
    lead = lead_cases.decide(lead=lead, by=people.reshi_officer, **YES)
    assert code_of(lead_cases.undo, lead=lead, by=people.reshi_second) == "not_yours"
    assert lead_cases.undo(lead=lead, by=people.reshi_officer).decided_at is None
    lead = lead_cases.decide(lead=lead, by=people.reshi_officer, **YES)
    Finding.objects.filter(pk=lead.pk).update(decided_at=timezone.now() - timedelta(hours=2))
    assert code_of(lead_cases.undo, lead=lead, by=people.reshi_officer) == "too_late"


def test_a_decided_lead_is_worked_no_more(lead, people):
    visited(lead, people.reshi_officer)
    lead = lead_cases.decide(lead=lead, by=people.reshi_officer, **YES)
    assert code_of(lead_cases.decide, lead=lead, by=people.reshi_second, **YES) == "decided"
    assert code_of(visited, lead=lead, by=people.reshi_second) == "decided"
    assert code_of(lead_cases.hand_over, lead=lead, reason="转给县里", by=people.reshi_second) == "decided"


# -- what is seen, and by whom ------------------------------


def test_the_desk_shows_the_strongest_first_with_its_sentence(lead, people):
    weak = found(make_household(FENGMING, head="司马微弱"), "marginal", "marginal", 0.3)
    page = login(people.reshi_officer).get(DESK).content.decode()
    assert page.index("欧阳线索") < page.index("司马微弱")
    case = login(people.reshi_officer).get(f"{DESK}{weak.pk}/?kind=outcome").content.decode()
    assert "人均纯收入 500 元" in case


def test_a_desk_of_many_leads_takes_as_many_queries_as_one_of_few(lead, people, django_assert_max_num_queries):
    client = login(people.reshi_officer)
    client.get(DESK)
    for place in range(8):
        found(make_household(FENGMING, head=f"上官{place}"))
    with django_assert_max_num_queries(20):
        assert client.get(DESK).content.decode().count("queue-line") == 27


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", True), ("state=late", False), ("kind=outcome", True), ("kind=registers", False), ("whose=mine", False),
     ("state=week", False), ("state=decided", False), ("kind=nonsense&whose=x&after=y", True)],
)  # fmt: skip
def test_the_filters_narrow_the_queue(lead, people, query, shown):
    page = login(people.reshi_officer).get(f"{DESK}?{query}").content.decode()
    assert (f"/leads/{lead.pk}/" in page) == shown


@pytest.mark.parametrize(("typed", "shown"), [("欧阳", True), ("司马", False), ("H-1", False)])
def test_a_search_finds_by_head_or_number_and_leaves_no_name_in_the_address(lead, people, typed, shown):
    answer = login(people.reshi_officer).post(f"{DESK}find/", {"find": typed, "kind": "outcome"}, follow=True)
    [(address, _status)] = answer.redirect_chain
    assert (typed in unquote(address), f"/leads/{lead.pk}/" in answer.content.decode()) == (False, shown)


@pytest.mark.parametrize("name", ["fengming_cadre", "fengming_team"])
@pytest.mark.parametrize("place", ["", "?tab=history", "?as_of=today"])
def test_the_village_reads_nothing_of_a_lead_on_the_card_but_that_something_is_open(people, household, name, place):
    lead = found(household, "vehicle", "private_car", cars=1)
    Finding.objects.filter(pk=lead.pk).update(found_at=timezone.now() - timedelta(days=2))
    type(household).objects.filter(pk=household.pk).update(created_at=timezone.now() - timedelta(days=9))
    address = f"/households/{household.pk}/{place}".replace("today", f"{timezone.localdate():%Y-%m-%d}")
    page = login(getattr(people, name)).get(address).content.decode()
    assert "欧阳线索" in page
    assert [word for word in ("名下有车辆", "private_car", "/leads/") if word in page] == []


def test_the_village_sees_the_flag_and_offices_a_panel(household, people):
    found(household, "vehicle", "private_car")
    assert "有疑点" in login(people.fengming_cadre).get(f"/households/{household.pk}/").content.decode()
    panel = f"/households/{household.pk}/leads/"
    assert panel in login(people.reshi_officer).get(f"/households/{household.pk}/").content.decode()
    assert "名下有车辆" in login(people.reshi_officer).get(panel).content.decode()


def test_two_counties_see_their_own_leads_alone(lead, people):
    other = found(make_household(WULING_VILLAGE, head="武陵另户"))
    pages = [login(who).get(f"{DESK}?whose=area") for who in (people.taoyuan_office, people.wuling_office)]
    mine, theirs = (page.content.decode() for page in pages)
    assert ("欧阳线索" in mine, "武陵另户" in mine) == (True, False)
    assert ("欧阳线索" in theirs, "武陵另户" in theirs) == (False, True)
    assert selectors.figures(people.wuling_office, within=None, since=None, until=None)[0].opened == 1
    assert login(people.taoyuan_office).get(f"{DESK}{other.pk}/").status_code == 404


def due(head, days):
    lead = found(make_household(FENGMING, head=head))
    Finding.objects.filter(pk=lead.pk).update(due_on=timezone.localdate() + timedelta(days=days))
    return lead


def test_the_home_page_names_what_waits_is_late_or_due_within_the_week_and_each_opens_as_many(people):
    for head, days in (("昨日", -1), ("今日", 0), ("六日", 6), ("七日", 7), ("下月", 30)):
        due(head, days)
    waits = selectors.waiting(people.reshi_officer, RESHI)
    assert (waits.count, waits.late, waits.week) == (5, 1, 2)
    days = [(day - timezone.localdate()).days for day in (waits.due, waits.week_due, waits.later_due)]
    assert days == [-1, 0, 7]
    assert selectors.waiting(people.taoyuan_office, TAOYUAN).count == 0  # the township has them
    client = login(people.reshi_officer)
    home = client.get("/").content.decode()
    for text, address, number in (
        ("1 条线索已超期", "/leads/?state=late", 1),
        ("2 条线索一周内到期", "/leads/?state=week", 2),
        ("走访核查 5 条线索", "/leads/", 5),
    ):
        assert (text in home, f'href="{address}"' in home) == (True, True)
        assert client.get(address).content.decode().count('<li class="queue-pick">') == number
    assert "线索" not in login(people.fengming_cadre).get("/").content.decode()


def test_the_home_page_says_nothing_twice_and_counts_no_further_than_it_must(people, monkeypatch):
    due("六日", 6)
    home = login(people.reshi_officer).get("/").content.decode()
    assert ("1 条线索一周内到期" in home, "走访核查" in home, "已超期" in home) == (True, False, False)
    monkeypatch.setattr(selectors, "COUNTED", 2)
    for place in range(4):
        due(f"昨日{place}", -1)
    waits = selectors.waiting(people.reshi_officer, RESHI)
    assert (waits.count, waits.late, waits.week) == (3, 3, 1)  # 3 stands for more than 2; the week is counted apart


# -- kept filters ------------------------------

KEEP = "/households/filters/keep/"


def test_filters_of_the_desk_are_kept_apart_from_those_of_cards_without_search_and_page(lead, people):
    client = login(people.reshi_officer)
    query = "kind=outcome&state=week&find=x&after=y&whose=area"
    answer = client.post(KEEP, {"listing": "leads", "name": "本周要办", "query": query, "shared": "on"})
    assert answer["Location"] == "/leads/?state=week&kind=outcome&whose=area"
    assert client.post(KEEP, {"name": "本周要办", "query": "cause=因病"})["Location"].startswith("/households/?cause=")
    link = 'href="/leads/?state=week&amp;kind=outcome&amp;whose=area"'
    assert link in client.get(DESK).content.decode()
    assert link in login(people.reshi_second).get(DESK).content.decode()
    assert link not in client.get("/households/").content.decode()
    manage = client.get("/households/filters/?listing=leads").content.decode()
    assert (link in manage, "/households/?cause=" in manage) == (True, True)


def test_a_filter_of_leads_that_cannot_be_kept_is_told_why_in_the_words_of_the_desk(lead, people):
    client = login(people.reshi_officer)
    client.post(KEEP, {"listing": "leads", "name": "车辆", "query": "kind=vehicle"})
    answer = client.post(KEEP, {"listing": "leads", "name": "车辆", "query": "kind=registers&state=late"})
    page = answer.content.decode()
    assert (answer.status_code, "已有同名" in page, "部门比对" in page, "超期" in page) == (422, True, True, True)
    for query in ("kind=nonsense", "find=x"):
        assert "没有筛选条件" in client.post(KEEP, {"listing": "leads", "name": "空", "query": query}).content.decode()
    cadre = login(people.fengming_cadre)
    assert cadre.post(KEEP, {"listing": "leads", "name": "x", "query": "kind=vehicle"}).status_code == 404
    assert client.post(KEEP, {"listing": "nonsense", "name": "x", "query": "kind=vehicle"}).status_code == 404


def test_a_file_of_the_queue_names_its_purpose_and_stands_in_the_log(lead, people):
    client, data = login(people.reshi_officer), {"reason": "六月集中走访"}
    assert client.get(f"{DESK}export/?kind=kin")["Location"].endswith("?next=%2Fleads%2Fexport%2F%3Fkind%3Dkin")
    asked = client.post(f"{DESK}export/", data)
    assert "再次输入密码" in asked.content.decode() and 'name="reason" value="六月集中走访"' in asked.content.decode()
    assert not Event.objects.filter(verb="leads.export").exists()
    assert confirmed(client).get(f"{DESK}export/").status_code == 200
    answer = client.post(f"{DESK}export/", data)
    assert (answer.status_code, answer["Content-Type"]) == (
        200,
        XLSX,
    )
    assert Event.objects.get(verb="leads.export").facts == {"rows": 1, "reason": "六月集中走访"}


def test_a_confirmed_lead_says_what_the_procedure_does_and_the_next_case_comes(lead, people):
    after = found(make_household(FENGMING, head="司马下一"), "marginal", "marginal", 0.3)
    client = login(people.reshi_officer)
    visited(lead, people.reshi_officer)
    answer = client.post(f"{DESK}{lead.pk}/decide/", YES)
    assert answer["Location"] == f"{DESK}{after.pk}/"
    page = client.get(answer["Location"]).content.decode()
    assert "欧阳线索 户的“应纳未纳”已办结：属实" in page
    assert "拟本村的识别名单" in page
    assert "撤销" in page


def test_a_wrong_form_says_so_at_its_field_and_writes_nothing(lead, people):
    answer = login(people.reshi_officer).post(f"{DESK}{lead.pk}/decide/", YES | {"reason": ""})
    assert answer.status_code == 422
    assert sorted(answer.context["decision_form"].errors) == ["no_visit_reason", "reason"]  # all at once
    assert "为什么不需走访" in answer.content.decode()
    lead.refresh_from_db()
    assert lead.decision == ""


# -- right and wrong ------------------------------


def test_the_figures_count_each_rule_by_what_offices_found(people):
    for place, decision in enumerate(("confirmed", "confirmed", "dismissed", "")):
        lead = found(make_household(FENGMING, head=f"慕容{place}"))
        Finding.objects.filter(pk=lead.pk, household__head_name__lt=f"慕容{3 if decision else 0}").update(
            decision=decision, decided_at=timezone.now(), decided_by=people.reshi_officer
        )
    [row] = selectors.figures(people.taoyuan_office, within=CITY, since=None, until=timezone.localdate())
    assert (row.opened, row.open, row.confirmed, row.dismissed) == (4, 1, 2, 1)
    assert row.interval == wilson(2, 3)
    assert row.days == pytest.approx(0, abs=0.1)
    [(place, area)] = selectors.figures_by_area(people.taoyuan_office, within=TAOYUAN, since=None, until=None)
    assert (place.code, area.confirmed, area.dismissed) == (RESHI, 2, 1)
    page = login(people.taoyuan_office).get(f"{DESK}statistics/").content.decode()
    assert "66.7 %" in page
    yesterday = timezone.localdate() - timedelta(days=1)
    assert selectors.figures(people.taoyuan_office, within=CITY, since=None, until=yesterday) == []
