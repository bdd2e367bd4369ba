"""Yellow checks want a sentence on the form; notes are kept, explained, reviewed, and come back when values change."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from households.models import Finding, Household
from households.services import findings as notes
from households.services.card_rows import load_card
from households.services.cards import save_card
from households.services.findings import Sentences, SentencesMissing
from tests.conftest import login
from tests.factories import id_number
from tests.households.cards import a_card, a_member, with_member, with_sheet
from tests.households.test_card_form import HEAD, NEW, filled_in, posted
from tests.personas import OTHER_VILLAGE

SMALL = {"house_area": Decimal(7)}
WHY = "一间偏房，另有一间在建"
DESK = "/findings/"


@pytest.fixture
def note(people):
    """A small house, explained by the cadre who typed it."""
    save_card(
        card=a_plain_card(sheet=SMALL), by=people.fengming_cadre, sentences=Sentences({("house-area", None): WHY})
    )
    return Finding.objects.get(code="house-area")


def a_plain_card(*members, sheet=None, **household):
    """A couple no check has anything to say about."""
    return a_card(*members, sheet={"business_income": Decimal("9000.50"), **(sheet or {})}, **household)


def again(household, **sheet):
    """The card as stored, with some facts of its sheet changed."""
    stored = load_card(household, 2019)
    household.refresh_from_db()
    return {
        "card": with_sheet(stored.card, **sheet), "persons": stored.persons, "household": household,
        "expected_version": household.version,
    }  # fmt: skip


def code_of(call, **arguments):
    with pytest.raises(Refusal) as refusal:
        call(**arguments)
    return refusal.value.code


# -- sentences ------------------------------


def test_a_typed_card_goes_in_only_with_its_sentence(people):
    with pytest.raises(SentencesMissing) as missing:
        save_card(card=a_plain_card(sheet=SMALL), by=people.fengming_cadre, sentences=Sentences())
    assert [finding.check_id for finding in missing.value.findings] == ["house-area"]
    assert (Household.objects.count(), Finding.objects.count()) == (0, 0)


def test_the_sentence_stands_with_the_note_for_the_reviewer(note, people):
    assert (note.explanation, note.explained_by, note.noted_by) == (WHY, people.fengming_cadre, people.fengming_cadre)


def test_one_sentence_serves_for_all(people):
    card = a_plain_card(sheet={**SMALL, "domestic_power": False})
    save_card(card=card, by=people.fengming_cadre, sentences=Sentences(for_all=WHY))
    assert set(Finding.objects.values_list("code", "explanation")) == {("house-area", WHY), ("power", WHY)}


def test_the_sentence_for_all_does_not_cover_what_was_said_before(note, people):
    later = again(note.household, domestic_power=False)
    save_card(**later, by=people.fengming_cadre, sentences=Sentences(for_all="正在改造线路"))
    said = dict(Finding.objects.values_list("code", "explanation"))
    assert said == {"house-area": WHY, "power": "正在改造线路"}


@pytest.mark.parametrize(
    "words", ["号码430725197001011237", "430725 19700101 1237", "４３０７２５７００１０１１２３", "。", "长" * 301]
)
def test_a_sentence_holds_no_number_of_a_person_and_says_something(people, words):
    with pytest.raises(SentencesMissing) as missing:
        save_card(card=a_plain_card(sheet=SMALL), by=people.fengming_cadre, sentences=Sentences(for_all=words))
    assert missing.value.problems["house-area", None]


def test_the_database_refuses_a_number_in_a_sentence(note):
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.filter(pk=note.pk).update(explanation="430725197001011237")


def test_a_program_that_asks_nobody_leaves_the_note_open(people):
    save_card(card=a_plain_card(sheet=SMALL), by=people.fengming_cadre)
    assert Finding.objects.open().get().explanation == ""


def test_what_stands_explained_is_not_asked_again(note, people):
    save_card(**again(note.household, pigs=5), by=people.fengming_cadre, sentences=Sentences())
    assert Finding.objects.get().explanation == WHY


def test_an_odd_number_goes_in_with_its_reason_and_waits_for_a_reviewer(people):
    number = "430725193001019999"
    old = a_member("张老太", "女", "19300101", id_number=number, relation="之母", labour="无劳动力", local_job=None)
    with pytest.raises(Refusal) as refusal:
        save_card(card=a_plain_card(a_member(), old), by=people.fengming_cadre, sentences=Sentences())
    assert refusal.value.code == "checks"
    card = with_member(a_plain_card(a_member(), old, sheet={"pension": Decimal(1200)}), 1, no_id_reason="老号码")
    save_card(card=card, by=people.fengming_cadre, sentences=Sentences())
    row = Finding.objects.get(code="id-check-digit")
    assert (row.blocks, row.explanation) == (True, "老号码")
    notes.accept(finding=row, by=people.reshi_officer)
    assert not Finding.objects.open().filter(blocks=True).exists()


def test_income_that_doubled_since_last_year_is_asked_about(people):
    saved = save_card(card=a_plain_card(sheet={"year": 2018}), by=people.fengming_cadre)
    stored = load_card(saved, 2018)
    card = with_sheet(stored.card, year=2019, business_income=Decimal("18000.50"))
    with pytest.raises(SentencesMissing) as missing:
        save_card(
            card=card, persons=stored.persons, household=saved, expected_version=1, by=people.fengming_cadre,
            sentences=Sentences(),
        )  # fmt: skip
    assert [finding.check_id for finding in missing.value.findings] == ["income-jump"]


def test_a_phone_on_a_card_of_another_village_is_told_to_the_office_and_not_to_the_typist(people):
    save_card(card=a_plain_card(village_code=OTHER_VILLAGE), by=people.other_cadre)
    card = a_plain_card(a_member("刘大海"), a_member("陈桂香", "女", "19720315", relation="配偶"))
    saved = save_card(card=card, by=people.fengming_cadre, sentences=Sentences())
    assert Finding.objects.get(household=saved).code == "phone-shared"
    pages = [
        login(who).get(f"/households/{saved.pk}/").content.decode()
        for who in (people.fengming_cadre, people.reshi_officer)
    ]
    assert ["同一电话" in page for page in pages] == [False, True]


# -- the form ------------------------------


def test_the_form_asks_at_the_field_and_takes_the_card_with_the_sentence(people):
    cadre = login(people.fengming_cadre)
    data = posted(HEAD | {"id_number": id_number("19700203", "男")}, house_area="7")
    del data["explain-all"]
    answer = cadre.post(NEW, data)
    assert answer.status_code == 422
    doubts = {doubt.name for doubt in answer.context["doubts"]}
    assert {"explain-card.house-area", "explain-card.water"} <= doubts
    page = answer.content.decode()
    assert "field-doubt" in page and "住房面积没有填写，或小于8" in page
    assert Household.objects.count() == 0
    answer = cadre.post(NEW, data | {"explain-card.house-area": WHY, "explain-all": "上门时没有问到"})
    assert answer.status_code == 302
    assert Finding.objects.get(code="house-area").explanation == WHY
    assert Finding.objects.get(code="water").explanation == "上门时没有问到"


def test_a_doubt_about_a_member_stands_at_the_member(people):
    cadre = login(people.fengming_cadre)
    data = posted(
        HEAD | {"id_number": id_number("19700203", "男"), "residents_insurance": "否", "employees_insurance": "否"}
    )
    data["explain-all"] = ""
    answer = cadre.post(NEW, data)
    (doubt,) = [each for each in answer.context["doubts"] if each.name == "explain-members-0.insurance-none"]
    assert (doubt.whose, doubt.href) == ("张建华", "#id_members-0-residents_insurance")


def test_sentences_survive_a_red_error(people):
    data = posted(HEAD, house_area="7", irrigated_land="5", cultivated_land="4")
    page = login(people.fengming_cadre).post(NEW, data | {"explain-card.house-area": WHY}).content.decode()
    assert f'name="explain-card.house-area" value="{WHY}"' in page


def test_a_number_in_a_sentence_is_told_beside_it(people):
    data = posted(HEAD, house_area="7") | {"explain-card.house-area": "430725197001011237"}
    answer = login(people.fengming_cadre).post(NEW, data)
    assert [doubt.error for doubt in answer.context["doubts"] if doubt.error] == ["说明里不要写证件号码或账号"]


def test_a_returned_note_stands_on_the_form_with_its_reason_and_is_answered_there(note, people):
    notes.send_back(finding=note, reason="请写清建到什么程度", by=people.reshi_officer)
    cadre, address = login(people.fengming_cadre), f"/households/{note.household_id}/edit/"
    page = cadre.get(address)
    assert "请写清建到什么程度" in page.content.decode()
    answer = cadre.post(address, filled_in(page) | {"explain-card.house-area": "主体已完工，年底入住"})
    assert answer.status_code == 302
    note.refresh_from_db()
    assert (note.is_returned, note.explanation) == (False, "主体已完工，年底入住")


# -- the desk ------------------------------


def test_a_reviewer_accepts_and_the_note_comes_again_only_when_its_values_change(note, people):
    notes.accept(finding=note, by=people.reshi_officer)
    save_card(**again(note.household, pigs=5), by=people.fengming_cadre, sentences=Sentences())
    assert not Finding.objects.open().exists()
    with pytest.raises(SentencesMissing):
        save_card(**again(note.household, house_area=Decimal(6)), by=people.fengming_cadre, sentences=Sentences())


def test_nobody_decides_on_a_card_they_typed_or_explained(people):
    save_card(card=a_plain_card(sheet=SMALL), by=people.reshi_officer, sentences=Sentences(for_all=WHY))
    mine = Finding.objects.get()
    assert code_of(notes.accept, finding=mine, by=people.reshi_officer) == "own_record"
    assert code_of(notes.send_back, finding=mine, reason="不清楚", by=people.reshi_officer) == "own_record"
    notes.accept(finding=mine, by=people.reshi_second)


def test_who_corrected_the_card_later_does_not_decide_either(note, people):
    save_card(**again(note.household, pigs=5), by=people.reshi_officer)
    assert code_of(notes.accept, finding=note, by=people.reshi_officer) == "own_record"


@pytest.mark.parametrize("name", ["fengming_cadre", "inspector", "wuling_office", "other_cadre"])
def test_only_the_offices_above_decide(note, people, name):
    with pytest.raises(PermissionDenied):
        notes.accept(finding=note, by=getattr(people, name))


def test_a_return_wants_a_reason_without_numbers(note, people):
    assert code_of(notes.send_back, finding=note, reason="", by=people.reshi_officer) == "sentence_wrong"
    assert (
        code_of(notes.send_back, finding=note, reason="430725197001011237", by=people.reshi_officer) == "sentence_wrong"
    )


def test_a_returned_note_waits_for_the_village_and_comes_back_with_its_answer(note, people):
    notes.send_back(finding=note, reason="请写清楚", by=people.reshi_officer)
    assert code_of(notes.accept, finding=note, by=people.reshi_second) == "returned"
    notes.explain(finding=note, words="老屋一间，已申请改造", by=people.fengming_team)
    note.refresh_from_db()
    assert (note.is_returned, note.explained_by) == (False, people.fengming_team)


def test_a_corrected_card_closes_its_note_also_a_returned_one(note, people):
    notes.send_back(finding=note, reason="请写清楚", by=people.reshi_officer)
    save_card(**again(note.household, house_area=Decimal(90)), by=people.fengming_cadre, sentences=Sentences())
    note.refresh_from_db()
    assert (note.decision, note.is_returned) == ("corrected", False)


def test_a_red_note_is_never_accepted(note, people):
    Finding.objects.filter(pk=note.pk).update(severity="red")
    assert code_of(notes.accept, finding=note, by=people.reshi_officer) == "red"
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.filter(pk=note.pk).update(
            decision="accepted", decided_by=people.reshi_officer, decided_at=note.found_at
        )


@pytest.mark.parametrize("decision", ["accept", "send_back"])
def test_the_last_decision_is_taken_back_by_who_made_it(note, people, decision):
    getattr(notes, decision)(finding=note, reason="不够清楚", by=people.reshi_officer)
    assert code_of(notes.undo, finding=note, by=people.reshi_second) == "too_late"
    notes.undo(finding=note, by=people.reshi_officer)
    note.refresh_from_db()
    assert (note.decision, note.is_returned, note.explanation) == ("", False, WHY)
    verbs = Event.objects.filter(target_kind="households.finding").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == [{"accept": "findings.accept", "send_back": "findings.return"}[decision], "findings.undo"]


def test_a_decision_is_not_taken_back_after_an_hour_or_when_the_card_moved_on(note, people):
    notes.accept(finding=note, by=people.reshi_officer)
    save_card(**again(note.household, house_area=Decimal(6)), by=people.fengming_cadre)
    assert code_of(notes.undo, finding=note, by=people.reshi_officer) == "too_late"
    Finding.objects.open().delete()
    Finding.objects.filter(pk=note.pk).update(decided_at="2019-01-01T00:00+08:00")
    assert code_of(notes.undo, finding=note, by=people.reshi_officer) == "too_late"


def test_the_desk_shows_the_case_and_the_next_comes_by_itself(note, people, django_assert_max_num_queries):
    save_card(
        card=a_plain_card(a_member("刘大海"), sheet={"domestic_power": False}, phone="13873600009"),
        by=people.fengming_cadre,
    )
    officer = login(people.reshi_officer)
    other = Finding.objects.get(code="power")
    with django_assert_max_num_queries(16):
        assert WHY not in officer.get(DESK).content.decode()
    page = officer.get(f"{DESK}{note.pk}/").content.decode()
    assert all(text in page for text in (WHY, "住房面积", "7 平方米", "凤鸣村干部"))
    assert officer.post(f"{DESK}{note.pk}/accept/").url == f"{DESK}{other.pk}/"
    page = officer.get(f"{DESK}{other.pk}/").content.decode()
    assert f"{DESK}{note.pk}/undo/" in page
    answer = officer.post(f"{DESK}{other.pk}/return/", {"reason": ""})
    assert (answer.status_code, bool(answer.context["form"].errors["reason"])) == (422, True)
    assert officer.post(f"{DESK}{other.pk}/return/", {"reason": "请核实"}).url == DESK
    assert officer.post(f"{DESK}{other.pk}/undo/").url == f"{DESK}{other.pk}/"
    assert Finding.objects.waiting().get() == other


def test_a_returned_note_waits_on_the_first_page_of_the_cadre_and_on_the_card(note, people):
    notes.send_back(finding=note, reason="请写清建到什么程度", by=people.reshi_officer)
    cadre = login(people.fengming_cadre)
    home, card = (cadre.get(address).content.decode() for address in ("/", f"/households/{note.household_id}/"))
    assert f"{DESK}{note.pk}/explain/" in home and "请写清建到什么程度" in home
    assert f"{DESK}{note.pk}/explain/" in card and "请写清建到什么程度" in card
    assert "请写清建到什么程度" in cadre.get(f"{DESK}to-explain/").content.decode()
    answer = cadre.post(f"{DESK}{note.pk}/explain/", {"words": "主体已完工"})
    assert answer.url == f"{DESK}to-explain/"
    assert f"{DESK}{note.pk}/explain/" not in cadre.get("/").content.decode()


def test_one_own_record_is_shown_without_buttons(people):
    save_card(card=a_plain_card(sheet=SMALL), by=people.reshi_officer, sentences=Sentences(for_all=WHY))
    page = login(people.reshi_officer).get(f"{DESK}{Finding.objects.get().pk}/").content.decode()
    assert "须由另一位同志审核" in page and "/accept/" not in page


def test_another_areas_note_is_not_there(note, people):
    assert login(people.wuling_office).get(f"{DESK}{note.pk}/").status_code == 404
    assert login(people.other_cadre).get(f"{DESK}{note.pk}/explain/").status_code == 404


def test_every_change_of_a_note_stays_in_its_history(note, people):
    notes.send_back(finding=note, reason="请写清楚", by=people.reshi_officer)
    history = Finding.pgh_event_model.objects.filter(pgh_obj_id=note.pk)
    assert [row.return_reason for row in history] == [""]
