"""What everybody may see without login: the masked list while it is posted, and nothing of anybody afterwards."""

import hashlib
import re
import subprocess
from html import unescape

import pytest
from django.core.cache import cache
from django.urls import reverse

from households.models import Household, Person
from supervision.domain.snapshot import parse, personal_numbers
from supervision.models import Objection
from supervision.services import lists
from supervision.services.objections import new_form_key
from tests.supervision.conftest import AFTER, object_to, shanghai

pytestmark = pytest.mark.usefixtures("clock")


def shown(client, name, *arguments, status=200, **query):
    response = client.get(reverse(name, args=arguments), query)
    assert response.status_code == status
    return response


def text_of(response) -> str:
    """What a reader reads: tags and blanks taken away."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


@pytest.fixture
def stranger(as_user):
    return as_user(None)


PAGES = ("public:list", "public:snapshot", "public:poster", "public:object")


# --- the list -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_a_draft_has_no_public_page(stranger, draft, name):
    shown(stranger, name, draft.public_id, status=404)


@pytest.mark.parametrize("name", PAGES)
def test_an_unknown_address_has_no_page(stranger, first, name):
    shown(stranger, name, "zzzzzzzz", status=404)


def test_the_page_shows_what_the_snapshot_says(stranger, first):
    text = text_of(shown(stranger, "public:list", first.public_id))
    for row in parse(first.snapshot.text).rows:
        assert f"{row.head}" in text
    for said in (
        "凤鸣村公示名单",
        "2019 年度",
        "第 1 号",
        "2026-11-24 00:00",
        "2026-11-30 24:00",
        first.snapshot.sha256,
    ):
        assert said in text


@pytest.mark.parametrize("name", PAGES)
def test_no_page_holds_a_name_in_full_or_a_number_of_anybody(stranger, first, name):
    response = shown(stranger, name, first.public_id)
    page = response.content.decode()
    for person in Person.objects.all():
        assert person.name not in page
        assert person.id_number not in page
    for household in Household.objects.all():
        assert household.number not in page
    assert personal_numbers(text_of(response)) == []


def test_the_page_reads_the_snapshot_and_not_the_cards(stranger, first, village):
    before = text_of(shown(stranger, "public:list", first.public_id))
    Household.objects.filter(pk=village.poor.pk).update(head_name="改名了", group="改了组", persons=9)
    assert text_of(shown(stranger, "public:list", first.public_id)) == before


@pytest.mark.parametrize("name", [*PAGES])
def test_no_search_engine_and_no_cache_keeps_a_page(stranger, first, name):
    response = shown(stranger, name, first.public_id)
    assert "noindex" in response["X-Robots-Tag"]
    assert "no-store" in response["Cache-Control"]
    if name != "public:snapshot":
        assert '<meta name="robots" content="noindex' in response.content.decode()


def test_the_list_is_four_queries(stranger, first, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        shown(stranger, "public:list", first.public_id)


# --- the checksum ---------------------------------------------------------------------------------


def test_the_download_has_the_checksum_that_is_shown(stranger, first, tmp_path):
    """By the sha256sum of the machine, as a villager's nephew would check it."""
    response = shown(stranger, "public:snapshot", first.public_id)
    file = tmp_path / "list.txt"
    file.write_bytes(response.content)
    counted = subprocess.run(["sha256sum", str(file)], capture_output=True, text=True, check=True).stdout.split()[0]
    assert counted == first.snapshot.sha256 == hashlib.sha256(response.content).hexdigest()
    assert counted in text_of(shown(stranger, "public:list", first.public_id))
    assert counted in text_of(shown(stranger, "public:poster", first.public_id))
    assert response["Content-Disposition"] == 'attachment; filename="changde-430725103202-1.txt"'
    assert response["Content-Type"] == "text/plain; charset=utf-8"


def test_a_compressed_answer_opens_to_the_same_bytes(stranger, first):
    response = stranger.get(reverse("public:snapshot", args=[first.public_id]), headers={"Accept-Encoding": "gzip, br"})
    assert not response.has_header("Content-Encoding")


# --- the end --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "moment", [shanghai(2026, 11, 23, 10), shanghai(2026, 11, 24), shanghai(2026, 11, 30, 23, 59, 59)]
)
def test_names_are_shown_until_24_of_the_last_day(clock, stranger, first, moment):
    clock.move_to(moment)
    assert "张*华" in text_of(shown(stranger, "public:list", first.public_id))


