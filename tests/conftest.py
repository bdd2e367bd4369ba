"""Fixtures of the whole suite: a database of its own, personas, a live server, a worker, a browser.

The suite connects as the application's own role, as production does; the database is made and cleaned by the owner.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import psycopg2
import pytest
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import Client
from hypothesis import settings as hypothesis_settings

from changde.accounts import confirm
from changde.web.catalogue import compile_file
from tests.personas import People, make_people
from tests.static_checks import check_results
from tests.template_database import database_url, ensure_template, owner_connection

ROOT = Path(__file__).resolve().parent.parent
# Tests run on both cores: each process of pytest-xdist has a database of its own and a Valkey database of its own, so
# that messages, limits and a cleared cache of one never reach the other.
PARALLEL = os.environ.get("PYTEST_XDIST_WORKER", "")


def use_own_valkey(number: int) -> None:
    address = urlsplit(settings.REDIS_URL)._replace(path=f"/{number}").geturl()
    settings.REDIS_URL = settings.CELERY_BROKER_URL = settings.CACHES["default"]["LOCATION"] = address


if PARALLEL:
    use_own_valkey(int(PARALLEL.removeprefix("gw")))

# A property holds or not, however long a busy machine takes to try an example.
hypothesis_settings.register_profile("suite", deadline=None)
hypothesis_settings.load_profile("suite")

# What stays when a test that commits cleans up: facts that no test changes.
KEPT_TABLES = ("django_migrations", "django_content_type", "auth_permission", "divisions_division")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Each static check's output, under its name."""
    for check in check_results():
        verdict = f"fails with {check['code']}" if check["code"] else "passes"
        terminalreporter.section(f"{check['name']}: {verdict} ({check['seconds']:.0f} s)")
        terminalreporter.write_line(check["output"] or "ok")


