"""The city platform. The Celery application is made with the package, so that every process publishes to one broker."""

from changde.celery import app as celery_app

__all__ = ["celery_app"]
