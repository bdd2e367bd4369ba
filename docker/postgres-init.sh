#!/usr/bin/env bash
# Runs once, when the database container is new: two roles, the database, its extensions and grants.
# The same statements as changde/embedded/grants.py (tests/platform/test_containers.py holds them together).
set -euo pipefail

psql --set ON_ERROR_STOP=1 --username postgres --dbname postgres \
    --set owner_password="$OWNER_DATABASE_PASSWORD" --set application_password="$APP_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE changde_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE changde_app LOGIN PASSWORD :'application_password';
CREATE DATABASE changde OWNER changde_owner;
SQL

psql --set ON_ERROR_STOP=1 --username postgres --dbname changde <<'SQL'
CREATE EXTENSION pg_trgm;
CREATE EXTENSION btree_gist;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO changde_app;
ALTER DEFAULT PRIVILEGES FOR ROLE changde_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO changde_app;
ALTER DEFAULT PRIVILEGES FOR ROLE changde_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO changde_app;
SQL
