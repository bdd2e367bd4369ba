"""Drafts of cards: one person's, encrypted, one row however often it is sent, forgotten in time."""

import json
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from changde.accounts.models import Post
from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.crypto.cipher import CannotDecrypt
from households.models import CardDraft, Household
from households.services import drafts
from households.services.cards import save_card
from households.tasks import forget_old_drafts
from tests.households.cards import a_card
from tests.households.test_card_form import HEAD, NEW, posted
from tests.personas import FENGMING, WULING_VILLAGE, People

KEEP, LIST = "/households/drafts/keep/", "/households/drafts/"
TYPED = [["members-TOTAL_FORMS", "1"], ["members-0-name", "张建华"], ["members-0-relation", "户主"], ["pigs", "很多"]]


@pytest.fixture
def cadre(people: People, as_user: Callable[..., Client]) -> Client:
    return as_user(people.fengming_cadre)


def sending(client: Client, **changes: Any) -> dict[str, Any]:
    """What the script of an opened page sends."""
    owner = client.get("/households/drafts/key/").json()["owner"]
    ids = {name: str(uuid.uuid4()) for name in ("client_key", "writer")}
    return (
        ids | {"owner": owner, "sequence": 1, "seen": 0, "village": FENGMING, "year": 2019, "content": TYPED} | changes
    )


def send(client: Client, body: dict[str, Any]) -> Any:
    return client.post(KEEP, json.dumps(body), content_type="application/json")


@pytest.fixture
def draft(cadre: Client) -> CardDraft:
    return CardDraft.objects.get(pk=send(cadre, sending(cadre)).json()["id"])


def test_what_is_typed_is_kept_raw_and_encrypted_for_this_row(draft: CardDraft, people: People) -> None:
    assert draft.controls == [tuple(pair) for pair in TYPED]
    assert "张建华".encode() not in bytes(draft.content)
    other = CardDraft.objects.create(owner=people.fengming_cadre, client_key=uuid.uuid4(), content=draft.content)
    with pytest.raises(CannotDecrypt):
        assert other.controls


def test_the_same_sending_again_changes_nothing_and_a_late_one_neither(cadre: Client) -> None:
    body = sending(cadre, sequence=5)
    answers = [send(cadre, body).json()["revision"] for _ in range(3)]
    late = send(cadre, body | {"sequence": 4, "content": []}).json()
    assert (answers, late["revision"], CardDraft.objects.get().controls[0][1]) == ([1, 1, 1], 1, "1")


def test_a_later_sending_replaces_the_content(cadre: Client) -> None:
    body = sending(cadre)
    send(cadre, body)
    send(cadre, body | {"sequence": 2, "content": [["group", "3组"]]})
    assert CardDraft.objects.get().controls == [("group", "3组")]


