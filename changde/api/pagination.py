"""Keyset pages: the cursor names the last row's key, so that page 10,000 costs as much as the first."""

from rest_framework.pagination import CursorPagination


class KeysetPagination(CursorPagination):
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000
    ordering = "pk"
