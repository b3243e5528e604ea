"""The modules of the settings and of the administrators' pages."""

from app.web import (
    admin,
    chat_models,
    invites,
    jobs,
    settings,
    settings_deletion,
    settings_devices,
    settings_keys,
    users,
)

ACCOUNT = (settings, settings_keys, settings_devices, settings_deletion)
ADMINISTRATION = (admin, users, invites, chat_models, jobs)
