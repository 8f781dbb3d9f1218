# The panel as one image; the command decides what a container is: web (the default), worker or scheduler.
FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.txt ./
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY . .
# Static files need settings to be collected, not a key or a database that anything else would use.
RUN PANEL_DATA_DIR=/tmp/build STATIC_ROOT=/app/staticfiles /venv/bin/python manage.py collectstatic --noinput -v 0 \
    && rm -rf /tmp/build

FROM python:3.13-slim
# What manage.py backup and restore use: as new as the server of compose.yaml.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data panel && install -d -o panel -g panel -m 700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    PANEL_DATA_DIR=/data \
    PANEL_DEMO=0 \
    STATIC_ROOT=/app/staticfiles \
    LOG_FORMAT=json
USER panel
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=8s --start-period=30s --retries=3 CMD ["python", "-m", "smmpanel.launch.probe"]
CMD ["gunicorn", "-c", "python:smmpanel.serving", "smmpanel.wsgi"]
