"""What the application's database role may do with tables the owner makes: one text for every installation."""

import re

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def grants_sql(owner: str, application: str) -> str:
    """SQL to run once in each database (or in a template database), as a superuser or as the database's owner.

    Tables and sequences the owner creates afterwards may be read and written by the application; it may create no
    table and truncate none. Tables that exist already are left alone: running this again must not give back
    what a migration took away from a sealed table.
    """
    for name in (owner, application):
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a plain role name: {name!r}")
    return f"""
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {application};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {application};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO {application};
"""
