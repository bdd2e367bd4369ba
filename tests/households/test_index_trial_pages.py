"""Trials in the browser: begin, watch, read, take along; only offices, and only over their own area."""

from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from changde.audit.models import Event
from households.models import IndexTrial, IndexVersion
from households.services import index_trials
from households.services.index_versions import load_default_versions
from tests.conftest import login
from tests.factories import make_household
from tests.households.test_index_trials import YEAR, cards, division, draft, system, try_now
from tests.personas import FENGMING, OTHER_VILLAGE, RESHI, TAOYUAN


@pytest.fixture
def tried(people) -> IndexTrial:
    load_default_versions()
    cards()
    return try_now(draft())


def text(answer) -> str:
    return answer.content.decode()


def test_an_office_finds_its_draft_and_begins_a_trial(people):
    load_default_versions()
    cards()
    version = draft()
    office = login(people.taoyuan_office)
    address = f"/index/{version.pk}/trials/"
    assert address in text(office.get(address.removesuffix("trials/")))
    assert "还没有试算过" in text(office.get(address))
    answer = office.post(address, {"place": TAOYUAN, "year": YEAR}, follow=True)
    tried = IndexTrial.objects.get()
    assert (tried.owner, tried.division_id, tried.year) == (people.taoyuan_office, TAOYUAN, YEAR)
    assert answer.redirect_chain == [(f"/index/trials/{tried.pk}/", 302)]
    assert "正在逐乡镇试算" in text(answer)
    assert f'hx-get="/index/trials/{tried.pk}/"' in text(answer)


def test_a_year_without_sheets_and_a_trial_under_way_are_refused_in_words(people):
    load_default_versions()
    cards()
    version = draft()
    office = login(people.taoyuan_office)
    address = f"/index/{version.pk}/trials/"
    refused = office.post(address, {"place": TAOYUAN, "year": 2017})
    assert (refused.status_code, "没有2017年的年度表" in text(refused)) == (422, True)
    assert office.post(address, {"place": RESHI, "year": 1999}).status_code == 422
    index_trials.start_trial(version=version, division=division(TAOYUAN), year=YEAR, by=None)
    assert "这个版本正在试算" in text(office.post(address, {"place": TAOYUAN, "year": YEAR}))


def test_the_page_says_who_enters_and_shows_all_figures(people, tried):
    page = text(login(people.taoyuan_office).get(f"/index/trials/{tried.pk}/"))
    assert "在2019年的户卡上试算：绝对贫困新进 2 户，退出 0 户，3 户不变。" in page
    assert "另有 1 户缺数据" in page
    for part in ('id="matrix"', 'id="measures"', 'id="errors"', 'id="contributions"', 'id="sensitivity"'):
        assert part in page
    assert f"/index/trials/{tried.pk}/villages/{FENGMING}/" in page
    assert "版本又改动过" not in page


def test_a_changed_draft_makes_its_trial_out_of_date_on_the_page_and_in_the_list(people, tried):
    changed = system(income_line="4500", monitoring_line="6000")
    IndexVersion.objects.filter(pk=tried.version_id).update(definition=changed.to_json(), digest=changed.digest)
    office = login(people.taoyuan_office)
    assert "版本又改动过" in text(office.get(f"/index/trials/{tried.pk}/"))
    assert "版本已改动" in text(office.get(f"/index/{tried.version_id}/trials/"))


def test_another_year_says_whose_lines_it_uses(people):
    load_default_versions()
    make_household(FENGMING, members=1, year=2018, wage_income=3_100)
    tried = try_now(draft(year=2020, income_line="9000", monitoring_line="9500"), year=2018)
    page = text(login(people.taoyuan_office).get(f"/index/trials/{tried.pk}/"))
    assert "收入线和监测线用 2018 年的（2,995 元、4,492.50 元）" in page


