"""The log stands in the transaction of the write, and the application's role cannot change it."""

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from changde.accounts.models import Post, User
from changde.accounts.roles import Role
from changde.accounts.services import open_post
from changde.audit.services import record
from changde.divisions.models import Division
from households.models import Household, Person
from tests.factories import make_household, make_person
from tests.personas import FENGMING


def test_a_write_outside_a_transaction_is_not_logged_but_refused(committed_db):
    with pytest.raises(RuntimeError, match="outside a transaction"):
        record("anything", by=None)


def test_when_the_event_fails_nothing_is_written(people, monkeypatch):
    monkeypatch.setattr("changde.accounts.services.record", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        open_post(user=people.no_post, role=Role.VILLAGE_CADRE, division=Division.objects.get(code=FENGMING), by=None)
    assert not Post.objects.filter(user=people.no_post).exists()


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET verb = 'x'", "DELETE FROM audit_event"])
def test_the_application_cannot_change_the_log(db, statement):
    record("anything", by=None)
    with pytest.raises((IntegrityError, InternalError), match="sealed"), transaction.atomic():
        connection.cursor().execute(statement)


def test_the_application_cannot_truncate_the_log(people):
    with pytest.raises(Exception, match="permission denied"), transaction.atomic():
        connection.cursor().execute("TRUNCATE audit_event")


def test_an_orm_write_leaves_the_row_as_it_was(db):
    household = make_household(FENGMING, head="李金敏")
    Household.objects.filter(pk=household.pk).update(head_name="李金明")
    assert list(household.events.values_list("pgh_label", "head_name")) == [("update", "李金敏")]


def test_raw_sql_leaves_the_row_as_it_was_too(db):
    person = make_person("王小明")
    before = person.events.count()
    connection.cursor().execute("UPDATE households_person SET name = '王大明' WHERE id = %s", [person.pk])
    assert person.events.order_by("pgh_id").values_list("name", flat=True)[before] == "王小明"
    assert Person.objects.get(pk=person.pk).name == "王大明"


def test_the_history_names_who_acted(people, as_user):
    from changde.audit.services import acting

    household = make_household(FENGMING)
    with acting(people.fengming_cadre):
        Household.objects.filter(pk=household.pk).update(group="2组")
    context = household.events.get().pgh_context
    assert context.metadata["user"] == people.fengming_cadre.pk


def test_history_cannot_be_changed_by_the_application(db):
    household = make_household(FENGMING)
    Household.objects.filter(pk=household.pk).update(group="2组")
    with pytest.raises((IntegrityError, InternalError), match="sealed"), transaction.atomic():
        connection.cursor().execute("DELETE FROM households_householdevent")


def test_no_user_holds_two_administrator_duties(people):
    city = Division.objects.get(code=430700000000)
    with pytest.raises(IntegrityError), transaction.atomic():
        open_post(user=people.account_admin, role=Role.AUDIT_ADMIN, division=city, by=None)


def test_an_account_without_a_post_can_do_nothing(people):
    assert User.objects.get(pk=people.no_post.pk).capabilities == frozenset()
