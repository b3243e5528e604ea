"""How this person wants pages: language, light or dark, which clock."""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from fastapi import Request, Response

from app import i18n
from app.accounts.principal import Principal
from app.http.deps import get_services
from app.http.origin import single_cookie
from app.i18n import Locale, best_locale, known_locale

Theme = Literal["system", "light", "dark"]
THEMES: tuple[Theme, ...] = ("system", "light", "dark")
THEME_COOKIE, LOCALE_COOKIE, ZONE_COOKIE = "teahouse_theme", "teahouse_locale", "teahouse_zone"
FACE_COOKIE = "teahouse_face"  # app, by the application itself: this device opens it instead of the first page
YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Preferences:
    locale: Locale
    theme: Theme
    zone: tzinfo

    def here(self, moment: datetime) -> datetime:
        """The moment on the reader's clock."""
        return moment.astimezone(self.zone)


# Of the page that is drawn now: templates and filters look here.
current: ContextVar[Preferences] = ContextVar("preferences")


def enter(request: Request, principal: Principal | None) -> None:
    """From here on this request speaks the reader's language."""
    preferences = preferences_of(request, principal)
    current.set(preferences)
    i18n.locale.set(preferences.locale)


def preferences_of(request: Request, principal: Principal | None) -> Preferences:
    """An account has a language, a device has a theme and a clock. Signed out, a cookie or the browser decides."""
    locale = known_locale(principal.locale if principal else single_cookie(request, LOCALE_COOKIE))
    theme = single_cookie(request, THEME_COOKIE)
    return Preferences(
        locale=locale or best_locale(request.headers.get("accept-language", "")),
        theme=next((known for known in THEMES if known == theme), "system"),
        zone=_zone(single_cookie(request, ZONE_COOKIE) or ""),
    )


@lru_cache(64)
def _zone(name: str) -> tzinfo:
    """Scripts tell the zone in a cookie; until then, and without, it is the server's."""
    try:
        return ZoneInfo(name.replace("%2F", "/"))
    except (ValueError, OSError, KeyError):  # no such zone, or no tables of zones on this machine
        return datetime.now().astimezone().tzinfo or UTC


def keep_theme(request: Request, response: Response, theme: Theme) -> None:
    _keep(request, response, THEME_COOKIE, theme)


def keep_locale(request: Request, response: Response, locale: Locale) -> None:
    _keep(request, response, LOCALE_COOKIE, locale)


def opens_app(request: Request) -> bool:
    return single_cookie(request, FACE_COOKIE) == "app"


def _keep(request: Request, response: Response, name: str, value: str) -> None:
    """Not HttpOnly: the application reads them too, and they are no secret."""
    secure = get_services(request).settings.is_https
    response.set_cookie(name, value, max_age=YEAR, path="/", samesite="lax", secure=secure)
