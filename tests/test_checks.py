"""The checks that ran before pytest (scripts/check.py): the summary names them too when they fail."""

import os


def test_lint_types_imports_templates_and_migrations_are_clean():
    assert os.environ.get("CHANGDE_FAILED_CHECKS", "") == ""
