"""Lists in the office: what each person sees and can press; every refusal is said, nothing is done by halves."""

import re

import pytest
from django.urls import reverse

from changde.audit.models import Event
from supervision.models import ListEntry, PublicityList
from supervision.selectors import lists as selectors
from supervision.selectors.objections import due_objections
from supervision.services import lists, objections
from tests.personas import FENGMING, OTHER_VILLAGE, RESHI
from tests.supervision.conftest import AFTER, MONDAY, YEAR, entry_of, household, object_to
from tests.supervision.test_lists import EVERYBODY
from tests.supervision.test_public_pages import text_of

pytestmark = pytest.mark.usefixtures("clock")


def page(client, listed, status=200):
    response = client.get(reverse("lists:page", args=[listed.pk]))
    assert response.status_code == status
    return response


def press(client, name, *arguments, **values):
    return client.post(reverse(f"lists:{name}", args=arguments), values, follow=True)


def buttons(response) -> set[str]:
    """Names of the addresses the page can post to."""
    found = re.findall(r'action="/lists/(?:\d+/)?(?:entries/\d+/)?([a-z-]+)/"', response.content.decode())
    return set(found)


# --- the index ------------------------------------------------------------------------------------


def test_a_village_without_a_list_is_offered_one(as_user, people, village):
    client = as_user(people.fengming_cadre)
    text = text_of(client.get(reverse("lists:index")))
    assert "凤鸣村 2019 年度的名单还没有拟定" in text
    assert "还没有公示名单" in text
    response = press(client, "draft", village=FENGMING, year=YEAR)
    assert "名单已拟定" in text_of(response)
    assert PublicityList.objects.get().drafted_by == people.fengming_cadre
    assert "还没有拟定" not in text_of(client.get(reverse("lists:index")))


@pytest.mark.parametrize("code", [OTHER_VILLAGE, RESHI, "x", ""])
def test_nobody_drafts_for_another_village(as_user, people, village, code):
    assert press(as_user(people.fengming_cadre), "draft", village=code, year=YEAR).status_code == 404


def test_a_draft_that_cannot_be_made_says_why(as_user, people, village):
    response = press(as_user(people.fengming_cadre), "draft", village=FENGMING, year=2014)
    assert "没有 2014 年度的户卡" in text_of(response)


@pytest.mark.parametrize(
    ("state", "step", "found"),
    [("", "", 2), ("ended", "", 1), ("draft", "", 1), ("shown", "", 0), ("", "second", 1), ("draft", "first", 0)],
)
def test_lists_are_filtered_by_state_and_step(as_user, people, second_draft, state, step, found):
    response = as_user(people.reshi_officer).get(reverse("lists:index"), {"state": state, "step": step})
    assert len(response.context["page"].rows) == found


def test_lists_with_their_counts_are_one_query(people, first, django_assert_num_queries):
    for number in range(3):
        object_to(first, text=f"意见{number}")
    draft = lists.correct(publicity_list=first, reason="更正", by=people.fengming_cadre)
    lists.post(publicity_list=draft, by=people.fengming_team)
    _ = people.fengming_cadre.open_posts
    with django_assert_num_queries(1):
        found = list(selectors.lists(people.fengming_cadre).order_by("pk"))
        said = [(row.state(MONDAY), row.village.parent.name, row.open_objections, row.households) for row in found]
    assert said == [("superseded", "热市镇", 3, 2), ("posted", "热市镇", 0, 2)]


# --- a draft --------------------------------------------------------------------------------------


def test_a_draft_shows_who_is_on_it_and_who_is_held_back_and_why(as_user, people, draft):
    text = text_of(page(as_user(people.fengming_cadre), draft))
    for said in (
        "张建华",
        "张*华",
        "因病",
        "资料不全，待补充",
        "户卡有改动，待重新测算",
        "触发排除条件，待核定",
        "有疑点，待核实",
    ):
        assert said in text
    assert "2026-11-24 00:00 至 2026-11-30 24:00" in text


