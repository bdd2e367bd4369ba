"""`manage.py load_demo`: what the demonstration shows; a second call continues with the data."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from changde.accounts.refusal import Refusal
from supervision.services import demo


class Command(BaseCommand):
    help = "Load the demonstration: logins, sample cards, cadres, results, a plan and a posted list."

    def handle(self, **options: Any) -> None:
        try:
            demo.load_demo(say=self.stdout.write)
        except Refusal as refusal:
            raise CommandError(str(refusal.message)) from refusal
        self.stdout.write("")
        self.stdout.write(f"{'登录名':<10}{'姓名':<8}角色 · 区划        密码一律为 {demo.PASSWORD}")
        for username, name, role, code in demo.PEOPLE:
            self.stdout.write(f"{username:<12}{name:<8}{role.label} · {code}")
