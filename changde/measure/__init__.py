"""Measuring: databases of their own beside the working one, server times, memory; `manage.py benchmark`."""
