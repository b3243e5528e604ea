"""/api/v1"""

from fastapi import APIRouter, Depends

from app.api.v1 import accounts, auth, chat_models, conversations, events, generations, jobs, messages, overview, signup
from app.http.parameters import refuse_unknown_parameters

router = APIRouter(dependencies=[Depends(refuse_unknown_parameters)])
# First what is asked for most: a route is looked for in their order.
for module in (jobs, events, generations, messages, conversations, chat_models, auth, accounts, signup, overview):
    router.include_router(module.router)
