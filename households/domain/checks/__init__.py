"""The checks of a card: `run` them all, or look one up in `CHECKS`. Modules group them by what they look at."""

from households.domain.checks import aid, conditions, identity, income, labour, leaving, relations, schooling
from households.domain.checks.core import (
    CELL_CHECKS,
    CHECKS,
    RED,
    WAIT,
    YELLOW,
    Context,
    Description,
    Limits,
    descriptions,
    refuses,
    run,
)

__all__ = [
    "CELL_CHECKS",
    "CHECKS",
    "RED",
    "WAIT",
    "YELLOW",
    "Context",
    "Description",
    "Limits",
    "aid",
    "conditions",
    "descriptions",
    "identity",
    "income",
    "labour",
    "leaving",
    "refuses",
    "relations",
    "run",
    "schooling",
]
