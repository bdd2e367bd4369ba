"""What `manage.py benchmark` measures of the cards: one module a benchmark (changde.measure.registry)."""
