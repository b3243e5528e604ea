"""API keys of one's own: make one, see its secret once, revoke."""

from datetime import timedelta
from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Form
from starlette.responses import RedirectResponse, Response

from app.accounts.api_keys import USUAL_LIFE, create_key, list_keys, list_uses, revoke_key
from app.accounts.principal import Scope
from app.clock import utcnow
from app.errors import AppError, invalid
from app.http.csrf import verify_csrf
from app.ids import parse_id
from app.web.confirmation import confirmed
from app.web.context import PathId, Visit, VisitDep
from app.web.flash import flash
from app.web.forms import Choice, FormState, Key, Password, Text, refused
from app.web.settings_devices import program_of

router = APIRouter(prefix="/settings/keys")
checked = [Depends(verify_csrf)]

MAX_NAME = 100
# By days.
LIVES = {"30": timedelta(days=30), "90": timedelta(days=90), "365": timedelta(days=365), "never": None}
Scopes = Annotated[list[str], Form()]


@router.get("")
async def index(visit: VisitDep) -> Response:
    return await _page(visit)


@router.post("", dependencies=checked)
async def create(
    visit: VisitDep,
    name: Text = "",
    expires: Choice = "90",
    idempotency_key: Key = "",
    scopes: Scopes = [],  # noqa: B006
    your_password: Password = "",
) -> Response:
    """The page with the secret: it is in this answer and nowhere else. Sent again, the form makes no second key."""
    wanted: list[Scope] = [scope for scope in get_args(Scope) if scope in scopes]
    try:
        clean = _clean_name(name)
        if not wanted:
            raise invalid("no_scope", "Choose at least one thing that the key may do.", "/scopes")
        if expires not in LIVES:
            raise invalid("unknown_expiry", "Choose how long the key is good for.", "/expires")
        life = LIVES[expires]
        visit = await confirmed(visit, your_password)
        async with visit.services.database.transaction() as session:
            key, secret = await create_key(
                session,
                visit.principal,
                name=clean,
                scopes=wanted,
                expires_at=utcnow() + life if life else None,
                key_id=parse_id(idempotency_key),
            )
    except AppError as error:
        return await _page(visit, refused(error, name=name, expires=expires, scopes=" ".join(wanted)))
    return await _page(visit, made=key.name, secret=secret)


@router.post("/{key_id}/revoke", dependencies=checked)
async def revoke(visit: VisitDep, key_id: PathId, your_password: Password = "") -> Response:
    try:
        visit = await confirmed(visit, your_password)
        async with visit.services.database.transaction() as session:
            await revoke_key(session, visit.principal.user_id, key_id)
    except AppError as error:
        return await _page(visit, listed=refused(error))
    response = RedirectResponse("/settings/keys", 303)
    flash(visit.request, response, "key_revoked")
    return response


def _clean_name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise invalid("invalid_name", "A key's name has 1 to 100 characters.", "/name")
    return name


async def _page(
    visit: Visit, form: FormState | None = None, *, made: str = "", secret: str = "", listed: FormState | None = None
) -> Response:
    """`form`: why no key was made; `listed`: why none of the list was revoked."""
    listed = listed or FormState(status=201 if made else 200)
    if form is None:
        usual = {"expires": str(USUAL_LIFE.days), "scopes": "read write"}
        form = FormState(usual, status=listed.status, headers=listed.headers)
    # Of the moment after the key was made, which the session of this request may not see.
    async with visit.services.database.read() as session:
        keys = await list_keys(session, visit.principal.user_id)
        uses = await list_uses(session, visit.principal.user_id)
    sidebar = await visit.sidebar()
    return visit.page(
        "settings/keys.html",
        headers={"Cache-Control": "no-store"},
        sidebar=sidebar,
        tab="keys",
        keys=keys,
        uses=uses,
        listed=listed,
        program_of=program_of,
        now=utcnow(),
        made=made,
        secret=secret,
        form=form,
    )