@pytest.mark.usefixtures("committed_db")
def test_twenty_sendings_at_once_are_one_row(people: People) -> None:
    key, writer = uuid.uuid4(), uuid.uuid4()

    def keep(sequence: int) -> None:
        drafts.keep_draft(by=people.fengming_cadre, client_key=key, content=[], writer=writer, sequence=sequence)
        connection.close()

    threads = [threading.Thread(target=keep, args=[sequence]) for sequence in range(1, 21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert CardDraft.objects.get().sequence == 20


def test_another_page_of_the_same_person_does_not_write_over_it(cadre: Client) -> None:
    first = sending(cadre)
    send(cadre, first)
    behind = send(cadre, first | {"writer": str(uuid.uuid4()), "seen": 0, "content": []})
    resumed = send(cadre, first | {"writer": str(uuid.uuid4()), "seen": 1, "content": []})
    assert (behind.status_code, behind.json()["state"], resumed.json()["revision"]) == (409, "draft_changed", 2)


def test_nobody_else_sees_continues_or_discards_it(
    draft: CardDraft, people: People, as_user: Callable[..., Client]
) -> None:
    colleague = as_user(people.fengming_team)
    assert "张建华" not in colleague.get(LIST).content.decode()
    assert colleague.get(f"{NEW}?draft={draft.pk}").url == NEW
    assert colleague.post(f"{LIST}{draft.pk}/discard/").status_code == 404


def test_what_a_page_of_somebody_signed_out_sends_is_not_taken_under_another_name(
    cadre: Client, people: People, as_user: Callable[..., Client]
) -> None:
    assert send(as_user(people.fengming_team), sending(cadre)).status_code == 403
    assert CardDraft.objects.count() == 0


def test_a_right_that_ends_closes_the_draft(draft: CardDraft, cadre: Client, people: People) -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    Post.objects.filter(user=people.fengming_cadre).update(valid_from=yesterday, valid_to=yesterday)
    assert not CardDraft.objects.visible_to(type(people.fengming_cadre).objects.get(pk=draft.owner_id)).exists()
    assert cadre.get(LIST).status_code == 403


def test_a_village_outside_is_not_noted(cadre: Client) -> None:
    send(cadre, sending(cadre, village=WULING_VILLAGE))
    assert CardDraft.objects.get().village_id is None


@pytest.mark.parametrize(
    "change",
    [
        {"client_key": "1"}, {"writer": None}, {"sequence": "x"}, {"sequence": -1}, {"content": [["a"]]},
        {"content": [["a", 1]]}, {"content": [["a", "\x00"]]}, {"content": "ab"}, {"year": "zweitausend"},
        {"seen": 10**12}, {"village": 2**70},
    ],
)  # fmt: skip
def test_what_no_page_sends_is_refused(cadre: Client, change: dict[str, Any]) -> None:
    assert send(cadre, sending(cadre, **change)).status_code == 422
    assert CardDraft.objects.count() == 0


def test_too_much_is_refused_in_words(cadre: Client) -> None:
    answer = send(cadre, sending(cadre, content=[["request", "长" * 200_000]]))
    assert (answer.status_code, answer.json()["text"]) == (422, "内容太长，草稿存不下")


def test_a_card_of_another_area_takes_no_draft(cadre: Client, people: People) -> None:
    from tests.factories import make_household

    foreign = make_household(WULING_VILLAGE)
    assert send(cadre, sending(cadre, household=foreign.pk, base_version=1)).status_code == 404


# -- the end of a draft ------------------------------


def test_saving_the_card_forgets_the_draft_and_nothing_brings_it_back(cadre: Client) -> None:
    body = sending(cadre)
    send(cadre, body)
    cadre.post(NEW, posted(HEAD, client_key=body["client_key"]))
    late = send(cadre, body | {"sequence": 2})
    assert (Household.objects.count(), CardDraft.objects.count(), late.json()["state"]) == (1, 0, "card_saved")


def test_a_refused_card_keeps_its_draft(cadre: Client) -> None:
    body = sending(cadre)
    send(cadre, body)
    answer = cadre.post(NEW, posted(HEAD, client_key=body["client_key"], pigs="很多"))
    assert answer.context["draft_start"]["revision"] == 1
    assert CardDraft.objects.count() == 1


def test_a_discarded_draft_comes_back_for_a_week(draft: CardDraft, cadre: Client) -> None:
    discarded = cadre.post(f"{LIST}{draft.pk}/discard/", headers={"HX-Request": "true"})
    assert f"{LIST}{draft.pk}/restore/" in discarded.headers["HX-Trigger"]
    assert cadre.get(LIST).context["lines"] == []
    assert len(cadre.get(LIST).context["discarded"]) == 1
    cadre.post(f"{LIST}{draft.pk}/restore/")
    assert [line.head for line in cadre.get(LIST).context["lines"]] == ["张建华"]
    verbs = Event.objects.filter(target_kind="households.carddraft").values_list("verb", flat=True)
    assert set(verbs) == {"households.discard_draft", "households.restore_draft"}


@pytest.mark.parametrize(("days", "discarded", "left"), [(29, None, 1), (31, None, 0), (20, 6, 1), (20, 8, 0)])
def test_what_nobody_touched_in_time_is_forgotten(
    draft: CardDraft, cadre: Client, days: int, discarded: int | None, left: int
) -> None:
    now = timezone.now()
    CardDraft.objects.update(
        changed_at=now - timedelta(days=days), discarded_at=discarded and now - timedelta(days=discarded)
    )
    forget_old_drafts()
    assert CardDraft.objects.count() == left


def test_the_home_page_names_drafts_and_their_last_day(draft: CardDraft, cadre: Client) -> None:
    assert "1 份户卡草稿还没有提交" in cadre.get("/").content.decode()
    CardDraft.objects.update(changed_at=timezone.now() - timedelta(days=25))
    task = next(task for task in cadre.get("/").context["tasks"] if task.key == "card_drafts")
    assert (task.due - timezone.localdate()).days in (4, 5)
    assert "不再保留" in cadre.get(LIST).content.decode()


# -- taking it up again ------------------------------


def test_the_form_offers_the_draft_and_takes_it_up(draft: CardDraft, cadre: Client) -> None:
    offered = cadre.get(NEW)
    assert [line.draft for line in offered.context["draft_offers"]] == [draft]
    resumed = cadre.get(f"{NEW}?draft={draft.pk}")
    assert resumed.context["draft_start"]["controls"] == [tuple(pair) for pair in TYPED]
    assert resumed.context["draft_offers"] == []
    assert Event.objects.filter(verb="households.resume_draft", target_id=str(draft.pk)).count() == 1


def test_a_draft_that_is_gone_leads_to_the_plain_form(cadre: Client) -> None:
    gone = cadre.get(f"{NEW}?draft=4711", follow=True)
    assert "这份草稿已经提交或放弃" in gone.content.decode()
    assert cadre.get(f"{NEW}?draft=x").url == NEW


def test_a_draft_of_a_card_is_told_when_the_card_moved_on(cadre: Client, people: People) -> None:
    saved = save_card(card=a_card(), by=people.fengming_cadre)
    send(cadre, sending(cadre, household=saved.pk, base_version=1))
    assert "保存时逐项核对" not in cadre.get(LIST).content.decode()
    Household.objects.filter(pk=saved.pk).update(version=2)
    assert "保存时逐项核对" in cadre.get(LIST).content.decode()
    assert cadre.get(f"{NEW}?draft={CardDraft.objects.get().pk}").url == NEW


def test_the_key_of_a_phone_is_one_persons_and_not_cached(
    cadre: Client, people: People, as_user: Callable[..., Client]
) -> None:
    own, again = (cadre.get("/households/drafts/key/") for _ in range(2))
    other = as_user(people.fengming_team).get("/households/drafts/key/").json()
    assert "no-store" in own.headers["Cache-Control"]
    assert own.json()["key"] == again.json()["key"] != other["key"]
    assert own.json()["owner"] != other["owner"]


def test_a_list_of_drafts_asks_few_questions(
    cadre: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(8):
        send(cadre, sending(cadre))
    with django_assert_max_num_queries(12):
        cadre.get(LIST)


def test_a_refusal_in_the_middle_keeps_nothing(people: People) -> None:
    with pytest.raises(Refusal):
        drafts.keep_draft(
            by=people.fengming_cadre, client_key=uuid.uuid4(), content=[("a", "长" * 300_000)], writer=uuid.uuid4(),
            sequence=1,
        )  # fmt: skip
    assert CardDraft.objects.count() == 0
