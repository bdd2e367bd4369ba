"""The index workshop in the browser: the standards of each year, a version in words, the builder, its steps."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from changde.divisions.models import Division
from households.domain.index_draft import to_fields, typed_of
from households.models import IndexVersion
from households.services import index_versions as services
from tests.api import token_of
from tests.conftest import login
from tests.households import golden
from tests.households.test_index_lifecycle import in_state, started
from tests.households.test_index_versions import released_in_taoyuan, tried
from tests.personas import TAOYUAN, People

pytestmark = pytest.mark.django_db

LIST = "/index/"


@pytest.fixture
def default() -> IndexVersion:
    draft = services.draft_version(division=None, system=golden.DEFAULTS[2019], by=None)
    return services.release_version(version=draft, by=None)


@pytest.fixture
def draft(default: IndexVersion, people: People) -> IndexVersion:
    return started(people, default)


@pytest.fixture
def office(people: People) -> Client:
    return login(people.taoyuan_office)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def posted(version: IndexVersion, action: str, **changes: str) -> dict[str, Any]:
    """What the builder posts of a draft, some controls changed."""
    pairs: dict[str, Any] = {}
    for name, value in to_fields(version.unfinished or typed_of(version.definition)):
        pairs.setdefault(name, []).append(value)
    return pairs | {"revision": str(version.revision), "action": action} | changes


WEIGHT = "dimensions.1.indicators.0.weight"


def test_the_overview_shows_the_lines_of_each_year_and_starts_a_draft_with_one_click(
    office: Client, default: IndexVersion
) -> None:
    page = text(office.get(LIST))
    assert "3,218" in page and "4,827" in page and "全市默认" in page
    answer = office.post("/index/draft/", {"place": TAOYUAN, "year": 2019, "copied_from": default.pk})
    draft = IndexVersion.objects.get(division=TAOYUAN)
    assert (answer.status_code, answer["Location"]) == (302, f"/index/{draft.pk}/edit/")
    assert "草稿与待发布" in text(office.get(LIST))


def test_the_overview_costs_the_same_queries_however_many_versions(
    people: People, office: Client, default: IndexVersion, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for _again in range(3):
        released_in_taoyuan(people)
        started(people, default)
    office.get(LIST)
    with django_assert_max_num_queries(16):
        assert office.get(LIST).status_code == 200


def test_without_any_version_the_page_says_who_begins(people: People) -> None:
    assert "由市或县扶贫办起草" in text(login(people.fengming_cadre).get(LIST))


def test_a_village_reads_the_version_in_force_in_sentences(people: People, default: IndexVersion) -> None:
    page = text(login(people.fengming_cadre).get(f"/index/{default.pk}/"))
    assert "家庭年纯收入低于 收入标准线 × 计入家庭人口" in page
    assert "住房面积低于 13 × 计入家庭人口" in page
    assert "有卫生厕所为 否 且 主要燃料类型为 柴草、干畜粪、煤炭" in page
    assert "1/16" in page and "6.25 %" in page
    assert "作废" not in page and "/edit/" not in page


def test_a_version_says_how_it_differs_from_the_one_in_force(
    office: Client, draft: IndexVersion, people: People
) -> None:
    office.post(f"/index/{draft.pk}/edit/", posted(draft, "save", income_line="3,300", **{WEIGHT: "0.0625"}))
    page = text(office.get(f"/index/{draft.pk}/"))
    assert "<del>3,218.00 元</del> → <ins>3,300.00 元</ins>" in page
    assert page.count("<ins>") == 1


def test_the_definition_is_a_file(office: Client, default: IndexVersion) -> None:
    answer = office.get(f"/index/{default.pk}/definition.json")
    assert json.loads(answer.content) == default.definition
    assert answer["Content-Disposition"] == 'attachment; filename="index-city-2019-1.json"'


# -- the builder ------------------------------------------------------


def test_a_wrong_sum_and_a_wrong_figure_stand_at_their_place_and_nothing_is_lost(
    office: Client, draft: IndexVersion
) -> None:
    answer = office.post(f"/index/{draft.pk}/edit/", posted(draft, "save", zh="我县标准", **{WEIGHT: "0.3"}))
    assert answer.status_code == 422
    page = text(answer)
    assert "各项权重之和应为 1" in page and "多了 0.2375" in page
    assert 'value="我县标准"' in page and f'name="{WEIGHT}" value="0.3"' in page
    answer = office.post(f"/index/{draft.pk}/edit/", posted(draft, "save", **{WEIGHT: "零点三"}))
    assert f'id="e-{WEIGHT}"' in text(answer) and f'href="#c-{WEIGHT}"' in text(answer)
    draft.refresh_from_db()
    assert draft.revision == 1


def test_a_step_of_the_builder_saves_nothing_and_shows_what_it_did(office: Client, draft: IndexVersion) -> None:
    answer = office.post(f"/index/{draft.pk}/edit/", posted(draft, "open:dimensions.1.indicators.1"))
    page = text(answer)
    assert answer.status_code == 200 and "取自：住房面积" in page and '<option value="members" selected>' in page
    fragment = office.post(
        f"/index/{draft.pk}/edit/",
        posted(draft, "add:vetoes"),
        headers={"HX-Request": "true", "HX-Target": "builder"},
    )
    assert "<html" not in text(fragment) and f'name="vetoes.{len(draft.system.vetoes)}.id"' in text(fragment)
    draft.refresh_from_db()
    assert (draft.revision, len(draft.system.vetoes)) == (1, 4)


def test_another_kind_of_feature_gets_the_controls_that_fit(office: Client, draft: IndexVersion) -> None:
    place = "dimensions.1.indicators.1"
    field = {f"{place}.rule.field": "entrance_road", f"{place}.open": "1"}
    page = text(office.post(f"/index/{draft.pk}/edit/", posted(draft, f"refresh:{place}.rule.field", **field)))
    assert f'type="checkbox" name="{place}.rule.words" value="泥土路"' in page and "不为其中任何一项" in page
    refused = text(office.post(f"/index/{draft.pk}/edit/", posted(draft, "save", **field)))
    assert "请至少选一项" in refused


def test_what_is_not_right_yet_is_kept_and_shown_again(office: Client, draft: IndexVersion) -> None:
    answer = office.post(f"/index/{draft.pk}/edit/", posted(draft, "keep", **{WEIGHT: "0.3"}), follow=True)
    assert "没改完的内容" in text(answer)
    page = text(office.get(f"/index/{draft.pk}/edit/"))
    assert f'name="{WEIGHT}" value="0.3"' in page and "各项权重之和应为 1" in page


def test_a_colleagues_edit_is_never_overwritten_unasked(office: Client, draft: IndexVersion, people: People) -> None:
    login(people.taoyuan_second).post(f"/index/{draft.pk}/edit/", posted(draft, "save", cutoff="0.4"))
    answer = office.post(f"/index/{draft.pk}/edit/", posted(draft, "save", cutoff="0.5"))
    page = text(answer)
    assert answer.status_code == 409 and "保存了另一稿" in page and 'value="0.5"' in page
    assert office.post(f"/index/{draft.pk}/edit/", posted(draft, "overwrite:2", cutoff="0.5")).status_code == 302
    draft.refresh_from_db()
    assert str(draft.system.cutoff) == "1/2"


# -- the steps ---------------------------------------------------------------


def test_two_colleagues_release_a_tried_draft(people: People, office: Client, draft: IndexVersion) -> None:
    today = timezone.localdate().isoformat()
    answer = office.post(f"/index/{draft.pk}/propose/", {"effective_from": today})
    assert answer.status_code == 422 and "还没有完整试算" in text(answer)
    tried(draft)
    past = office.post(f"/index/{draft.pk}/propose/", {"effective_from": "2019-01-01"})
    assert past.status_code == 422 and "生效日期不能早于今天" in text(past)
    assert f'name="effective_from" value="{today}"' in text(office.get(f"/index/{draft.pk}/"))
    office.post(f"/index/{draft.pk}/propose/", {"effective_from": today})
    assert "核对无误，发布" not in text(office.get(f"/index/{draft.pk}/"))
    second = login(people.taoyuan_second)
    assert "核对并发布识别标准" in text(second.get("/"))
    page = text(second.get(f"/index/{draft.pk}/"))
    assert "核对无误，发布" in page and "退回" in page
    answer = second.post(f"/index/{draft.pk}/release/", {"revision": draft.revision}, follow=True)
    assert "现在重新测算" in text(answer) and "/runs/?year=2019" in text(answer)
    assert "2019 年度" in text(second.get("/runs/?year=2019"))


def test_a_proposal_goes_back_with_a_reason_or_is_withdrawn(
    people: People, office: Client, draft: IndexVersion
) -> None:
    in_state(draft, people, "proposed")
    second = login(people.taoyuan_second)
    assert second.post(f"/index/{draft.pk}/send-back/", {"reason": " "}).status_code == 422
    second.post(f"/index/{draft.pk}/send-back/", {"reason": "权重不妥"})
    assert "权重不妥" in text(office.get(f"/index/{draft.pk}/")) and "修改被退回的识别标准" in text(office.get("/"))
    services.propose_version(version=draft, by=people.taoyuan_office)
    assert "已撤回" in text(office.post(f"/index/{draft.pk}/withdraw/", follow=True))


def test_a_scheduled_version_is_cancelled_with_a_reason(
    people: People, office: Client, draft: IndexVersion, default: IndexVersion
) -> None:
    version = in_state(draft, people, "scheduled")
    assert "取消这一版" in text(office.get(f"/index/{version.pk}/"))
    assert "取消这一版" not in text(login(people.inspector).get(f"/index/{version.pk}/"))
    refused = office.post(f"/index/{version.pk}/cancel/", {"reason": " "})
    assert refused.status_code == 422 and "<details open>" in text(refused)
    page = text(office.post(f"/index/{version.pk}/cancel/", {"reason": "权重不妥"}, follow=True))
    assert "不再生效" in page and "取消：权重不妥" in page and "取消这一版" not in page
    reader = login(people.fengming_cadre)
    assert "没有生效" in text(reader.get("/index/")) and "权重不妥" in text(reader.get(f"/index/{version.pk}/"))


def test_a_discarded_draft_is_taken_back_from_the_notice(office: Client, draft: IndexVersion) -> None:
    page = text(office.post(f"/index/{draft.pk}/discard/", follow=True))
    assert f"/index/{draft.pk}/restore/" in page and "撤销" in page
    assert office.get(f"/index/{draft.pk}/").status_code == 404
    assert "草稿已取回" in text(office.post(f"/index/{draft.pk}/restore/", follow=True))


def test_a_released_version_is_not_edited(people: People, office: Client) -> None:
    version = released_in_taoyuan(people)
    answer = office.get(f"/index/{version.pk}/edit/", follow=True)
    assert "不能再改动" in text(answer)
    assert Division.objects.get(code=TAOYUAN) == version.division


def test_a_county_system_reads_what_is_released_for_its_county(people: People, draft: IndexVersion) -> None:
    own = released_in_taoyuan(people)
    client = Client(headers={"Authorization": f"Bearer {token_of(people.county_system)}"})
    rows = client.get("/api/v1/index-versions/?year=2019").json()["results"]
    assert [(row["county_code"], row["number"], row["state"]) for row in rows] == [
        (None, 1, "released"),
        (str(TAOYUAN), own.number, "released"),
    ]
    assert (rows[1]["definition"], rows[1]["digest"]) == (own.definition, own.digest)
    assert client.get(f"/api/v1/index-versions/{draft.pk}/").status_code == 404
