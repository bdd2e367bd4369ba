"""The duplicates desk: who is found, who is asked, what a decision writes, and that it can be taken back."""

import dataclasses
import json
import threading
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.bulk import allocate_ids
from changde.crypto.cipher import blind_index, encrypt
from households.models import (
    DistinctPair,
    DuplicateCase,
    Finding,
    Household,
    IdentityClaim,
    ImportBatch,
    Membership,
    Person,
    WaitingHousehold,
)
from households.services import duplicates
from households.services.cards import NumberWaits, save_card
from households.services.duplicates import card_from_text, find_candidates
from tests.conftest import confirmed, login
from tests.factories import id_number, make_household
from tests.households.cards import a_card, a_member
from tests.personas import CITY, FENGMING, OTHER_VILLAGE, RESHI, TAOYUAN, WULING_VILLAGE, People

Decision = DuplicateCase.Decision
WHY = "入户核实"


def alike(village: int, other: int, name: str = "欧阳春生", *, number: bool = False) -> list[Household]:
    """Two cards with a head of one name and birth date; the second without a number unless said."""
    cards = [make_household(village, head=name), make_household(other, head=name)]
    if not number:
        second = Person.objects.filter(memberships__household=cards[1])
        IdentityClaim.objects.filter(person__in=second).delete()
        second.update(id_number_cipher=None, id_number_hash=None)
    return cards


def the_case() -> DuplicateCase:
    return DuplicateCase.objects.get()


def versions(*cards: Household) -> dict[int, int]:
    return {card.pk: Household.objects.get(pk=card.pk).version for card in cards}


def refused(code: str) -> Any:
    return pytest.raises(Refusal, check=lambda refusal: refusal.code == code)


def wait(card: Any, people: People) -> WaitingHousehold:
    """The card waits, as an import of the other village's cadre leaves it."""
    owner = people.other_cadre
    batch = ImportBatch.objects.create(owner=owner, area=OTHER_VILLAGE, file_name="x", digest="", size=1)
    pk = allocate_ids(WaitingHousehold, 1)[0]
    text = json.dumps(dataclasses.asdict(card), default=str, ensure_ascii=False)
    return WaitingHousehold.objects.create(
        pk=pk,
        batch=batch,
        village_id=card.household.village_code,
        reason="id-double",
        card_cipher=encrypt(text, field="waiting.card", owner=pk),
        number_hash=blind_index(card.members[0].id_number, kind="id"),
    )


# -- candidates ------------------------------


@pytest.mark.parametrize(
    ("village", "other", "area"),
    [
        (FENGMING, FENGMING, FENGMING),
        (FENGMING, OTHER_VILLAGE, RESHI),
        (FENGMING, 430725001001, TAOYUAN),
        (FENGMING, WULING_VILLAGE, CITY),
    ],
)
def test_the_lowest_office_that_covers_both_is_asked(people: People, village: int, other: int, area: int) -> None:
    alike(village, other)
    assert find_candidates() == 1
    assert (the_case().kind, the_case().area) == ("name_birth", area)


def test_two_valid_numbers_in_two_townships_are_two_people(people: People) -> None:
    alike(FENGMING, WULING_VILLAGE, number=True)
    assert find_candidates() == 0


def test_two_numbers_in_one_township_are_looked_at(people: People) -> None:
    alike(FENGMING, OTHER_VILLAGE, number=True)
    assert find_candidates() == 1


@pytest.mark.parametrize(("name", "found"), [("张建花", 1), ("章建华", 1), ("张国华", 1), ("张国花", 0), ("李秀英", 0)])
def test_near_names_of_one_village_and_phone_are_found(people: People, name: str, found: int) -> None:
    for head, birth in (("张建华", "1970-01-01"), (name, "1971-02-02")):
        card = make_household(FENGMING, head=head)
        Person.objects.filter(memberships__household=card).update(
            birth_date=birth,
            phone_cipher=encrypt("13873600001", field="person.phone", owner=1),
            phone_hash=blind_index("13873600001", kind="phone"),
        )
    assert find_candidates(area=FENGMING) == found