def test_reading_a_list_is_one_event(as_user, people, draft):
    before = Event.objects.count()
    page(as_user(people.inspector), draft)
    event = Event.objects.latest("id")
    assert Event.objects.count() == before + 1
    assert (event.kind, event.verb, event.actor, event.target_id) == (
        "read",
        "lists.read",
        people.inspector,
        str(draft.pk),
    )


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("fengming_cadre", {"leave-out", "refresh", "discard"}),
        ("fengming_team", {"post", "discard"}),
        ("reshi_officer", {"clear"}),
        ("taoyuan_office", set()),
        ("inspector", set()),
    ],
)
def test_a_draft_offers_what_the_person_may_do(as_user, people, draft, who, expected):
    assert buttons(page(as_user(getattr(people, who)), draft)) - {"language", "logout"} == expected


def test_the_maker_is_told_that_somebody_else_posts(as_user, people, draft):
    assert "请另一位同志办理" in text_of(page(as_user(people.fengming_cadre), draft))


def test_the_way_of_a_list_by_its_buttons(as_user, people, clock, draft, village):
    cadre, team = as_user(people.fengming_cadre), as_user(people.fengming_team)
    entry = entry_of(draft, village.marginal)
    assert "请写明原因" in text_of(press(cadre, "leave_out", draft.pk, entry.pk, reason=""))
    assert "已不列入" in text_of(press(cadre, "leave_out", draft.pk, entry.pk, reason="已迁出"))
    assert "take-in" in buttons(page(cadre, draft))
    assert "已重新列入" in text_of(press(cadre, "take_in", draft.pk, entry.pk))
    excluded = entry_of(draft, village.excluded)
    officer = as_user(people.reshi_officer)
    assert "核定意见已记录" in text_of(press(officer, "clear", draft.pk, excluded.pk, reason="残疾人代步车"))
    assert "名单已按最新结果更新" in text_of(press(cadre, "refresh", draft.pk))
    assert "须由另一位同志公示" in text_of(press(cadre, "post", draft.pk))
    response = press(team, "post", draft.pk)
    assert "名单已公示" in text_of(response)
    assert "残疾人代步车" in text_of(response)
    assert ListEntry.objects.filter(publicity_list=draft, position__isnull=False).count() == 3
    assert "已经公示" in text_of(press(team, "post", draft.pk))


def test_a_discarded_draft_is_gone(as_user, people, draft):
    assert "草稿已作废" in text_of(press(as_user(people.fengming_team), "discard", draft.pk))
    page(as_user(people.fengming_cadre), draft, status=404)


def test_a_posted_list_is_not_discarded(as_user, people, first):
    assert "不能改动" in text_of(press(as_user(people.fengming_team), "discard", first.pk))


# --- posted ---------------------------------------------------------------------------------------


def test_a_posted_list_shows_period_checksum_and_objections_without_the_complainant(as_user, people, first):
    object_to(first, position=2, text="他家在镇上有门面", contact="13812345678")
    text = text_of(page(as_user(people.fengming_cadre), first))
    for said in ("2026-11-24 00:00", "2026-11-30 24:00", first.snapshot.sha256, "第 2 号户", "待核实"):
        assert said in text
    assert "门面" not in text
    assert "13812345678" not in text


def test_the_office_downloads_the_same_bytes_even_after_the_end(as_user, people, clock, first):
    clock.move_to(AFTER)
    response = as_user(people.fengming_cadre).get(reverse("lists:snapshot", args=[first.pk]))
    assert response.content == first.snapshot.text.encode()
    event = Event.objects.latest("id")
    assert (event.kind, event.verb) == ("export", "lists.snapshot")


def test_a_draft_has_no_file(as_user, people, draft):
    assert as_user(people.fengming_cadre).get(reverse("lists:snapshot", args=[draft.pk])).status_code == 404


