"""Posts of a village at and beside every threshold. No database."""

import pytest

from cadres.domain.posts import PostRules, VillagePoverty, posts_of, posts_of_all

FIRST, MEMBER, PROFESSIONAL = "第一书记", "驻村工作队员", "专业书记"


def village(households: int, persons: int = 0, rural_persons: int | None = 1000, rural: bool = True) -> VillagePoverty:
    return VillagePoverty(430725103202, rural, households, persons, rural_persons)


@pytest.mark.parametrize(
    ("households", "roles"),
    [
        (0, []),
        (1, [FIRST]),
        (19, [FIRST]),
        (20, [FIRST, MEMBER]),
        (79, [FIRST, MEMBER]),
        (80, [FIRST, MEMBER, MEMBER]),
        (300, [FIRST, MEMBER, MEMBER]),
    ],
)
def test_the_number_of_posts_follows_the_registered_households(households: int, roles: list[str]) -> None:
    assert [post.role for post in posts_of(village(households), PostRules())] == roles


@pytest.mark.parametrize(("persons", "sent"), [(100, False), (101, True)])
def test_a_professional_secretary_comes_where_incidence_is_over_ten_percent(persons: int, sent: bool) -> None:
    roles = [post.role for post in posts_of(village(5, persons), PostRules())]
    assert (PROFESSIONAL in roles) is sent


@pytest.mark.parametrize(("persons", "priority"), [(20, False), (21, True)])
def test_a_first_secretary_has_priority_above_two_percent(persons: int, priority: bool) -> None:
    assert posts_of(village(5, persons), PostRules())[0].priority is priority


def test_an_urban_community_gets_no_post() -> None:
    assert posts_of(village(50, 200, rural=False), PostRules()) == []


def test_unknown_population_gives_no_incidence_and_no_priority() -> None:
    posts = posts_of(village(25, 90, rural_persons=None), PostRules())
    assert [(post.role, post.priority) for post in posts] == [(FIRST, False), (MEMBER, False)]


def test_seats_of_a_village_are_told_apart() -> None:
    posts = posts_of_all([village(80)], PostRules())
    assert len(set(posts)) == 3
