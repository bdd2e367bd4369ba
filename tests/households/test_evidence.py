"""Evidence photos: what is taken in and what is refused, what stays behind, who may see and do what."""

import io
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from PIL import Image, ImageFile

from changde.accounts.refusal import Refusal
from changde.audit.models import Event
from changde.crypto.cipher import CannotDecrypt
from households.domain.photo import MEGABYTE, PhotoRefused, take_in
from households.models import Evidence, EvidenceContent, Household
from households.services import evidence as services
from tests.factories import make_household
from tests.households import photos
from tests.personas import FENGMING, People

LARGEST = 12 * MEGABYTE


@pytest.fixture
def household(db: None) -> Household:
    return make_household(FENGMING, head="张建华")


@pytest.fixture
def cadre(people: People, as_user: Callable[..., Client]) -> Client:
    return as_user(people.fengming_cadre)


def send(client: Client, household: Household, content: bytes, **fields: Any) -> Any:
    file = io.BytesIO(content)
    file.name = "IMG_20190506.jpg"
    fields = {"kind": "house", "caption": "后墙", "year": 2019} | fields
    return client.post(f"/households/{household.pk}/evidence/", {"photo": file, **fields})


def address(evidence: Evidence, rest: str = "") -> str:
    return f"/households/{evidence.household_id}/evidence/{evidence.pk}/{rest}"


def text(answer: Any) -> str:
    return answer.content.decode()


# -- what is kept of a photo ------------------------------


def test_place_camera_comment_and_owner_stay_behind_and_the_time_is_kept_apart():
    content = photos.from_a_phone(longitude=111.5, owner="张建华", taken="2019:05:06 07:08:09")
    assert b"GPS" not in content and all(mark in content for mark in photos.MARKS)
    kept = take_in(content, largest=LARGEST)
    for file in (kept.full, kept.thumbnail):
        with Image.open(io.BytesIO(file)) as image:
            assert (dict(image.getexif()), image.info.get("comment"), image.info.get("icc_profile")) == ({}, None, None)
        assert [mark for mark in (*photos.MARKS, b"Exif", b"http://ns.adobe.com", b"ICC_PROFILE") if mark in file] == []
    assert f"{kept.taken:%Y-%m-%d %H:%M:%S}" == "2019-05-06 07:08:09"


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photo_is_turned_upright(orientation):
    kept = take_in(photos.red_on_top(orientation), largest=LARGEST)
    with Image.open(io.BytesIO(kept.full)) as image:
        red, green, _blue = image.getpixel((image.width // 2, 8))
    assert (red > 200, green < 60, image.size) == (True, True, (300, 400))


def test_a_large_photo_becomes_1600_pixels_long():
    kept = take_in(photos.jpeg(size=(4000, 3000)), largest=LARGEST)
    assert (kept.width, kept.height) == (1600, 1200)
    assert len(kept.thumbnail) < 30_000


@pytest.mark.parametrize("make", [photos.png, photos.webp, photos.transparent, photos.two_in_one, photos.torn_metadata])
def test_honest_files_of_other_kinds_are_taken(make):
    with Image.open(io.BytesIO(take_in(make(), largest=LARGEST).full)) as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: b"", "photo-empty"),
        (lambda: b"%PDF-1.7 not a photo", "photo-kind"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "photo-kind"),
        (photos.gif, "photo-kind"),
        (photos.heic, "photo-heic"),
        (photos.animated, "photo-animated"),
        (photos.png_bomb, "photo-pixels"),
        (photos.jpeg_that_claims_too_much, "photo-pixels"),
        (photos.many_scans, "photo-broken"),
        (photos.cut_off, "photo-broken"),
        (photos.text_bomb, "photo-broken"),
        (lambda: photos.jpeg(size=(8, 8)), "photo-small"),
        (lambda: photos.jpeg() + b"\0" * LARGEST, "photo-large"),
    ],
)
def test_hostile_and_wrong_files_are_refused(make, code):
    with pytest.raises(PhotoRefused) as refused:
        take_in(make(), largest=LARGEST)
    assert refused.value.code == code


