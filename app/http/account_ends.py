"""Disable and delete accounts, for both faces: what they have running ends first."""

from typing import Any

from app.accounts.models import User
from app.accounts.service import delete_user, refuse_last_admin, update_user
from app.http.deps import Services


async def change_account(services: Services, user_id: str, changes: dict[str, Any]) -> User:
    """As `update_user`; a disabled user is signed out everywhere at once, and what they had running is cancelled."""
    async with services.database.transaction() as session:
        user = await update_user(session, user_id, changes)
    if user.disabled_at is not None:
        await services.endings.cancel_all(user_id)
    return user


async def delete_account(services: Services, user_id: str) -> None:
    """With everything that is theirs. There is no way back."""
    async with services.database.read() as session:
        await refuse_last_admin(session, user_id)
    await services.endings.cancel_all(user_id)
    async with services.database.transaction() as session:
        await delete_user(session, user_id)
