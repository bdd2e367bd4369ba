"""Every check with a right and a wrong example, out of the file that an office clerk reads and extends."""

from datetime import date
from decimal import Decimal

import pytest

from households.domain import checks
from households.domain.card import Card, Member
from households.domain.checks import CELL_CHECKS, CHECKS, FIGURES_OF, Context, Limits, descriptions
from households.domain.checks.across import full_months
from households.domain.checks.examples import RIGHT, WRONG, Unreadable, examples, read
from households.domain.checks.figures import FIGURES
from tests.households.places import real_places

CONTEXT = Context(line=Decimal(3218), places=real_places())
EXAMPLES = {f"{each.check_id} {each.verdict} {each.line}": each for each in examples()}


def expected(example):
    return {example.check_id} if example.verdict == WRONG else set()


def test_the_file_of_the_offices_and_the_code_name_the_same_checks():
    assert set(CHECKS) == set(descriptions())
    assert CELL_CHECKS - set(CHECKS) == {"text-long"}


def test_the_offices_know_81_checks():
    assert len(descriptions()) == 81 + 5


def test_every_check_has_a_right_and_a_wrong_example():
    written = {(each.check_id, each.verdict) for each in examples()}
    assert written == {(check_id, verdict) for check_id in descriptions() for verdict in (RIGHT, WRONG)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_wrong_example_fires_exactly_its_check_and_a_right_one_none(name):
    example = EXAMPLES[name]
    assert {found.check_id for found in example.findings(CONTEXT)} == expected(example)


@pytest.mark.parametrize("name", [name for name, each in EXAMPLES.items() if each.verdict == WRONG])
def test_a_wrong_example_has_the_severity_of_the_list_and_says_where_to_look(name):
    example = EXAMPLES[name]
    found = example.findings(CONTEXT)
    assert {each.severity for each in found} == {descriptions()[example.check_id].severity}
    assert all(each.attributes for each in found)


@pytest.mark.parametrize("check_id", CHECKS)
def test_an_empty_card_breaks_no_check(check_id):
    """Unknown fires only what looks for emptiness."""
    looks_for_emptiness = {
        "village-unknown", "year-missing", "one-head", "name-missing", "id-missing", "education-empty", "house-area",
        "water", "land-range", "road-distance",
    }  # fmt: skip
    empty = Card(members=(Member(),))
    assert bool(list(CHECKS[check_id](empty, CONTEXT))) <= (check_id in looks_for_emptiness)
    list(CHECKS[check_id](Card(), CONTEXT))


@pytest.mark.parametrize("changes", ["户耕地面积=4", "户.没有的栏=4", "成员1.生日=2000-01-01"])
def test_an_example_nobody_can_read_says_where(changes):
    with pytest.raises(Unreadable):
        read(changes)


def test_every_figure_belongs_to_a_check_and_stands_between_its_bounds():
    assert {name for names in FIGURES_OF.values() for name in names} == set(FIGURES) == set(Limits.__slots__)
    assert [each.name for each in FIGURES.values() if not each.least <= each.default <= each.most] == []


def test_a_finding_carries_the_figures_of_its_check():
    (found,) = checks.run(read("户.住房面积=7")[0], CONTEXT)
    assert found.parameters == {"house_least": "8", "house_most": "500"}


def test_months_are_full_months():
    days = [(date(2019, 1, 31), date(2019, 2, 28)), (date(2019, 1, 31), date(2019, 3, 1))]
    assert [full_months(*each) for each in days] == [0, 1]
