"""`manage.py findings`, the job behind the button, the page of comparisons; a planted city as a drill."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from changde.crypto.cipher import blind_index
from changde.jobs.models import Job
from changde.jobs.services import run_job
from households import tasks  # noqa: F401  its handlers do the jobs
from households.benchmarks.findings import rates
from households.lead_messages import sentence
from households.models import Comparison, Finding, Household, VillageCadre
from households.services import detection
from households.services.index_versions import load_default_versions
from tests.factories import make_household
from tests.personas import FENGMING, TAOYUAN


def findings(*options: str) -> list[dict]:
    out = io.StringIO()
    call_command("findings", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def cadre_registered(db):
    """A household on the list whose phone is that of the village's secretary."""
    load_default_versions()
    card = make_household(FENGMING, status="registered")
    card.phone_cipher, card.phone_hash = b"x", blind_index("13800000001", kind="phone")
    card.save(update_fields=["phone_cipher", "phone_hash"])
    VillageCadre.objects.create(
        village_id=FENGMING, name="某书记", post="secretary", phone_cipher=b"x", phone_hash=card.phone_hash
    )
    return card


def test_the_command_prints_and_keeps_a_lead_with_its_reason(cadre_registered):
    assert findings("--division", str(TAOYUAN), "--kind", "kin", "--no-keep")[0]["kind"] == "kin"
    assert not Finding.objects.of_leads().exists()
    found = [row for row in findings("--division", str(FENGMING)) if row["kind"] == "kin"]
    card = cadre_registered
    assert [(row["household"], row["id"]) for row in found] == [(card.number or str(card.pk), card.pk)]
    assert found[0]["reasons"] == ["本户与本村村党组织书记使用同一电话"]
    assert Finding.objects.of_leads().get(kind="kin").household == card


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [("--division", "1", "行政区划"), ("--kind", "nothing", "种类"), ("--year", "3", "年度")],
)
def test_the_command_refuses_what_does_not_exist(cadre_registered, option, value, words):
    with pytest.raises(CommandError, match=words):
        findings(option, value)


def test_the_button_starts_one_job_that_keeps_leads_and_writes_comparisons(cadre_registered, people, as_user):
    county = as_user(people.taoyuan_office)
    for _twice in range(2):
        assert county.post(reverse("households:detect"), {"area": TAOYUAN}).status_code == 302
    job = Job.objects.get(kind=detection.AREA_JOB)
    run_job(job.pk)
    run_job(job.children.get().pk)
    assert Finding.objects.of_leads().filter(kind="kin").exists()
    assert Comparison.objects.get(unit="village", area=FENGMING).cards == 1


def test_comparisons_are_the_countys_own_in_the_order_asked_for(db, people, as_user, django_assert_max_num_queries):
    for area, cards in ((FENGMING, 5), (FENGMING + 1, 9)):
        Comparison.objects.create(unit="village", area=area, year=2019, cards=cards, below_line=0.2)
    county, other = as_user(people.taoyuan_office), as_user(people.wuling_office)
    assert "还没有比较结果" in other.get(reverse("households:fairness")).content.decode()
    with django_assert_max_num_queries(14):
        page = county.get(reverse("households:fairness"), {"order": "cards"})
    assert [row.cards for row, _place in page.context["rows"]] == [9, 5]


def test_every_rule_has_a_sentence_and_a_rule_nobody_knows_says_its_kind():
    assert (
        sentence("kin_declared", {"post": "clerk", "relation": "子女"}) == "本户成员是本村会计、文书申报的亲属（子女）"
    )
    income = {"expected": 16000, "declared": 2000, "parts": [["irrigated", 4.2, 1900], ["months_outside", 20, 14000]]}
    assert "水田4.2亩、在省外务工20个月：" in sentence("income_below_means", income)
    assert "1.6万元" in sentence("income_below_means", income)
    assert sentence("nobody-knows", {}, kind="kin") == "与村干部有亲属等关系"


def test_precision_and_recall_are_counted_by_kind():
    rows = [{"household": number, "kind": "kin", "score": score} for number, score in (("1", 0.9), ("2", 0.5))]
    found = rates(rows, [("1", "kin"), ("3", "kin"), ("3", "vehicle")])
    assert (found["kin"]["precision"], found["kin"]["recall"]) == (0.5, 0.5)
    assert found["vehicle"]["recall"] == 0


@pytest.mark.drill
def test_a_planted_city_is_seeded_with_truth_and_registers_and_found(committed_db, tmp_path):
    load_default_versions()
    truth = tmp_path / "truth.json"
    call_command(
        "seed_city",
        households=2600,
        seed=1,
        plant=True,
        truth=truth,
        registers=tmp_path,
        json=True,
        stdout=io.StringIO(),
    )
    planted = [(row["household"], row["kind"]) for row in json.loads(truth.read_text())]
    assert {"车辆登记.xlsx", "死亡人口.xlsx"} <= {path.name for path in tmp_path.iterdir()}
    assert Household.objects.filter(split_from__isnull=False).exists()
    found = rates(findings("--no-keep"), planted)
    assert found["paper_split"]["recall"] > 0.5
