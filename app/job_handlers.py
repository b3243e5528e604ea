"""Every domain's handlers, so that the registry is complete."""

from app.generations.handlers import AnswerHandler
from app.generations.titles import TitleHandler
from app.jobs.registry import register
from app.providers.pulling import PullHandler
from app.settings import Settings


def register_all(settings: Settings) -> None:
    register("answer", AnswerHandler(settings.answer_timeout))
    register("title", TitleHandler())
    register("model_pull", PullHandler())
