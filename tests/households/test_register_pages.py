"""Registers in the browser: uploaded, foreseen, put in force, withdrawn; what a department sees and does not."""

import io
from datetime import date
from urllib.parse import urlencode

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from changde.accounts.roles import Role
from changde.accounts.services import create_user, open_post
from changde.audit.models import Event
from changde.divisions.models import Division
from changde.jobs.services import run_job
from households import tasks  # noqa: F401 - registers what does the jobs
from households.models import Finding, RegisterKeeper, RegisterVersion
from tests.conftest import confirmed
from tests.factories import make_household
from tests.households.registers import cars, take, text_table
from tests.personas import FENGMING, TAOYUAN

pytestmark = pytest.mark.django_db


@pytest.fixture
def number():
    return make_household(FENGMING).memberships.first().person.id_number


@pytest.fixture
def department():
    user = create_user(username="chegui", name="桃源县车管所", password=None, by=None)
    open_post(user=user, role=Role.DEPARTMENT, division=Division.objects.get(pk=TAOYUAN), by=None)
    return user


def upload(client, content: bytes, **values):
    given = {"kind": "vehicle", "as_of": "2019-10-31", "division": TAOYUAN, "source": "", **values}
    return client.post(reverse("households:register_new"), {**given, "file": SimpleUploadedFile("车.csv", content)})


def work(version: RegisterVersion) -> RegisterVersion:
    """Do its job, as a worker would."""
    run_job(version.job_id)
    return RegisterVersion.objects.get(pk=version.pk)


def test_an_office_uploads_looks_puts_in_force_and_withdraws(number, people, as_user):
    client = as_user(people.taoyuan_office)
    answer = upload(client, cars(number, "17").getvalue())
    version = work(RegisterVersion.objects.get())
    address = reverse("households:register", args=[version.pk])
    assert answer.url == address
    text = client.get(address).content.decode()
    assert "检查完毕，尚未启用" in text and "生活用车" in text and "第 3 行" in text and number not in text
    assert Finding.objects.of_leads().count() == 0
    client.post(reverse("households:register_accept", args=[version.pk]))
    version = work(RegisterVersion.objects.get())
    assert (version.state, version.opened, Finding.objects.of_leads().open().count()) == ("done", 1, 1)
    address, page = (
        reverse(name, args=[version.pk]) for name in ("households:register_returned", "households:register")
    )
    assert client.get(address)["Location"] == f"/accounts/confirm/?{urlencode({'next': address, 'page': page})}"
    assert not Event.objects.filter(verb="registers.returned_rows").exists()
    back = confirmed(client).get(address)
    assert Event.objects.get(verb="registers.returned_rows").facts["rows"] == 1
    (_headers, row) = openpyxl.load_workbook(io.BytesIO(back.getvalue())).active.iter_rows(values_only=True)
    assert row[0] == "17" and row[-1].startswith("证件号码：")
    client.post(reverse("households:register_withdraw", args=[version.pk]))
    assert work(RegisterVersion.objects.get()).state == "withdrawn"
    assert Finding.objects.of_leads().open().count() == 0
    client.post(reverse("households:register_restore", args=[version.pk]))
    assert work(RegisterVersion.objects.get()).state == "done"
    assert Finding.objects.of_leads().open().count() == 1


def test_a_wrong_or_known_file_is_refused_at_its_field(number, people, as_user):
    client = as_user(people.taoyuan_office)
    wrong = upload(client, text_table(["证件号码", "登记日期"], [number, "2018-03-11"]).getvalue())
    assert wrong.status_code == 422 and "缺少必需的列：车型" in wrong.content.decode()
    ahead = upload(client, cars(number).getvalue(), as_of="2999-01-01", source="4307251943090464")
    assert "不能晚于今天" in ahead.content.decode() and "不能有长号码" in ahead.content.decode()
    assert not RegisterVersion.objects.exists()
    upload(client, cars(number).getvalue())
    again = upload(client, cars(number).getvalue())
    assert again.status_code == 422 and "上传过" in again.content.decode()
    assert RegisterVersion.objects.count() == 1


def test_a_department_uploads_what_it_was_asked_for_and_learns_nothing_about_cards(number, department, people, as_user):
    client = as_user(department)
    assert "还没有指定贵单位报送的登记" in client.get(reverse("households:registers")).content.decode()
    office = as_user(people.taoyuan_office)
    office.post(reverse("households:register_keepers"), {"user": department.pk, "kinds": ["vehicle"]})
    assert list(RegisterKeeper.objects.values_list("user", "kind")) == [(department.pk, "vehicle")]
    client = as_user(department)
    assert upload(client, cars(number).getvalue(), kind="death").status_code == 422
    upload(client, cars(number).getvalue())
    version = work(RegisterVersion.objects.get())
    text = client.get(reverse("households:register", args=[version.pk])).content.decode()
    assert "启用并比对" in text and "对上" not in text and "预计的线索" not in text
    assert client.get(reverse("households:register_entries", args=[version.pk])).status_code == 403
    assert client.get(reverse("households:list")).status_code == 403


def test_entries_are_masked_and_each_look_is_logged(number, people, as_user):
    version = take(cars(number), area=TAOYUAN)
    answer = as_user(people.taoyuan_office).get(reverse("households:register_entries", args=[version.pk]))
    text = answer.content.decode()
    assert number[:4] + "**********" + number[-4:] in text and number not in text and "湘J" not in text
    assert Event.objects.get(verb="registers.read_entries").facts["entries"] == 1


def test_the_list_costs_the_same_whatever_it_shows(number, people, as_user, django_assert_max_num_queries):
    for day in range(1, 5):
        take(cars(number, price=day), area=TAOYUAN, as_of=date(2019, 10, day))
    client = as_user(people.taoyuan_office)
    with django_assert_max_num_queries(14):
        text = client.get(reverse("households:registers")).content.decode()
    assert text.count("已被新版替代") == 3