def test_villages_are_found_by_township_and_name(people, tried):
    office = login(people.taoyuan_office)
    here = f"/index/trials/{tried.pk}/"

    def shown(query: str) -> set[int]:
        part = text(office.get(here + query, headers={"HX-Request": "true", "HX-Target": "trial-villages"}))
        assert 'id="matrix"' not in part
        assert 'id="trial-villages"' not in part
        return {code for code in (FENGMING, OTHER_VILLAGE, 430725101001) if f"/villages/{code}/" in part}

    assert shown("") == {FENGMING, OTHER_VILLAGE, 430725101001}
    assert shown(f"?within={RESHI}") == {FENGMING, OTHER_VILLAGE}
    assert shown("?village=凤鸣") == {FENGMING}
    assert shown("?village=fm") == {FENGMING}
    assert shown("?within=x&village=没有") == set()


def test_examples_name_what_differs_and_lead_to_the_card(people, tried):
    office = login(people.taoyuan_office)
    (household,) = tried.villages.get(village_id=FENGMING).examples["relative.absolute"]
    page = text(office.get(f"/index/trials/{tried.pk}/villages/{FENGMING}/"))
    assert f"/households/{household}/" in page
    assert "只有试算版算作缺失：收入" in page
    assert "只低于试算版的收入线（4,000 元）" in page
    assert "这里举" not in page
    read = Event.objects.get(verb="index.read_trial_examples")
    assert (read.actor, read.area, read.facts["households"]) == (people.taoyuan_office, FENGMING, 1)
    assert office.get(f"/index/trials/{tried.pk}/villages/{FENGMING + 50}/").status_code == 404


def test_an_example_whose_card_changed_since_says_so(people, tried):
    row = tried.villages.get(village_id=FENGMING)
    (household,) = row.examples["relative.absolute"]
    row.trial.villages.filter(pk=row.pk).update(examples={"relative.not_poor": [household]}, sums={
        "households.relative.not_poor": 9, "persons.relative.not_poor": 9,
    })  # fmt: skip
    page = text(login(people.taoyuan_office).get(f"/index/trials/{tried.pk}/villages/{FENGMING}/"))
    assert "试算后户卡有改动" in page
    assert "这里举 1 户为例" in page


def test_the_workbook_holds_figures_and_nobody(people, tried):
    office = login(people.taoyuan_office)
    answer = office.get(f"/index/trials/{tried.pk}/figures.xlsx")
    book = CalamineWorkbook.from_filelike(BytesIO(answer.content))
    cells = [
        str(cell) for sheet in book.sheet_names for row in book.get_sheet_by_name(sheet).to_python() for cell in row
    ]
    assert book.sheet_names == ["说明", "变动", "指标", "错位", "敏感性", "分村"]
    assert len(book.get_sheet_by_name("分村").to_python()) == 4
    assert not any("张建华" in cell for cell in cells)
    exported = Event.objects.get(verb="index.export_trial")
    assert (exported.kind, exported.facts["rows"]) == (Event.Kind.EXPORT, 3)


def test_a_trial_is_cancelled_and_keeps_no_figures(people):
    load_default_versions()
    cards()
    tried = index_trials.start_trial(version=draft(), division=division(TAOYUAN), year=YEAR, by=people.taoyuan_office)
    office = login(people.taoyuan_office)
    assert "已停止，没有留下任何数字" in text(office.post(f"/index/trials/{tried.pk}/cancel/", follow=True))
    assert "已经结束" in text(office.post(f"/index/trials/{tried.pk}/cancel/", follow=True))
    assert "没有可下载的数字" in text(office.get(f"/index/trials/{tried.pk}/figures.xlsx", follow=True))


def test_offices_see_trials_of_their_own_area_only(people, tried):
    for address in (f"/index/{tried.version_id}/trials/", f"/index/trials/{tried.pk}/"):
        assert login(people.wuling_office).get(address).status_code == 404
        assert login(people.city_office).get(address).status_code == 200
        assert login(people.reshi_officer).get(address).status_code == 403


def test_the_pages_ask_a_fixed_number_of_queries(people, tried):
    client = login(people.taoyuan_office)
    for address, limit in (
        (f"/index/{tried.version_id}/trials/", 22),
        (f"/index/trials/{tried.pk}/", 16),
        (f"/index/trials/{tried.pk}/villages/{FENGMING}/", 16),
    ):
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        assert len(asked) <= limit, address
