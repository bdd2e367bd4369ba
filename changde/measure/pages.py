"""Server time, queries and weight of pages: through Django's test client and the whole stack, in two cities in turn."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter, thread_time
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from changde.measure import databases

WARM_UP = 2


@dataclass(frozen=True)
class Ask:
    """One page as somebody asks for it. `values` is posted; `follow` times the page a redirect leads to as well."""

    path: str
    values: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Measured:
    """Server times in milliseconds (on the clock, and of it in this process), queries and bytes, not compressed."""

    milliseconds: tuple[float, ...]
    own_milliseconds: tuple[float, ...]
    queries: int
    size: int


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-round(share * len(ordered) * 1000) // 1000) - 1)]


class City:
    """A trial's database in a thread of its own: its connection stays open, the other city is not touched."""

    def __init__(self, trial: str):
        self._pool = ThreadPoolExecutor(1)
        self._trial = trial
        self._inside = databases.working_in(trial)

    def __enter__(self) -> "City":
        self._pool.submit(self._inside.__enter__).result()
        return self

    def __exit__(self, *error: Any) -> None:
        self._pool.submit(self._inside.__exit__, None, None, None).result()
        self._pool.shutdown()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """`function(*arguments)` in the city's thread."""
        return self._pool.submit(function, *arguments).result()


def sign_in(user: Any) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _answer(client: Client, ask: Ask) -> Any:
    response = client.get(ask.path) if ask.values is None else client.post(ask.path, ask.values)
    if response.status_code == 302 and ask.values is not None:
        response = client.get(response["Location"])
    if response.status_code != 200:
        raise RuntimeError(f"{ask.path.partition('?')[0]} answered {response.status_code}")
    return response


def _time_once(client: Client, ask: Ask) -> tuple[float, float]:
    began, own = perf_counter(), thread_time()
    _answer(client, ask)
    return 1000 * (perf_counter() - began), 1000 * (thread_time() - own)


def _look(client: Client, ask: Ask) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as queries:
        response = _answer(client, ask)
    return len(queries), len(response.content)


def measure(
    cities: Sequence[City], asks: Sequence[tuple[Client, Ask]], rounds: int, settle: Callable[[], None] = lambda: None
) -> list[Measured]:
    """One page in each city, in turn: what slows the machine meanwhile slows both. `settle` runs before each answer."""
    times: list[list[tuple[float, float]]] = [[] for _city in cities]
    counted = []
    for city, (client, ask) in zip(cities, asks, strict=True):
        for _ in range(WARM_UP):
            city.call(_time_once, client, ask)
        counted.append(city.call(_look, client, ask))
    for _ in range(rounds):
        for city, (client, ask), taken in zip(cities, asks, times, strict=True):
            settle()
            taken.append(city.call(_time_once, client, ask))
    return [
        Measured(tuple(clock for clock, _own in taken), tuple(own for _clock, own in taken), *seen)
        for taken, seen in zip(times, counted, strict=True)
    ]


def summary(small: Measured, large: Measured) -> dict[str, Any]:
    """The figures of one page; `ratio` compares p95, `ratio_p50` the medians (less moved by what else runs here).

    `cpu_ms` is the median of what this process itself worked for the page in the large city, without the database.
    """
    p95 = percentile(small.milliseconds, 0.95), percentile(large.milliseconds, 0.95)
    p50 = percentile(small.milliseconds, 0.5), percentile(large.milliseconds, 0.5)
    return {
        "p95_ms_small": round(p95[0], 1),
        "p95_ms_large": round(p95[1], 1),
        "ratio": round(p95[1] / p95[0], 2),
        "p50_ms_small": round(p50[0], 1),
        "p50_ms_large": round(p50[1], 1),
        "ratio_p50": round(p50[1] / p50[0], 2),
        "cpu_ms": round(percentile(large.own_milliseconds, 0.5), 1),
        "queries": max(small.queries, large.queries),
        "bytes": max(small.size, large.size),
    }


def worst(cases: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The worst of every figure over all pages."""
    names = next(iter(cases.values()))
    return {name: max(case[name] for case in cases.values()) for name in names}


def quiet_settings() -> None:
    """As in production: no debugging (which would keep every query), templates kept."""
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["*"]