@pytest.fixture(scope="session", autouse=True)
def only_own_services() -> Iterator[None]:
    """Sockets go to this machine only."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise RuntimeError(f"a test may not connect to {address[0]}")
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


def drop_database(admin: Any, name: str, seconds: float = 20) -> None:
    """Drop a test database after each role has ended its own sessions in it (neither may end the other's).

    Not WITH (FORCE): that refuses while a vacuum of the server's own is inside, which plain DROP sends away itself.
    """
    sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user"
    application = settings.DATABASES["default"]
    deadline = time.monotonic() + seconds
    while True:
        own = psycopg2.connect(
            dbname=admin.info.dbname,
            user=application["USER"],
            password=application["PASSWORD"],
            host=application["HOST"],
            port=application["PORT"] or None,
        )
        try:
            with own.cursor() as cursor:
                cursor.execute(sessions, [name])
            with admin.cursor() as cursor:
                cursor.execute(sessions, [name])
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
            return
        except psycopg2.errors.ObjectInUse:  # one that is just ending
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        finally:
            own.close()


@pytest.fixture(scope="session", autouse=True)
def catalogues_compiled() -> None:
    """English as the sources say it now."""
    for source in sorted((ROOT / "locale").glob("*/*/LC_MESSAGES/django.po")):
        compile_file(source)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """A fresh database beside the working one, copied from the template: migrated, with the real divisions."""
    from changde import embedded

    if settings.EMBEDDED:
        embedded.ensure(settings.DATA_DIR)
    name = f"test_{settings.DATABASES['default']['NAME']}{PARALLEL}"
    admin = owner_connection()
    drop_database(admin, name)
    with admin.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{ensure_template()}"')
    for alias in ("default", "owner"):
        connections[alias].close()
        settings.DATABASES[alias]["NAME"] = connections[alias].settings_dict["NAME"] = name
    yield
    with django_db_blocker.unblock():
        connections.close_all()
    drop_database(admin, name)
    admin.close()


@pytest.fixture(autouse=True)
def clean_cache() -> Iterator[None]:
    """Rate limits of one test do not reach the next."""
    yield
    with suppress(Exception):
        cache.clear()


@pytest.fixture
def owner(db: None) -> Iterator[Any]:
    """The owner's own connection, for what the application's role may not do."""
    connection = owner_connection()
    yield connection
    connection.close()


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database where commits are real (threads, workers, browsers); emptied afterwards by the owner."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()
    admin = owner_connection()
    with admin.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = sorted({name for (name,) in cursor.fetchall()} - set(KEPT_TABLES))
        statement = "TRUNCATE " + ", ".join(f'"{table}"' for table in tables) + " RESTART IDENTITY"
        for last_try in (False, False, True):  # a request of a page that is gone may still be under way
            try:
                cursor.execute(statement)
                break
            except psycopg2.errors.DeadlockDetected:
                if last_try:
                    raise
    admin.close()


@pytest.fixture
def people(request: pytest.FixtureRequest) -> People:
    """The personas, in whatever database the test uses."""
    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")
    return make_people()


def login(user: Any) -> Client:
    """A browser session of `user` (None: a stranger)."""
    client = Client()
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def confirmed(client: Client) -> Client:
    """The same session after the password was confirmed for a download."""
    session = client.session
    session[confirm._MARK] = time.time()
    session.save()
    return client


@pytest.fixture
def as_user() -> Callable[[Any], Client]:
    return login


@contextmanager
def child(*arguments: str, ready: Callable[[], bool], seconds: float = 90, **environment: str) -> Iterator[Any]:
    """A real child process of the project on the test database; waits until it is ready."""
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=os.environ | own_environment() | environment)
    try:
        deadline = time.monotonic() + seconds
        while not ready():
            assert process.poll() is None, f"{arguments} ended with {process.returncode}"
            assert time.monotonic() < deadline, f"{arguments} was not ready within {seconds} s"
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for what another process does; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.05)


def own_environment() -> dict[str, str]:
    """Addresses of the test database for children of the suite."""

    return {
        "DATABASE_URL": database_url("default"),
        "MIGRATION_DATABASE_URL": database_url("owner"),
        "REDIS_URL": settings.REDIS_URL,
        "CHANGDE_DATA": str(settings.DATA_DIR),
    }


@pytest.fixture(scope="session")
def running_worker(django_db_setup: None) -> Iterator[Any]:
    from changde.jobs.services import workers_alive

    with child(
        "-m", "celery", "-A", "changde", "worker", "-c", "2", "-l", "WARNING", ready=lambda: workers_alive(0.5) > 0
    ) as process:
        tell_worker("cancel_consumer")
        yield process


def tell_worker(order: str) -> None:
    """Let the suite's worker take work, or no more; answers when it does so."""
    queue = {"queue": current_app.conf.task_default_queue}
    assert current_app.control.broadcast(order, arguments=queue, reply=True, limit=1, timeout=10)


@pytest.fixture
def worker(committed_db: None, running_worker: Any) -> Iterator[Any]:
    """A real Celery worker on the test database, started once; it works for tests that ask for it and for no other."""
    current_app.control.purge()  # what other tests published
    tell_worker("add_consumer")
    yield running_worker
    tell_worker("cancel_consumer")


@pytest.fixture(scope="session")
def running_server(django_db_setup: None) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def answers() -> bool:
        """The first answer loads the addresses and all behind them, which takes longer than a page may."""
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/livez", timeout=30) as answer:
            return answer.status == 200
        return False

    with child(
        "-m", "gunicorn", "changde.wsgi", "-b", f"127.0.0.1:{port}", "-k", "gthread", "--threads", "4",
        "--log-level", "error", ready=answers,
    ):  # fmt: skip
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def server(committed_db: None, running_server: str) -> str:
    """A real web server (gunicorn) on the test database, started once; its address."""
    return running_server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A real Chromium, found on the PATH."""
    if os.environ.get("BROWSER") == "skip":
        pytest.skip("BROWSER=skip")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert path, "no Chromium on the PATH: apt-get install chromium fonts-noto-cjk, or BROWSER=skip"
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread, and Django would refuse every query of a fixture beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: Any, server: str) -> Iterator[Callable[..., Any]]:
    """`browse(user, width=1280)`: a page signed in as `user` (None: a stranger). Console errors fail the test.

    The browser's own "offline" ends late for a service worker: only a page that reaches the server by an `address`
    which the test can cut runs one.
    """
    contexts, errors = [], []

    def open_page(user: Any = None, width: int = 1280, height: int = 900, address: str = "") -> Any:
        context = chromium.new_context(
            base_url=address or server,
            service_workers="allow" if address else "block",
            viewport={"width": width, "height": height},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        contexts.append(context)
        if user is not None:
            session = login(user).cookies["sessionid"]
            context.add_cookies([{"name": "sessionid", "value": session.value, "url": address or server}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    # An answer of 4xx is logged by the browser and by htmx as an error; the tests look at those themselves.
    network = ("Failed to load resource", "Response Status Error Code")
    assert [text for text in errors if not any(words in text for words in network)] == []
