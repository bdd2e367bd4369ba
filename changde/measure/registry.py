"""The benchmarks there are: modules in the package `benchmarks` of an app, run by `manage.py benchmark NAME`.

A benchmark has HELP, `add_arguments(parser)` and `run(options, say)`, which returns what is printed: a dictionary of
figures. Its NAME is the module's own unless it has one. `add_trial_arguments` gives those that compare a small and a
large database their sizes, `add_size_arguments` those that look at one size after the other. Modules whose name starts
with an underscore, or that have no `run`, are their helpers.
"""

import pkgutil
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from django.apps import apps

Say = Callable[[str], None]


def benchmarks() -> Mapping[str, ModuleType]:
    """Every benchmark by its name."""
    found = {}
    for app in apps.get_app_configs():
        if app.name.partition(".")[0] in {"django", "rest_framework"} or find_spec(f"{app.name}.benchmarks") is None:
            continue
        package = import_module(f"{app.name}.benchmarks")
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("_"):
                benchmark = import_module(f"{package.__name__}.{module.name}")
                found[getattr(benchmark, "NAME", module.name)] = benchmark
    return found


def add_trial_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--small", type=int, default=12_000, help="households of the small city")
    parser.add_argument("--large", type=int, default=1_200_000, help="households of the large city")
    parser.add_argument("--rounds", type=int, default=20, help="times each page is asked for in each city")
    _add_database_arguments(parser)


def add_size_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--households", type=int, nargs="+", default=[12_000, 120_000, 1_200_000], metavar="N")
    _add_database_arguments(parser)


def _add_database_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the databases for the next run")