def test_an_open_pair_is_found_once_and_an_area_looks_at_its_own(people: People) -> None:
    alike(FENGMING, OTHER_VILLAGE)
    assert find_candidates(area=WULING_VILLAGE) == 0
    assert [find_candidates(area=RESHI), find_candidates()] == [1, 0]


def test_a_number_a_form_wanted_comes_to_the_desk(people: People) -> None:
    first = make_household(FENGMING)
    number = Person.objects.get(memberships__household=first).id_number
    with pytest.raises(NumberWaits):
        save_card(card=a_card(a_member("张重复", id_number=number), village_code=OTHER_VILLAGE), by=people.other_cadre)
    find_candidates()
    assert (the_case().kind, the_case().area, the_case().typed_in) == ("number", RESHI, OTHER_VILLAGE)


def test_the_plan_of_the_nights_search_reads_no_table_by_person(people: People) -> None:
    """The whole city is grouped by the index; pairs are looked up by keys."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + duplicates.SQL.read_text(), {"first": CITY, "last": CITY + 10**8 - 1})
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "person_born_named" in plan


# -- decisions ------------------------------


def test_not_the_same_is_remembered_for_ever(people: People) -> None:
    alike(FENGMING, OTHER_VILLAGE)
    find_candidates()
    duplicates.say_distinct(case=the_case(), by=people.reshi_officer, reason=WHY)
    assert DistinctPair.objects.count() == 1
    assert find_candidates() == 0


def test_one_person_on_two_cards_ends_on_one_and_comes_back_with_undo(people: People) -> None:
    kept, left = alike(FENGMING, OTHER_VILLAGE)
    find_candidates()
    case = duplicates.merge_persons(
        case=the_case(), keep=the_case().first_person_id, by=people.reshi_officer, reason=WHY,
        versions=versions(kept, left),
    )  # fmt: skip
    left.refresh_from_db()
    assert (left.status, Membership.objects.open().count(), case.decision) == ("closed", 1, "merged")
    assert Membership.objects.get(household=left).end_reason == "duplicate"
    duplicates.undo_merge(case=case, by=people.reshi_officer, versions=versions(kept, left))
    left.refresh_from_db()
    assert (left.status, Membership.objects.open().count(), the_case().decided_at) == ("unregistered", 2, None)


def test_two_cards_of_one_household_become_one(people: People) -> None:
    """The heads are the same; a son stands on both, another one only on the card that goes."""
    kept = make_household(FENGMING, head="欧阳春生", members=2)
    left = make_household(OTHER_VILLAGE, head="欧阳春生", members=3)
    find_candidates()
    case = DuplicateCase.objects.get(first_person__name="欧阳春生")
    extra = Person.objects.get(memberships__household=left, name="欧小2")
    duplicates.merge_households(
        case=case,
        keep=case.first_person_id,
        relations={extra.pk: "之子"},
        by=people.reshi_officer,
        reason=WHY,
        versions=versions(kept, left),
    )
    left.refresh_from_db()
    names = Membership.objects.open().filter(household=kept).values_list("person__name", flat=True)
    assert (left.status, left.merged_into, sorted(names)) == ("closed", kept, ["欧小1", "欧小2", "欧阳春生"])


def test_who_typed_one_of_the_records_does_not_decide(people: People) -> None:
    save_card(card=a_card(a_member("欧阳春生", id_number=None, no_id_reason="未办理")), by=people.reshi_officer)
    make_household(OTHER_VILLAGE, head="欧阳春生")
    find_candidates()
    with refused("own_record"):
        duplicates.say_distinct(case=the_case(), by=people.reshi_officer, reason=WHY)
    duplicates.say_distinct(case=the_case(), by=people.reshi_second, reason=WHY)


def test_an_office_that_does_not_cover_both_decides_nothing(people: People) -> None:
    alike(FENGMING, WULING_VILLAGE)
    find_candidates()
    with refused("not_your_area"):
        duplicates.say_distinct(case=the_case(), by=people.taoyuan_office, reason=WHY)


def test_a_decision_needs_its_ground_and_is_logged(people: People) -> None:
    alike(FENGMING, OTHER_VILLAGE)
    find_candidates()
    with refused("reason_missing"):
        duplicates.say_distinct(case=the_case(), by=people.reshi_officer, reason=" ")
    duplicates.say_distinct(case=the_case(), by=people.reshi_officer, reason=WHY)
    event = Event.objects.get(verb="households.decide_duplicate")
    assert (event.actor, event.area, event.facts["decision"]) == (people.reshi_officer, RESHI, "distinct")


# -- cards that wait ------------------------------


@pytest.fixture
def waiting(people: People) -> tuple[Household, WaitingHousehold]:
    first = make_household(FENGMING)
    number = Person.objects.get(memberships__household=first).id_number
    card = a_card(a_member("张重复", id_number=number), village_code=OTHER_VILLAGE)
    Finding.objects.create(
        household=first,
        person=Person.objects.get(memberships__household=first),
        village_id=FENGMING,
        kind=Finding.Kind.DUPLICATE_NUMBER,
        code="id-double",
        blocks=True,
    )
    made = wait(card, people)
    find_candidates()
    return first, made


def test_a_card_that_waits_reads_back_as_it_was() -> None:
    card = a_card()
    text = json.dumps(dataclasses.asdict(card), default=str, ensure_ascii=False)
    assert card_from_text(text) == card


def test_a_waiting_card_goes_in_with_its_number_corrected(waiting: Any, people: People) -> None:
    with refused("number_wrong"):
        duplicates.admit(case=the_case(), by=people.reshi_officer, reason=WHY, number="123")
    duplicates.admit(case=the_case(), by=people.reshi_officer, reason=WHY, number=id_number("19700101", "男"))
    assert Household.objects.get(head_name="张重复").village_id == OTHER_VILLAGE
    assert WaitingHousehold.objects.get().settled_at is not None
    assert not Finding.objects.open().filter(kind=Finding.Kind.DUPLICATE_NUMBER).exists()


def test_a_number_that_is_still_taken_admits_nothing(waiting: Any, people: People) -> None:
    first, _made = waiting
    number = Person.objects.get(memberships__household=first).id_number
    with refused("number_waits"):
        duplicates.admit(case=the_case(), by=people.reshi_officer, reason=WHY, number=number)
    assert (Household.objects.count(), the_case().decided_at) == (1, None)


def test_a_number_that_was_wrong_on_the_first_card_goes_to_the_waiting_one(waiting: Any, people: People) -> None:
    first, _made = waiting
    duplicates.release(case=the_case(), by=people.reshi_officer, reason=WHY, expected_version=1)
    holder = IdentityClaim.objects.get().household
    assert (holder.head_name, Person.objects.get(memberships__household=first).id_number) == ("张重复", None)


def test_a_waiting_card_can_be_dropped(waiting: Any, people: People) -> None:
    duplicates.drop_waiting(case=the_case(), by=people.reshi_officer, reason=WHY)
    assert (WaitingHousehold.objects.get().settled_at is None, Household.objects.count()) == (False, 1)


# -- race ------------------------------


def merge_twice(people: People) -> list[str]:
    """Two officers decide the same case at once, one each way."""
    kept, left = alike(FENGMING, OTHER_VILLAGE)
    find_candidates()
    case, both = the_case(), versions(kept, left)
    start, answers = threading.Barrier(2), []

    def decide(by: Any, keep: int | None) -> None:
        start.wait()
        try:
            duplicates.merge_persons(case=case, keep=keep or 0, by=by, reason=WHY, versions=both)
            answers.append("done")
        except Refusal as refusal:
            answers.append(refusal.code)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=decide, args=(people.reshi_officer, case.first_person_id)),
        threading.Thread(target=decide, args=(people.reshi_second, case.second_person_id)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(answers)


def test_two_officers_who_merge_one_pair_each_way_leave_one_of_the_two(committed_db: None, people: People) -> None:
    assert merge_twice(people) == ["decided_already", "done"]
    assert Membership.objects.open().count() == 1


# -- pages ------------------------------


def test_the_desk_shows_both_sides_with_what_differs_and_no_number_in_full(people: People) -> None:
    kept, _left = alike(FENGMING, OTHER_VILLAGE)
    find_candidates()
    page = login(people.reshi_officer).get(reverse("households:duplicate", args=[the_case().pk])).content.decode()
    number = Person.objects.get(memberships__household=kept).id_number or ""
    assert (number in page, number[:4] + "*" * 10 in page, "differs" in page) == (False, True, True)
    assert Event.objects.filter(verb="households.read_duplicate").count() == 1


def test_a_number_is_shown_on_request_and_logged(people: People) -> None:
    kept, _left = alike(FENGMING, OTHER_VILLAGE)
    find_candidates()
    address = reverse("households:duplicate_reveal", args=[the_case().pk])
    client, data = login(people.reshi_officer), {"side": "first", "attribute": "id_number"}
    number = Person.objects.get(memberships__household=kept).id_number or "?"
    asked = client.post(address, data).content.decode()
    assert ("再次输入密码" in asked, 'name="side" value="first"' in asked, number in asked) == (True, True, False)
    assert not Event.objects.filter(verb="households.reveal").exists()
    assert number in confirmed(client).post(address, data).content.decode()
    assert Event.objects.get(verb="households.reveal").facts["case"] == the_case().pk


def test_a_village_never_sees_a_case_that_lies_outside(people: People) -> None:
    alike(FENGMING, WULING_VILLAGE)
    find_candidates()
    for user in (people.fengming_cadre, people.reshi_officer, people.taoyuan_office):
        client = login(user)
        assert "欧阳春生" not in client.get(reverse("households:duplicates")).content.decode()
        assert client.get(reverse("households:duplicate", args=[the_case().pk])).status_code == 404
    assert login(people.city_office).get(reverse("households:duplicate", args=[the_case().pk])).status_code == 200


def test_a_case_waits_on_the_home_page_of_the_office_it_is_given_to_alone(people: People) -> None:
    alike(FENGMING, OTHER_VILLAGE)
    find_candidates()
    asked = (people.reshi_officer, people.fengming_cadre, people.taoyuan_office)
    homes = [login(user).get("/").content.decode() for user in asked]
    assert ['data-task="duplicates"' in home for home in homes] == [True, False, False]


def test_the_desk_asks_the_database_alike_for_one_case_and_for_many(
    people: People, django_assert_max_num_queries: Any
) -> None:
    for name in ("欧阳春生", "司马秋", "上官云"):
        alike(FENGMING, OTHER_VILLAGE, name)
    find_candidates()
    client = login(people.reshi_officer)
    with django_assert_max_num_queries(14):
        client.get(reverse("households:duplicates"))


def test_a_decision_leads_to_the_next_case(people: People) -> None:
    for name in ("欧阳春生", "司马秋"):
        alike(FENGMING, OTHER_VILLAGE, name)
    find_candidates()
    one, two = DuplicateCase.objects.order_by("pk")
    client = login(people.reshi_officer)
    answer = client.post(reverse("households:duplicate_decide", args=[one.pk]), {"decision": "distinct", "reason": WHY})
    assert answer["Location"] == reverse("households:duplicate", args=[two.pk])


def test_a_merge_and_its_undo_by_the_page(people: People) -> None:
    kept, left = alike(FENGMING, OTHER_VILLAGE)
    find_candidates()
    client, case = login(people.reshi_officer), the_case()
    seen = {f"version_{pk}": version for pk, version in versions(kept, left).items()}
    decide = reverse("households:duplicate_decide", args=[case.pk])
    assert client.post(decide, {"decision": "person-first", "reason": WHY}).status_code == 422
    assert client.post(decide, {"decision": "person-first", "reason": WHY} | seen).status_code == 302
    after = {f"version_{pk}": version for pk, version in versions(left).items()}
    assert client.post(reverse("households:duplicate_undo", args=[case.pk]), after).status_code == 302
    assert Membership.objects.open().count() == 2
