"""The supervisor: what dies is started again, all end together, and nobody is left behind after a kill -9."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from changde.embedded import supervisor
from changde.embedded.supervisor import AlreadyRunning, Child, Supervisor

LIVE = "import time\nprint('alive', flush=True)\ntime.sleep(60)"
STUBBORN = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('alive', flush=True)\ntime.sleep(60)"
)


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Running:
    """A supervisor in a thread of this process, with what it said."""

    def __init__(self, data, *programs):
        self.said = []
        self.children = [Child(f"child{n}", [sys.executable, "-c", text]) for n, text in enumerate(programs)]
        self.supervisor = Supervisor(data, self.children, os.environ, self.said.append)
        self.thread = threading.Thread(target=self.supervisor.run)

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: sum("alive" in line for line in self.said) == len(self.children))
        return self

    def __exit__(self, *error):
        self.supervisor.stop()
        self.thread.join(30)


@pytest.fixture(autouse=True)
def threads_may_run_it(monkeypatch):
    monkeypatch.setattr(supervisor, "ENDING_SIGNALS", ())  # handlers belong to main threads


def test_output_carries_the_name_of_its_program(tmp_path):
    with Running(tmp_path, LIVE, LIVE) as running:
        assert sorted(running.said) == ["[child0] alive", "[child1] alive"]


def test_a_program_that_dies_is_started_again(tmp_path):
    with Running(tmp_path, LIVE) as running:
        first = running.children[0].process.pid
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: running.said.count("[child0] alive") == 2)
        assert running.children[0].process.pid != first


def test_all_end_together_even_who_does_not_listen(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.3)
    with Running(tmp_path, LIVE, STUBBORN) as running:
        pids = [child.process.pid for child in running.children]
    assert not any(supervisor.command_line(pid) for pid in pids)


def test_a_second_supervisor_of_the_folder_is_refused(tmp_path):
    with Running(tmp_path, LIVE):
        with pytest.raises(AlreadyRunning):
            Supervisor(tmp_path, [], os.environ, print).run()
        assert supervisor.running(tmp_path) == os.getpid()
    assert supervisor.running(tmp_path) is None


def test_children_of_a_killed_supervisor_are_ended_by_the_next(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from changde.embedded.supervisor import *\n"
        f"web = Child('web', [sys.executable, '-c', {LIVE!r}])\n"
        f"Supervisor(Path({str(tmp_path)!r}), [web], os.environ, to_stdout).run()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"[web] alive\n"
    wait_for(lambda: (tmp_path / supervisor.PROCESSES_FILE).exists())
    (orphan,) = map(int, supervisor._remembered(tmp_path)["children"])
    process.kill()
    process.wait()
    process.stdout.close()
    assert supervisor.command_line(orphan)
    assert supervisor.end(tmp_path) is False
    assert not supervisor.command_line(orphan)
