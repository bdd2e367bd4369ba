"""The objections desk."""

import pytest
from django.urls import reverse

from changde.audit.models import Event
from supervision.models import Objection
from tests.conftest import confirmed
from tests.supervision.conftest import object_to
from tests.supervision.test_public_pages import text_of

pytestmark = pytest.mark.usefixtures("clock")

WORDS = "他家在镇上有门面"
CONTACT = "13812345678"


@pytest.fixture
def raised(first):
    return object_to(first, position=2, text=WORDS, contact=CONTACT).objection


def case(client, objection, status=200, name="case"):
    response = client.get(reverse(f"objections:{name}", args=[objection.pk]))
    assert response.status_code == status
    return response


def press(client, name, objection, **values):
    return client.post(reverse(f"objections:{name}", args=[objection.pk]), values, follow=True)


def test_an_empty_desk_says_what_will_come(as_user, people, first):
    assert "没有待处理的异议" in text_of(as_user(people.reshi_officer).get(reverse("objections:desk")))


def test_the_queue_names_the_case_and_its_deadline_without_its_words(as_user, people, raised):
    text = text_of(as_user(people.reshi_officer).get(reverse("objections:desk")))
    assert "凤鸣村" in text
    assert "还有 7 天" in text
    assert WORDS not in text


def test_a_case_shows_the_words_and_keeps_the_contact_back(as_user, people, raised):
    client = as_user(people.reshi_officer)
    text = text_of(case(client, raised))
    assert WORDS in text
    assert CONTACT not in text
    event = Event.objects.latest("id")
    assert (event.kind, event.verb, event.target_id) == ("read", "objections.read", str(raised.pk))
    assert "/confirm/" in case(client, raised, status=302, name="contact").url
    assert CONTACT in text_of(case(confirmed(client), raised, name="contact"))
    assert Event.objects.latest("id").verb == "objections.contact"


def test_who_only_reads_does_not_get_the_contact(as_user, people, raised):
    assert WORDS in text_of(case(as_user(people.inspector), raised))
    case(as_user(people.inspector), raised, status=403, name="contact")


@pytest.mark.parametrize(("who", "status"), [("fengming_cadre", 403), ("fengming_team", 403), ("wuling_office", 404)])
def test_the_village_and_other_areas_do_not_get_at_the_case(as_user, people, raised, who, status):
    case(as_user(getattr(people, who)), raised, status=status)


def test_the_township_does_not_get_at_objections_to_its_own_list(as_user, people, second):
    objection = object_to(second, text=WORDS).objection
    case(as_user(people.reshi_officer), objection, status=404)
    assert WORDS in text_of(case(as_user(people.taoyuan_office), objection))


def test_a_case_is_visited_and_decided_and_the_next_one_comes(as_user, people, first, raised):
    following = object_to(first, position=1, text="另一件").objection
    client = as_user(people.reshi_officer)
    assert "记下核实情况以后才能作决定" in text_of(case(client, raised))
    wrong = press(client, "visit", raised, on="2026-11-20", note="看过")
    assert wrong.status_code == 422
    assert "收到异议之后" in text_of(wrong)
    assert "核实情况已记录" in text_of(press(client, "visit", raised, on="2026-11-23", note="到户看过"))
    empty = press(client, "decide", raised, decision="rejected", answer="")
    assert empty.status_code == 422
    response = press(client, "decide", raised, decision="rejected", answer="门面是租的")
    assert "已答复：异议不成立" in text_of(response)
    assert response.redirect_chain[-1][0] == reverse("objections:case", args=[following.pk])
    assert Objection.objects.get(pk=raised.pk).answer == "门面是租的"
    assert "门面是租的" in text_of(case(client, raised))
    assert "已经办结" in text_of(press(client, "decide", raised, decision="upheld", answer="改"))


def test_an_upheld_case_says_what_has_to_follow(as_user, people, raised):
    client = as_user(people.reshi_officer)
    press(client, "visit", raised, on="2026-11-23", note="到户看过")
    text = text_of(press(client, "decide", raised, decision="upheld", answer="退出"))
    assert "这一户须退出，请拟定并公示更正后的名单" in text
    assert "异议成立" in text_of(client.get(reverse("objections:desk"), {"state": "decided"}))


def test_the_desk_takes_as_many_queries_for_many_cases_as_for_one(
    as_user, people, first, raised, django_assert_max_num_queries
):
    client = as_user(people.reshi_officer)
    for number in range(6):
        object_to(first, position=1, text=f"意见{number}")
    client.get(reverse("objections:desk"))
    with django_assert_max_num_queries(12):
        client.get(reverse("objections:desk"))
