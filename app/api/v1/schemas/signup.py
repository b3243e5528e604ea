"""Sign-up and invitations as they go over the wire."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from app.accounts.invites import MAX_LABEL
from app.accounts.models import Invite
from app.accounts.signup import SignupMode
from app.api.v1.schemas.base import Id, Schema, Timestamp, View
from app.clock import rfc3339


class SignupView(View):
    """`fixed`: the server's environment decides, and nobody changes it here."""

    mode: SignupMode
    fixed: bool


class SignupUpdate(Schema):
    mode: SignupMode


class InviteCreate(Schema):
    label: Annotated[str, StringConstraints(max_length=MAX_LABEL)] = Field("", description="for whom it is")


class InviteView(View):
    id: Id
    label: str
    created_at: Timestamp
    expires_at: Timestamp


class NewInviteView(InviteView):
    invite: str


def invite_json(invite: Invite) -> dict[str, Any]:
    return {
        "id": invite.id,
        "label": invite.label,
        "created_at": rfc3339(invite.created_at),
        "expires_at": rfc3339(invite.expires_at),
    }
