"""Celery as this project uses it: a task carries a job's id, and says no more than “look into the database”."""

from celery import Celery

TASK = "teahouse.run"
# By kind, so that a worker can be given to one of them alone.
QUEUES = {"answer": "answers", "title": "titles", "model_pull": "downloads"}


def queue_of(kind: str) -> str:
    return QUEUES.get(kind, "answers")


def make_celery(redis_url: str) -> Celery:
    app = Celery("teahouse", broker=redis_url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],  # never pickle: whoever reaches Redis could run anything
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=False,  # whether a job is run is decided in the database; its message has done its work at once
        task_default_queue="answers",
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_proc_alive_timeout=10,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,  # else a worker that connects while Redis is full exits
        broker_connection_timeout=3,
        broker_transport_options={
            "socket_connect_timeout": 3,
            "socket_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 30,
            "visibility_timeout": 60,
            "priority_steps": [0, 5, 9],
            "queue_order_strategy": "priority",
            "global_keyprefix": "{teahouse}:",  # one slot of a cluster; and nobody else's keys
        },
    )
    return app
