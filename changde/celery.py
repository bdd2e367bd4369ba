"""The Celery application; workers find tasks in every app's tasks.py."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "changde.settings")

app = Celery("changde")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