def test_after_its_period_the_page_says_so_and_shows_no_name(clock, stranger, first):
    clock.move_to(AFTER)
    text = text_of(shown(stranger, "public:list", first.public_id))
    assert "公示期已于 2026-11-30 24:00 结束" in text
    assert first.snapshot.sha256 in text
    for name in PAGES[1:]:
        text += text_of(shown(stranger, name, first.public_id, status=410))
    assert "张*" not in text
    assert "李*" not in text


def test_a_corrected_list_shows_no_name_and_leads_to_its_correction(stranger, first, people):
    draft = lists.correct(publicity_list=first, reason="小组写错", by=people.fengming_cadre)
    assert "张*华" in text_of(shown(stranger, "public:list", first.public_id))
    correction = lists.post(publicity_list=draft, by=people.fengming_team)
    response = shown(stranger, "public:list", first.public_id)
    assert "已经更正" in text_of(response)
    assert "张*华" not in text_of(response)
    assert reverse("public:list", args=[correction.public_id]) in response.content.decode()
    assert first.snapshot.sha256 in text_of(shown(stranger, "public:list", correction.public_id))
    assert "更正第 1 号名单" in text_of(shown(stranger, "public:poster", correction.public_id))


# --- finding a list -------------------------------------------------------------------------------


def test_lists_are_found_by_county_township_and_name(stranger, first):
    address = reverse("public:list", args=[first.public_id])
    assert "桃源县" in text_of(shown(stranger, "public:index"))
    assert "热市镇" in text_of(shown(stranger, "public:index", area=430725000000))
    for query in ({"area": 430725103000}, {"area": 430725103202}, {"q": "凤鸣"}, {"q": "热市"}, {"q": "桃源"}):
        assert address in shown(stranger, "public:index", **query).content.decode(), query


@pytest.mark.parametrize(
    "query", [{"q": "没有的村"}, {"area": 430702000000}, {"area": "x"}, {"area": "99"}, {"q": "%"}]
)
def test_what_is_not_there_is_not_found(stranger, first, query):
    assert first.public_id not in shown(stranger, "public:index", **query).content.decode()


def test_drafts_ended_and_corrected_lists_are_not_in_the_index(clock, stranger, first, people):
    lists.correct(publicity_list=first, reason="小组写错", by=people.fengming_cadre)
    assert "1 份" in text_of(shown(stranger, "public:index"))
    clock.move_to(AFTER)
    assert "现在没有正在公示的名单" in text_of(shown(stranger, "public:index"))


def test_the_index_counts_in_few_queries(stranger, first, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        shown(stranger, "public:index", area=430725103000)


# --- the poster -----------------------------------------------------------------------------------


def test_the_poster_carries_a_qr_code_of_the_public_address(stranger, first, settings):
    import segno

    settings.PUBLIC_URL = "https://cards.example"
    page = shown(stranger, "public:poster", first.public_id).content.decode()
    address = f"https://cards.example/p/{first.public_id}/"
    expected = segno.make(address, error="m", micro=False).svg_inline(
        scale=4, border=2, omitsize=True, dark="#000", light="#fff"
    )
    assert expected.replace("<svg ", '<svg aria-hidden="true" ', 1) in page
    assert address in page
    assert "style=" not in expected


def test_the_poster_is_chinese_whoever_prints_it(stranger, first):
    stranger.cookies["django_language"] = "en"
    text = text_of(shown(stranger, "public:poster", first.public_id))
    assert "公示期 7 天：2026-11-24 00:00 至 2026-11-30 24:00" in text


# --- objecting ------------------------------------------------------------------------------------


def form(**values):
    return {"subject": "2", "text": "他家有车。", "contact": "", "key": new_form_key()} | values


def send(client, listed, **values):
    return client.post(reverse("public:object", args=[listed.public_id]), form(**values))


def test_somebody_objects_without_login_and_sees_the_code_once(stranger, first, village):
    response = send(stranger, first, contact="13812345678")
    (code,) = re.findall(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}", text_of(response))
    objection = Objection.objects.get()
    assert (objection.about, objection.entry.household, objection.contact) == ("listed", village.poor, "13812345678")
    assert "2026-11-30" in text_of(response)
    tracked = text_of(stranger.post(reverse("public:track"), {"code": code.lower()}))
    assert "等待核实" in tracked
    assert "他家有车" not in tracked
    assert code not in text_of(shown(stranger, "public:list", first.public_id))


def test_a_code_never_stands_in_an_address_or_a_session(stranger, first):
    response = send(stranger, first)
    assert response.status_code == 200
    assert "sessionid" not in stranger.cookies


@pytest.mark.parametrize("subject", ["left_out", "list"])
def test_somebody_objects_to_what_is_missing(stranger, first, subject):
    send(stranger, first, subject=subject)
    assert Objection.objects.get().about == subject


def test_the_form_sent_twice_shows_the_same_code(stranger, first):
    key = new_form_key()
    one, two = send(stranger, first, key=key), send(stranger, first, key=key)
    codes = {re.findall(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}", text_of(answer))[0] for answer in (one, two)}
    assert len(codes) == 1
    assert Objection.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"text": ""}, "text"),
        ({"subject": ""}, "subject"),
        ({"subject": "99"}, "subject"),
        ({"text": "长" * 2001}, "text"),
        ({"key": "made-up"}, "页面打开太久了"),
        ({"contact": "1" * 101}, "contact"),
    ],
)
def test_a_wrong_form_comes_back_with_what_was_written(stranger, first, values, said):
    response = send(stranger, first, **values)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Objection.objects.exists()


