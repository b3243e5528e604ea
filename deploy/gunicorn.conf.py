"""gunicorn -c deploy/gunicorn.conf.py app.main:app

What `teahouse serve --workers 4` does, for a service manager. Run `teahouse db upgrade` first.
"""

from pathlib import Path

bind = ["127.0.0.1:8000"]
workers = 4
worker_class = "app.cli.gunicorn_worker.Worker"
logger_class = "app.cli.gunicorn_worker.Logger"  # to the app's own log files

# One import for all workers: they start in half the time and share its memory. create_app() opens nothing.
# HUP does not reload preloaded code: deploy by a restart (answers go on) or by USR2.
preload_app = True

timeout = 60  # a worker whose event loop hangs that long is killed; its answers go on in another
graceful_timeout = 10  # uvicorn ends streams within 3 s, the rest is for the last commit
keepalive = 75  # longer than Nginx keeps an idle connection
backlog = 2048

# Heartbeats are file times: on a disk that stalls they would kill healthy workers.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

control_socket_disable = True
