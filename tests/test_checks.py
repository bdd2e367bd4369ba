"""The checks that run beside pytest (scripts/check.py): the summary names them too when they fail."""

from tests.static_checks import check_results


def test_lint_types_imports_templates_and_migrations_are_clean():
    assert [check["name"] for check in check_results() if check["code"]] == []
