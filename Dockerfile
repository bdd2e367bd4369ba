# Three stages: browser libraries, Python packages, and what runs (as an ordinary user, without compilers or npm).

FROM node:24-slim AS libraries
WORKDIR /libraries
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM python:3.13-slim AS packages
RUN python -m venv /venv
COPY requirements.lock /
RUN /venv/bin/pip install --no-cache-dir --require-hashes --requirement /requirements.lock

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    CHANGDE_PRODUCTION=1 CHANGDE_DATA=/data STATIC_ROOT=/app/staticfiles
# weasyprint sets cards on paper with pango; without a Chinese font it would set boxes.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home --home-dir /data changde
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
COPY --from=libraries /libraries/node_modules node_modules
# Settings refuse to load in production without secrets: these are thrown away with the command.
RUN SECRET_KEY=$(python -c "import secrets; print(secrets.token_hex(32))") \
    FIELD_KEYS=build:$(python -c "import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())") \
    INDEX_KEY=$(python -c "import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())") \
    DATABASE_URL=postgres://nobody@localhost/none REDIS_URL=redis://localhost \
    sh -c "python manage.py compile_catalogues && python manage.py collectstatic --noinput" \
    && rm -rf node_modules
USER changde
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "changde.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "3", \
     "--threads", "4", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--max-requests", "5000", \
     "--max-requests-jitter", "500"]
