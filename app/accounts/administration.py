"""What an administrator or the command line does to somebody's account; passwords are hashed before the transaction."""

from app.accounts.models import Role, User
from app.accounts.service import check_account, check_password, create_user, get_user, set_password
from app.db.session import Database
from app.security import hashing


async def create_account(database: Database, username: str, email: str, password: str, role: Role = "member") -> User:
    """Whatever the sign-up mode says."""
    name, address = check_account(username, email, password)
    hashed = await hashing.hash_password(password)
    async with database.transaction() as session:
        return await create_user(session, username=name, email=address, password_hash=hashed, role=role)


async def reset_password(database: Database, user_id: str, password: str) -> None:
    """Ends all their sign-ins and API keys."""
    check_password(password)
    async with database.read() as session:
        await get_user(session, user_id)
    hashed = await hashing.hash_password(password)
    async with database.transaction() as session:
        await set_password(session, user_id, hashed, keep_session=None)
