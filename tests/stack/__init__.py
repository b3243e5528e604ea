"""The whole of it as it is shipped: Nginx, Gunicorn and the unit files from deploy/, filled in by the commands."""
