"""Where COPY, DataFrames and tables meet: copy_in, copy_out, a named .sql file, blocks of ids, sealed tables."""

from changde.bulk.copy import allocate_ids, copy_in, copy_out, run_sql

__all__ = ["allocate_ids", "copy_in", "copy_out", "run_sql"]
