"""Every domain's tables, so that metadata is complete."""

from app.accounts import models as accounts
from app.conversations import models as conversations
from app.db.base import Base
from app.feed import models as feed
from app.generations import models as generations
from app.jobs import models as jobs

__all__ = ["Base", "accounts", "conversations", "feed", "generations", "jobs"]
