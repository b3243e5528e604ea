"""Who may register: as the environment says, else as an administrator has set it, else everybody."""

from typing import Literal, cast, get_args

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import ServerSetting
from app.errors import AppError, ErrorKind, invalid
from app.settings import Settings

SignupMode = Literal["open", "invite", "closed"]
MODES: tuple[SignupMode, ...] = get_args(SignupMode)
NAME = "signup"


async def signup_mode(session: AsyncSession, settings: Settings) -> SignupMode:
    if is_fixed(settings):
        return settings.signup
    kept = await session.get(ServerSetting, NAME)
    return cast(SignupMode, kept.value) if kept is not None and kept.value in MODES else settings.signup


def is_fixed(settings: Settings) -> bool:
    """Whether the environment decides: then nobody changes it here."""
    return NAME in settings.model_fields_set


async def set_signup_mode(session: AsyncSession, settings: Settings, mode: str) -> None:
    if is_fixed(settings):
        raise AppError(ErrorKind.conflict, "set_by_environment", "TEAHOUSE_SIGNUP decides this. Change it there.")
    if mode not in MODES:
        raise invalid("unknown_mode", "Sign-up is open, by invitation or closed.", "/signup")
    await session.merge(ServerSetting(name=NAME, value=mode))
