"""/api/v1"""

from fastapi import APIRouter

from app.api.v1 import accounts, auth, chat_models, conversations, generations, jobs, messages

router = APIRouter()
for module in (auth, accounts, chat_models, conversations, messages, generations, jobs):
    router.include_router(module.router)
