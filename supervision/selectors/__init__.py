"""Reads of the supervision app, shaped for a page; the first argument is the user."""
