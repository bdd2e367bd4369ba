"""Pages of household events: the forms ask twice where they must, refuse in place, and never show another area."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from changde.audit.models import Event
from changde.divisions.models import Division
from households.models import Household, LifeEvent, Membership, MoveRequest
from households.services import moves
from tests.conftest import login
from tests.factories import make_household
from tests.personas import FENGMING, OTHER_VILLAGE, People

HEAD = "户主"


@pytest.fixture
def zhang(people: People) -> Household:
    return make_household(FENGMING, members=3)


@pytest.fixture
def cadre(people: People) -> Client:
    return login(people.fengming_cadre)


def person(household: Household, name: str) -> int:
    return Membership.objects.get(household=household, person__name=name).person_id


def lives(household: Household) -> dict[str, str]:
    rows = Membership.objects.open().filter(household=household).select_related("person")
    return {row.person.name: row.relation for row in rows}


def post(client: Client, household: Household, kind: str, **values: Any) -> Any:
    given = {"version": household.version, "on": timezone.localdate().isoformat()} | values
    return client.post(reverse("households:event", args=[household.pk, kind]), given)


def test_the_card_offers_its_events(cadre: Client, zhang: Household) -> None:
    page = cadre.get(reverse("households:card", args=[zhang.pk])).content.decode()
    assert [word for word in ("办理变更", "新生儿", "分户", "销户") if word not in page] == []


def test_who_only_reads_the_card_is_offered_none(people: People, zhang: Household) -> None:
    page = login(people.inspector).get(reverse("households:card", args=[zhang.pk])).content.decode()
    assert "办理变更" not in page


def test_every_form_opens(cadre: Client, zhang: Household) -> None:
    kinds = ("born", "married_in", "married_out", "died", "returned", "split", "merge", "move", "close", "reopen")
    answers = [cadre.get(reverse("households:event", args=[zhang.pk, kind])).status_code for kind in kinds]
    assert answers == [200] * len(kinds)


def test_an_unknown_event_is_not_found(cadre: Client, zhang: Household) -> None:
    assert cadre.get(reverse("households:event", args=[zhang.pk, "sold"])).status_code == 404


def test_a_split_proposes_the_relations_and_is_done_at_the_second_look(cadre: Client, zhang: Household) -> None:
    one, two = person(zhang, "张小1"), person(zhang, "张小2")
    answer = {"people": [one, two], "new_head": one}
    first = post(cadre, zhang, "split", **answer)
    assert first.status_code == 422
    form = first.context["form"]
    assert form.data[f"relation_{two}"] == "之兄弟姐妹"
    done = post(cadre, zhang, "split", **answer, asked=form.data["asked"], **{f"relation_{two}": "之兄弟姐妹"})
    new = Household.objects.get(split_from=zhang)
    assert done["Location"] == reverse("households:card", args=[new.pk])
    assert lives(new) == {"张小1": HEAD, "张小2": "之兄弟姐妹"}


def test_a_changed_answer_is_asked_about_anew(cadre: Client, zhang: Household) -> None:
    one, two = person(zhang, "张小1"), person(zhang, "张小2")
    first = post(cadre, zhang, "split", people=[one, two], new_head=one)
    second = post(cadre, zhang, "split", people=[one, two], new_head=two, asked=first.context["form"].data["asked"])
    assert (second.status_code, Household.objects.count()) == (422, 1)
    assert f"relation_{one}" in second.context["form"].fields


def test_a_stale_card_is_said_so_and_nothing_happens(cadre: Client, zhang: Household) -> None:
    answer = post(cadre, zhang, "died", person=person(zhang, "张小2"), version=9)
    assert (answer.status_code, len(lives(zhang))) == (409, 3)
    assert "已有变动" in answer.content.decode()


def test_the_head_who_dies_leaves_a_next_one(cadre: Client, zhang: Household) -> None:
    head, heir, other = (person(zhang, name) for name in ("张建华", "张小1", "张小2"))
    assert "new_head" in post(cadre, zhang, "died", person=head).context["form"].errors
    first = post(cadre, zhang, "died", person=head, new_head=heir)
    asked = first.context["form"].data["asked"]
    done = post(cadre, zhang, "died", person=head, new_head=heir, asked=asked, **{f"relation_{other}": "之兄弟姐妹"})
    assert (done.status_code, lives(zhang)) == (302, {"张小1": HEAD, "张小2": "之兄弟姐妹"})


def test_a_merge_shows_the_other_card_before_it_happens(cadre: Client, zhang: Household) -> None:
    other = make_household(FENGMING, head="李秀英")
    wife = person(other, "李秀英")
    answer = {"other": zhang.number, "reason": "老人随子女生活"}
    first = post(cadre, other, "merge", **answer)
    assert "张建华" in first.content.decode()
    form = first.context["form"]
    done = post(
        cadre,
        other,
        "merge",
        **answer,
        asked=form.data["asked"],
        other_version=form.data["other_version"],
        **{f"relation_{wife}": "之母"},
    )
    assert (done.status_code, lives(zhang)["李秀英"]) == (302, "之母")


def test_a_card_of_another_village_cannot_be_named(cadre: Client, zhang: Household) -> None:
    foreign = make_household(OTHER_VILLAGE, head="王大山")
    answer = post(cadre, zhang, "merge", other=foreign.number, reason="同住")
    assert "找不到这一户" in answer.content.decode()


def test_a_newborn_is_entered_and_taken_back(cadre: Client, zhang: Household) -> None:
    post(cadre, zhang, "born", name="张小宝", sex="女", birth_date="2026-09-30", relation="之孙女")
    event = LifeEvent.objects.get()
    assert (event.on.isoformat(), lives(zhang)["张小宝"]) == ("2026-09-30", "之孙女")
    undo = reverse("households:event_undo", args=[zhang.pk, event.pk])
    assert cadre.get(undo).status_code == 200
    assert cadre.post(undo, {f"version_{zhang.pk}": 1}).status_code == 409
    assert cadre.post(undo, {f"version_{zhang.pk}": 2}).status_code == 302
    assert "张小宝" not in lives(zhang)


def test_a_wrong_number_is_refused_at_its_field(cadre: Client, zhang: Household) -> None:
    answer = post(
        cadre, zhang, "married_in", name="陈桂花", sex="女", birth_date="1996-02-03", relation="之儿媳",
        id_number="430725199602030011",
    )  # fmt: skip
    assert list(answer.context["form"].errors) == ["id_number"]


def test_the_timeline_tells_the_event_in_words(cadre: Client, zhang: Household) -> None:
    post(cadre, zhang, "died", person=person(zhang, "张小2"))
    for tab in ("events", "history"):
        page = cadre.get(reverse("households:card", args=[zhang.pk]), {"tab": tab}).content.decode()
        assert "死亡" in page


# -- moves ------------------------------


@pytest.fixture
def asked(zhang: Household, people: People) -> MoveRequest:
    to = Division.objects.get(code=OTHER_VILLAGE)
    return moves.ask_move(household=zhang, to=to, by=people.fengming_cadre, expected_version=1, reason="随子女居住")


def test_a_village_is_chosen_by_name_and_confirmed(cadre: Client, zhang: Household) -> None:
    name = Division.objects.get(code=OTHER_VILLAGE).name
    first = post(cadre, zhang, "move", to=name, reason="随子女居住")
    assert "code" in first.context["form"].errors
    done = post(cadre, zhang, "move", to=name, code=OTHER_VILLAGE, reason="随子女居住")
    assert (done.status_code, MoveRequest.objects.get().to_village_id) == (302, OTHER_VILLAGE)


def test_a_move_waits_on_the_home_page_of_the_receiving_village_alone(asked: MoveRequest, people: People) -> None:
    address = reverse("households:move", args=[asked.pk])
    homes = [login(user).get("/").content.decode() for user in (people.other_cadre, people.fengming_team)]
    assert [address in home for home in homes] == [True, False]


def test_the_receiving_village_takes_the_household(asked: MoveRequest, people: People, zhang: Household) -> None:
    receiver = login(people.other_cadre)
    decide = reverse("households:move_decide", args=[asked.pk])
    assert receiver.get(reverse("households:card", args=[zhang.pk])).status_code == 404
    assert receiver.post(decide, {"decision": "refuse"}).status_code == 422
    assert receiver.post(decide, {"decision": "accept"}).status_code == 302
    assert receiver.get(reverse("households:card", args=[zhang.pk])).status_code == 200


def test_the_old_village_reads_the_card_as_it_was_and_nothing_later(
    asked: MoveRequest, people: People, zhang: Household, cadre: Client
) -> None:
    moves.accept_move(request=asked, by=people.other_cadre)
    zhang.refresh_from_db()
    post(login(people.other_cadre), zhang, "born", name="张后来", sex="女", birth_date="2026-09-30", relation="之孙女")
    card = reverse("households:card", args=[zhang.pk])
    assert cadre.get(card)["Location"] == reverse("households:former", args=[zhang.pk])
    page = cadre.get(card, follow=True).content.decode()
    assert [name in page for name in ("张建华", "张小1", "张后来")] == [True, True, False]
    assert "4307" not in page.split("<main")[1].replace(zhang.number, "")
    assert Event.objects.filter(verb="households.read_former").count() == 1
    assert cadre.get(reverse("households:edit", args=[zhang.pk])).status_code == 404


def test_a_third_village_sees_neither_move_nor_card(asked: MoveRequest, people: People, zhang: Household) -> None:
    stranger = login(people.wuling_office)
    assert stranger.get(reverse("households:move", args=[asked.pk])).status_code == 404
    assert stranger.get(reverse("households:former", args=[zhang.pk])).status_code == 404
