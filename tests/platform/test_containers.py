"""The installation in containers: its database is prepared as the private one is; it starts with no secret unset."""

import re
import subprocess
from pathlib import Path

from django.conf import settings

from changde.embedded import grants_sql, postgres

ROOT = Path(settings.BASE_DIR)


def words(sql):
    return " ".join(sql.split())


def test_the_container_gives_the_application_what_the_private_server_gives():
    script = (ROOT / "docker/postgres-init.sh").read_text()
    assert words(grants_sql(postgres.OWNER, postgres.APPLICATION)) in words(script)
    assert re.findall(r"CREATE EXTENSION (\w+)", script) == list(postgres.EXTENSIONS)


def test_the_init_script_is_a_shell_script():
    subprocess.run(["bash", "-n", ROOT / "docker/postgres-init.sh"], check=True)


def test_every_secret_of_the_compose_file_must_be_given():
    compose = (ROOT / "docker-compose.yml").read_text()
    secret = re.findall(r"\$\{(\w*(?:PASSWORD|_KEYS?))\b(:\?)?", compose)
    assert {"SECRET_KEY", "FIELD_KEYS", "INDEX_KEY", "POSTGRES_PASSWORD", "APP_DATABASE_PASSWORD"} <= {
        n for n, _ in secret
    }
    assert [name for name, demanded in secret if not demanded] == []


def test_the_image_can_set_chinese_cards_on_paper():
    last_stage = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    wanted = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-noto-cjk")
    assert [package for package in wanted if package not in last_stage] == []
