"""The account: e-mail, password, language, theme, default model."""

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from app.accounts.service import get_user, update_user
from app.conversations.storage import storage_of
from app.errors import AppError, invalid
from app.generations.allowance import of_today
from app.http.csrf import verify_csrf
from app.http.deps import WriteSession
from app.http.signing_in import change_password
from app.i18n import known_locale
from app.web.confirmation import confirmed
from app.web.context import Visit, VisitDep
from app.web.flash import flash
from app.web.forms import Choice, FormState, ModelId, Password, Text, refused
from app.web.preferences import THEMES, Theme, keep_locale, keep_theme

router = APIRouter(prefix="/settings")
checked = [Depends(verify_csrf)]


@router.get("")
async def show(visit: VisitDep) -> Response:
    return await _page(visit)


@router.post("/email", dependencies=checked)
async def change_email(visit: VisitDep, email: Text = "", your_password: Password = "") -> Response:
    try:
        visit = await confirmed(visit, your_password)
        async with visit.services.database.transaction() as session:
            await update_user(session, visit.principal.user_id, {"email": email.strip()})
    except AppError as error:
        return await _page(visit, "email", refused(error, email=email))
    return _saved(visit, "email")


@router.post("/password", dependencies=checked)
async def new_password(visit: VisitDep, current_password: Text = "", new_password: Text = "") -> Response:
    """Every other device and every API key is signed out."""
    try:
        await change_password(visit.services, visit.request, visit.principal, current_password, new_password)
    except AppError as error:
        # Typed secrets are never sent back.
        return await _page(visit, "password", refused(error, current_password="", new_password=""))
    return _saved(visit, "password", "password_changed")


@router.post("/language", dependencies=checked)
async def choose_language(visit: VisitDep, session: WriteSession, locale: Choice = "") -> Response:
    chosen = known_locale(locale)
    if chosen is None:
        raise invalid("unknown_language", "There are no pages in that language.", "/locale")
    await update_user(session, visit.principal.user_id, {"locale": chosen})
    response = RedirectResponse("/settings#language", 303)
    keep_locale(visit.request, response, chosen)
    return response


@router.post("/theme", dependencies=checked)
async def choose_theme(visit: VisitDep, theme: Choice = "") -> Response:
    """Of this device: a screen in the sun is not one in bed."""
    chosen: Theme | None = next((known for known in THEMES if known == theme), None)
    if chosen is None:
        raise invalid("unknown_theme", "There is no such theme.", "/theme")
    response = RedirectResponse("/settings#theme", 303)
    keep_theme(visit.request, response, chosen)
    return response


@router.post("/model", dependencies=checked)
async def choose_model(visit: VisitDep, default_model: ModelId = "") -> Response:
    """What new conversations begin with; empty: whatever the server takes."""
    try:
        if default_model:
            visit.services.generations.check_model(default_model)
        async with visit.services.database.transaction() as session:
            await update_user(session, visit.principal.user_id, {"default_model": default_model or None})
    except AppError as error:
        return await _page(visit, "model", refused(error))
    return _saved(visit, "model")


def _saved(visit: Visit, section: str, code: str = "saved") -> Response:
    response = RedirectResponse(f"/settings#{section}", 303)
    flash(visit.request, response, code)
    return response


async def _page(visit: Visit, section: str = "", form: FormState | None = None) -> Response:
    """`section`: where `form` was refused."""
    user = await get_user(visit.session, visit.principal.user_id)
    today = await of_today(visit.session, user.id, visit.services.settings.max_tokens_per_day)
    storage = await storage_of(visit.session, user.id, visit.services.settings.max_storage_per_user)
    sidebar = await visit.sidebar()
    await visit.session.close()
    listed = await visit.services.providers.models()
    known = {model.id for model in listed.items}
    away = [user.default_model] if user.default_model and user.default_model not in known else []
    form = form or FormState()
    if section != "email":
        form.values["email"] = user.email
    return visit.page(
        "settings/show.html",
        sidebar=sidebar,
        tab="account",
        user=user,
        today=today,
        storage=storage,
        models=[*sorted(known), *away],
        section=section,
        form=form,
    )
