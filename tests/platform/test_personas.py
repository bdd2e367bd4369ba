"""The personas of the tests are what the services would have written."""

from django.forms.models import model_to_dict

from changde.accounts.models import Post, User
from changde.accounts.roles import Role
from changde.accounts.services import create_user, open_post
from changde.divisions.models import Division
from tests.personas import PERSONAS

OWN = {"id", "username", "password", "date_joined"}


def written(username: str) -> tuple[dict, list[dict]]:
    """The rows of an account without its own marks, and of its posts."""
    user = User.objects.get(username=username)
    posts = [model_to_dict(post, exclude=["id", "user"]) for post in Post.objects.filter(user=user)]
    row = {field.name: getattr(user, field.name) for field in User._meta.fields if field.name not in OWN}
    return row | {"has_password": user.has_usable_password()}, posts


def test_a_persona_is_the_same_account_with_the_same_post_as_the_services_write(people):
    for username, (name, role, code) in PERSONAS.items():
        is_client = role == Role.COUNTY_SYSTEM
        twin = create_user(username=f"{username}_2", name=name, password=None, by=None, is_client=is_client)
        open_post(user=twin, role=role, division=Division.objects.get(code=code), by=None)
    twins = {username: written(f"{username}_2") for username in PERSONAS}
    assert {username: written(username) for username in PERSONAS} == twins


def test_the_account_without_a_post_has_none(people):
    create_user(username="twin", name="无岗位", password=None, by=None)
    assert written("no_post") == written("twin")
