"""The password asked for again, in the form that needs it."""

from dataclasses import replace

from app.http.signing_in import require_recent_password
from app.web.context import Visit


async def confirmed(visit: Visit, password: str) -> Visit:
    """The visit of somebody who gave their password lately, or with this form.

    Raises `password_needed` or `wrong_password`.
    """
    principal = await require_recent_password(visit.services, visit.request, visit.principal, password)
    return replace(visit, principal=principal)