def test_an_expired_form_can_be_sent_again_as_it_comes_back(stranger, first):
    page = send(stranger, first, key="made-up").content.decode()
    (key,) = re.findall(r'name="key" value="([^"]+)"', page)
    assert send(stranger, first, key=unescape(key)).status_code == 200


def test_objections_are_limited_by_address(stranger, first):
    for number in range(20):
        assert send(stranger, first, text=f"意见{number}").status_code == 200
    refused = send(stranger, first, text="又一条")
    assert (refused.status_code, refused["Retry-After"]) == (429, "3600")
    assert Objection.objects.count() == 20
    elsewhere = stranger.post(
        reverse("public:object", args=[first.public_id]), form(text="另一处"), REMOTE_ADDR="10.1.2.3"
    )
    assert elsewhere.status_code == 200


def test_the_code_page_is_limited_by_address(stranger, first):
    for _number in range(30):
        assert stranger.post(reverse("public:track"), {"code": "ABCD-EFGH-2345"}).status_code == 200
    assert stranger.post(reverse("public:track"), {"code": "ABCD-EFGH-2345"}).status_code == 429
    assert shown(stranger, "public:track")


def test_behind_a_proxy_the_limit_counts_the_address_the_proxy_saw(stranger, first, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    address = reverse("public:track")

    def ask(seen):
        return stranger.post(
            address, {"code": "x"}, HTTP_X_FORWARDED_FOR=f"1.1.1.1, {seen}", HTTP_X_FORWARDED_PROTO="https"
        ).status_code

    assert [ask("10.0.0.1") for _number in range(31)][-1] == 429
    assert ask("10.0.0.2") == 200


def test_a_cache_that_is_down_lets_an_objection_through(stranger, first, monkeypatch):
    def down(*_arguments, **_options):
        raise ConnectionError

    monkeypatch.setattr(cache, "add", down)
    assert send(stranger, first).status_code == 200


def test_tracking_shows_the_answer_and_no_officer(stranger, first, people):
    from supervision.services import objections

    raised = object_to(first)
    objections.note_visit(
        objection=raised.objection, on=first.snapshot.posted_at.date(), note="看过", by=people.reshi_officer
    )
    objections.decide(objection=raised.objection, decision="upheld", answer="属实，已退出。", by=people.reshi_officer)
    text = text_of(stranger.post(reverse("public:track"), {"code": raised.code}))
    assert "属实，已退出。" in text
    assert "异议成立" in text
    assert people.reshi_officer.name not in text


def test_an_unknown_code_is_told_so(stranger, first):
    assert "没有这个查询码" in text_of(stranger.post(reverse("public:track"), {"code": "ABCD-EFGH-2345"}))


def test_the_pages_speak_english_too(stranger, first):
    stranger.cookies["django_language"] = "en"
    text = text_of(shown(stranger, "public:list", first.public_id))
    assert "Raise an objection" in text
    assert "To be registered as poor" in text