def test_a_torn_photo_is_refused_also_after_the_press_has_made_pillow_lenient(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(PhotoRefused, match="photo-broken"):
        take_in(photos.cut_off(), largest=LARGEST)


# -- adding ------------------------------


def test_a_photo_is_added_encrypted_and_seen_in_the_viewer(cadre, household, people):
    answer = send(cadre, household, photos.from_a_phone())
    assert answer["Location"] == f"/households/{household.pk}/?tab=evidence&year=2019"
    evidence = Evidence.objects.get()
    assert (evidence.kind, evidence.caption, evidence.uploaded_by) == ("house", "后墙", people.fengming_cadre)
    assert "后墙" in text(cadre.get(answer["Location"]))
    assert "后墙" in text(cadre.get(address(evidence)))
    picture = cadre.get(address(evidence, "photo.jpg"))
    assert (picture["Content-Type"], picture["Cache-Control"], picture["X-Content-Type-Options"]) == (
        "image/jpeg", "private, no-store", "nosniff",
    )  # fmt: skip
    with Image.open(io.BytesIO(picture.content)) as image:
        assert image.size == (evidence.width, evidence.height)
    verbs = Event.objects.filter(target_kind="households.household").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == [
        "households.add_evidence", "households.read_card", "households.read_evidence", "households.read_photo",
    ]  # fmt: skip


def test_the_picture_is_not_readable_in_the_database_and_opens_for_its_own_row_only(cadre, household):
    send(cadre, household, photos.jpeg())
    send(cadre, household, photos.png())
    first, second = EvidenceContent.objects.order_by("pk")
    assert first.photo.startswith(b"\xff\xd8") and b"JFIF" not in bytes(first.photo_cipher)
    assert b"JFIF" not in bytes(first.thumbnail_cipher)
    EvidenceContent.objects.filter(pk=second.pk).update(photo_cipher=first.photo_cipher)
    with pytest.raises(CannotDecrypt):
        _ = EvidenceContent.objects.get(pk=second.pk).photo


def test_a_repeated_sending_is_one_photo(cadre, household):
    key = uuid4()
    answers = [send(cadre, household, photos.jpeg(), client_key=key).status_code for _ in range(2)]
    assert (answers, Evidence.objects.count()) == ([302, 302], 1)


@pytest.mark.parametrize(
    ("content", "fields", "words"),
    [
        (b"not a photo", {}, "这不是照片"),
        (photos.heic(), {}, "HEIC"),
        (photos.jpeg(), {"kind": ""}, "请选择照片拍的是什么"),
        (photos.jpeg(), {"caption": "户主 43072519430904643X"}, "不要写证件号码"),
        (photos.jpeg(), {"year": 1850}, "2010"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_kept(cadre, household, content, fields, words):
    answer = send(cadre, household, content, **fields)
    assert (answer.status_code, words in text(answer), Evidence.objects.count()) == (422, True, 0)


def test_a_form_without_a_photo_says_so(cadre, household):
    answer = cadre.post(f"/households/{household.pk}/evidence/", {"kind": "house", "year": 2019})
    assert (answer.status_code, "请拍摄或选择一张照片" in text(answer)) == (422, True)


def test_a_card_takes_so_many_photos_a_year_and_no_more(cadre, household, settings):
    settings.EVIDENCE_MAX_PHOTOS = 2
    for tone in (10, 20):
        send(cadre, household, photos.jpeg(tone=tone))
    answer = send(cadre, household, photos.jpeg(tone=30))
    assert (answer.status_code, "已有 2 张照片" in text(answer), Evidence.objects.count()) == (422, True, 2)
    assert send(cadre, household, photos.jpeg(tone=30), year=2018).status_code == 302


def test_a_file_too_large_is_refused_with_the_limit(cadre, household, settings):
    settings.EVIDENCE_MAX_BYTES = MEGABYTE
    answer = send(cadre, household, photos.jpeg() + b"\0" * MEGABYTE)
    assert (answer.status_code, "照片超过 1 MB" in text(answer)) == (422, True)


def test_the_same_photo_twice_is_refused(cadre, household):
    send(cadre, household, photos.jpeg())
    answer = send(cadre, household, photos.jpeg())
    assert (answer.status_code, "已经有了" in text(answer), Evidence.objects.count()) == (422, True, 1)


def test_the_script_gets_the_tile_or_the_reason(cadre, household):
    file, headers = io.BytesIO(photos.jpeg()), {"HX-Request": "true"}
    file.name = "photo.jpg"
    fields = {"photo": file, "kind": "water", "year": 2019, "taken": 1557097689000}
    taken = cadre.post(f"/households/{household.pk}/evidence/", fields, headers=headers)
    assert text(taken).strip().startswith("<li>") and "2019-05-06" in text(taken)
    wrong = cadre.post(f"/households/{household.pk}/evidence/", {"kind": "water", "year": 2019}, headers=headers)
    assert (wrong.status_code, text(wrong).split("{")[0].strip()) == (422, "<p>请拍摄或选择一张照片</p>")


def added_at_once(monkeypatch: pytest.MonkeyPatch, people: People) -> list[str]:
    """Two photos where one has room, their writers waiting for each other after they have counted, where they can."""
    household, barrier, allocate = make_household(FENGMING), threading.Barrier(2), services.allocate_ids

    def together(*arguments: Any) -> list[int]:
        with suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=2)
        return allocate(*arguments)

    monkeypatch.setattr(services, "allocate_ids", together)
    answers: list[str] = []

    def run(tone: int) -> None:
        content = photos.jpeg(tone=tone)
        try:
            services.add(household=household, year=2019, kind="house", content=content, by=people.fengming_cadre)
            answers.append("added")
        except Refusal as refusal:
            answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(tone,)) for tone in (10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


def test_two_photos_at_once_do_not_pass_the_limit_together(committed_db, people, monkeypatch, settings):
    settings.EVIDENCE_MAX_PHOTOS = 1
    assert added_at_once(monkeypatch, people) == ["added", "evidence_full"]


def test_without_the_lock_they_do(committed_db, people, monkeypatch, settings):
    """Negative control: the test above must be able to fail."""
    settings.EVIDENCE_MAX_PHOTOS = 1
    monkeypatch.setattr(services, "_lock", lambda household: None)
    assert added_at_once(monkeypatch, people) == ["added", "added"]


# -- taking off and putting back ------------------------------


def test_a_photo_is_taken_off_with_a_reason_and_put_back(cadre, household, people):
    send(cadre, household, photos.jpeg())
    evidence = Evidence.objects.get()
    assert cadre.post(address(evidence, "remove/"), {"reason": ""}).status_code == 422
    cadre.post(address(evidence, "remove/"), {"reason": "拍的是邻居家"})
    evidence.refresh_from_db()
    assert (evidence.removed_by, evidence.removed_reason) == (people.fengming_cadre, "拍的是邻居家")
    assert cadre.get(address(evidence, "photo.jpg")).status_code == 404
    assert "拍的是邻居家" in text(cadre.get(f"/households/{household.pk}/?tab=evidence"))
    cadre.post(address(evidence, "restore/"))
    assert cadre.get(address(evidence, "photo.jpg")).status_code == 200
    acts = (
        Event.objects.filter(kind="write", target_id=str(household.pk), verb__endswith="evidence")
        .order_by("pk")
        .values_list("verb", flat=True)
    )
    assert [verb.removeprefix("households.") for verb in acts] == [
        "add_evidence",
        "remove_evidence",
        "restore_evidence",
    ]
    history = text(cadre.get(f"/households/{household.pk}/?tab=history"))
    assert [words in history for words in ("添加佐证照片", "移除佐证照片", "恢复佐证照片")] == [True] * 3


def test_a_photo_added_again_meanwhile_cannot_be_put_back(cadre, household, people):
    send(cadre, household, photos.jpeg())
    evidence = Evidence.objects.get()
    services.remove(evidence=evidence, reason="重拍", by=people.fengming_cadre)
    send(cadre, household, photos.jpeg())
    with pytest.raises(Refusal, match="已经有了"):
        services.restore(evidence=evidence, by=people.fengming_cadre)


# -- rights and cost ------------------------------


@pytest.mark.parametrize("rest", ["", "photo.jpg", "thumbnail.jpg"])
def test_people_of_other_areas_find_no_photo(household, people, as_user, rest):
    evidence = services.add(
        household=household, year=2019, kind="house", content=photos.jpeg(), by=people.fengming_cadre
    )
    statuses = {
        name: as_user(getattr(people, name)).get(address(evidence, rest)).status_code
        for name in ("fengming_team", "reshi_officer", "inspector", "other_cadre", "wuling_office", "no_post")
    }
    assert list(statuses.values()) == [200, 200, 200, 404, 404, 403]


def test_who_may_only_read_cannot_add(household, people):
    with pytest.raises(Refusal, match="不在您的辖区"):
        services.add(household=household, year=2019, kind="house", content=photos.jpeg(), by=people.inspector)


def test_the_photo_of_one_card_is_not_found_under_another(cadre, household):
    send(cadre, household, photos.jpeg())
    other, evidence = make_household(FENGMING, head="李四"), Evidence.objects.get()
    assert cadre.get(f"/households/{other.pk}/evidence/{evidence.pk}/photo.jpg").status_code == 404


def test_the_number_of_photos_costs_no_queries_and_no_picture_is_read_for_the_list(
    cadre, household, people, django_assert_max_num_queries
):
    for tone in range(5):
        services.add(
            household=household, year=2019, kind="house", content=photos.jpeg(tone=tone * 20), by=people.fengming_cadre
        )
    with django_assert_max_num_queries(24) as queries:
        assert text(cadre.get(f"/households/{household.pk}/?tab=evidence")).count("thumbnail.jpg") == 5
    assert [query for query in queries.captured_queries if "evidencecontent" in query["sql"]] == []


def test_the_database_itself_refuses_a_photo_taken_off_by_nobody(cadre, household):
    send(cadre, household, photos.jpeg())
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE households_evidence SET removed_at = now()")
