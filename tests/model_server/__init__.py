"""A scripted model server: Ollama's and OpenAI's wire formats over real HTTP, with faults on demand."""

from tests.model_server.records import Received
from tests.model_server.script import answer_for, thinking_for
from tests.model_server.server import ModelServer

__all__ = ["ModelServer", "Received", "answer_for", "thinking_for"]
