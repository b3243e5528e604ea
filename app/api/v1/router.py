"""/api/v1"""

from fastapi import APIRouter, Depends

from app.api.v1 import accounts, auth, chat_models, conversations, generations, jobs, messages
from app.http.parameters import refuse_unknown_parameters

router = APIRouter(dependencies=[Depends(refuse_unknown_parameters)])
for module in (auth, accounts, chat_models, conversations, messages, generations, jobs):
    router.include_router(module.router)
