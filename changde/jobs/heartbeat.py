"""Saying that one still works, beside the work itself: a thread of its own, so that a long statement stays alive."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import close_old_connections, connection


def worker_name() -> str:
    """Machine and process: who works at something."""
    return f"{socket.gethostname()}:{os.getpid()}"


@contextmanager
def beating(beat: Callable[[], object], every: float) -> Iterator[None]:
    """Call `beat` every so many seconds until the block is left; it has a database connection of its own."""
    over = threading.Event()

    def keep_on() -> None:
        while not over.wait(every):
            close_old_connections()
            beat()
        connection.close()

    heart = threading.Thread(target=keep_on, daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join(timeout=5)