def test_the_township_goes_on_when_the_first_publicity_has_ended(as_user, people, clock, first):
    officer = as_user(people.reshi_officer)
    assert "second" not in buttons(page(officer, first))
    assert "还没有期满" in text_of(press(officer, "follow", first.pk))
    clock.move_to(AFTER)
    officer, other = as_user(people.reshi_officer), as_user(people.reshi_second)
    assert "second" in buttons(page(officer, first))
    assert "第二次公示名单已拟定" in text_of(press(officer, "follow", first.pk))
    second = PublicityList.objects.get(step="second")
    assert "post" not in buttons(page(officer, second))
    assert "名单已公示" in text_of(press(other, "post", second.pk))
    assert "第一次公示，第 1 号" in text_of(page(other, second))


def test_a_correction_is_drafted_from_the_page(as_user, people, first):
    cadre = as_user(people.fengming_cadre)
    assert "请写明原因" in text_of(press(cadre, "correct", first.pk, reason=""))
    assert "更正第 1 号名单，原因：小组写错" in text_of(press(cadre, "correct", first.pk, reason="小组写错"))
    lists.post(publicity_list=PublicityList.objects.get(number=None), by=people.fengming_team)
    assert "已由第 2 号名单更正" in text_of(page(cadre, first))


# --- areas and roles ------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["other_cadre", "wuling_office"])
def test_lists_of_another_area_do_not_exist(as_user, people, first, village, who):
    client = as_user(getattr(people, who))
    page(client, first, status=404)
    assert "凤鸣村" not in text_of(client.get(reverse("lists:index")))
    entry = entry_of(first, village.poor)
    for name, arguments in (("post", [first.pk]), ("leave_out", [first.pk, entry.pk]), ("discard", [first.pk])):
        assert press(client, name, *arguments).status_code in (403, 404)


def test_an_entry_of_another_list_is_not_found(as_user, people, draft):
    other = household("别村", village=OTHER_VILLAGE, wage_income=1000)
    theirs = lists.draft_first_list(village=other.village, year=YEAR, by=people.other_cadre)
    entry = theirs.entries.get()
    response = press(as_user(people.fengming_cadre), "leave_out", draft.pk, entry.pk, reason="x")
    assert response.status_code == 404


def test_offices_that_only_read_are_refused(as_user, people, draft):
    assert press(as_user(people.taoyuan_office), "post", draft.pk).status_code == 403
    assert press(as_user(people.reshi_officer), "post", draft.pk).status_code == 403


def test_the_page_of_a_list_takes_few_queries(as_user, people, first, django_assert_max_num_queries):
    client = as_user(people.fengming_cadre)
    page(client, first)
    with django_assert_max_num_queries(24):
        page(client, first)


# --- work that waits ---------------------------------------------------------------------------------


def waiting(selector, people) -> set[str]:
    return {name for name in EVERYBODY if selector(getattr(people, name)).exists()}


def test_a_draft_waits_for_those_who_may_post_it(people, draft):
    assert waiting(selectors.drafts_to_post, people) == {"fengming_team"}


def test_a_second_draft_waits_for_the_other_officer(people, second_draft):
    assert waiting(selectors.drafts_to_post, people) == {"reshi_second"}
    assert waiting(selectors.firsts_to_follow, people) == set()


def test_an_ended_first_list_waits_for_the_township(people, clock, first):
    assert waiting(selectors.firsts_to_follow, people) == set()
    clock.move_to(AFTER)
    assert waiting(selectors.firsts_to_follow, people) == {"reshi_officer", "reshi_second"}


def test_an_upheld_objection_waits_for_the_villages_correction(people, clock, first):
    objection = object_to(first).objection
    objections.note_visit(objection=objection, on=MONDAY.date(), note="看过", by=people.reshi_officer)
    clock.shift(60)
    objections.decide(objection=objection, decision="upheld", answer="退出", by=people.reshi_officer)
    assert waiting(selectors.lists_to_correct, people) == {"fengming_cadre", "fengming_team"}
    lists.correct(publicity_list=first, reason="异议成立", by=people.fengming_cadre)
    assert waiting(selectors.lists_to_correct, people) == set()


def test_an_objection_waits_for_those_who_may_decide_it(people, first):
    object_to(first)
    assert waiting(due_objections, people) == {"reshi_officer", "reshi_second", "taoyuan_office"}
