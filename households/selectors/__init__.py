"""Reads shaped for a page; the first argument is the user."""
