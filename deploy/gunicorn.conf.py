"""gunicorn -c deploy/gunicorn.conf.py app.main:app

The values, with their reasons, are gunicorn_settings() in app/cli/serving.py, which `teahouse serve --workers` uses
too. Address and number of workers come from TEAHOUSE_HOST, TEAHOUSE_PORT and TEAHOUSE_WORKERS.

    kill -USR2 MASTER   new code: a new master starts, and when it serves the old one ends; a new one that does not
                        get that far leaves the old one as it was. What `systemctl reload teahouse` does.
    kill -HUP MASTER    new workers of the code that is loaded, with the settings that .env has now
    kill -TERM MASTER   the end, within seconds
"""

from app.cli.serving import for_gunicorn

# Each of Gunicorn's settings may be set below once more: the last one counts.
globals().update(for_gunicorn())
