"""Celery's side of the app: job handlers, ids in, one service call."""
