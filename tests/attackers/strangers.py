"""Requests that somebody without an account may choose, each as large as it is let in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote_plus

# Alternating marks of two classes: to put them in order takes quadratic time.
MARKS = "a" + "\u0315\u0300" * 20_000
FORM = "application/x-www-form-urlencoded"
MOST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """`make` fills in the form token of a page that was fetched before."""

    name: str
    path: str
    make: Callable[[str], bytes]
    type: str = FORM
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()


def _form(**fields: str) -> Callable[[str], bytes]:
    def make(token: str) -> bytes:
        pairs = {"csrf_token": token, **fields}
        return "&".join(f"{name}={quote_plus(value)}" for name, value in pairs.items()).encode()

    return make


def _raw(shape: bytes, size: int = MOST) -> Callable[[str], bytes]:
    return lambda token: (b"csrf_token=" + token.encode() + b"&" + shape * (size // len(shape)))[:size]


def _body(body: bytes) -> Callable[[str], bytes]:
    return lambda _: body


def _parts(number: int) -> bytes:
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    return (part * number)[: MOST - 10] + b"--b--\r\n"


def _json() -> Iterator[tuple[str, bytes]]:
    yield "depth", b'{"username":' + b"[" * (MOST - 20)
    yield "keys", b"{" + b",".join(b'"%d":1' % n for n in range(90_000)) + b"}"
    yield "a long name", b'{"username":"' + b"x" * 500_000 + b'","email":"a@b","password":"' + b"y" * 500_000 + b'"}'
    yield "escapes", b'{"username":"' + b"\\u0315\\u0300" * 80_000 + b'","email":"a@b","password":"xxxxxxxxx"}'
    yield "a number", b'{"username":' + b"9" * 900_000 + b"}"


STRANGERS = [
    Asked("marks as a name", "/register", _form(username=MARKS, email="a@b", password="x" * 9)),
    Asked("marks as a password", "/register", _form(username="somebody", email="a@b", password=MARKS)),
    Asked("marks to sign in", "/login", _form(username=MARKS, password=MARKS)),
    Asked("a long name to sign in", "/login", _form(username="x" * 60_000, password="x")),
    Asked("a megabyte of escapes", "/login", _raw(b"%41")),
    Asked("escapes of escapes", "/login", _raw(b"next=%25", 60_000)),
    Asked("as many escapes as are taken", "/login", _raw(b"%41", 64 * 1024)),
    Asked("many fields", "/login", _raw(b"a=1&", 64 * 1024)),
    Asked("many fields, a megabyte", "/login", _raw(b"a=1&")),
    Asked("escapes where one has to sign in", "/settings/email", _raw(b"%41")),
    Asked("a form to the API", "/api/v1/auth/login", _raw(b"username=%41&")),
    Asked("parts", "/login", _body(_parts(30_000)), "multipart/form-data; boundary=b"),
    Asked("line ends before the parts", "/login", _body(b"\r\n" * (MOST // 2)), "multipart/form-data; boundary=b"),
    *[Asked(f"JSON: {name}", "/api/v1/auth/register", _body(body), "application/json") for name, body in _json()],
    Asked("cookies", "/login", _body(b""), method="GET", headers=(("Cookie", ("a=1; " * 2_900).strip()),)),
    Asked("languages", "/login", _body(b""), method="GET", headers=(("Accept-Language", "a," * 6_900),)),
    Asked("where to go next", f"/login?next={'%25' * 2_500}", _body(b""), method="GET"),
    Asked(
        "a token that is none",
        "/api/v1/auth/me",
        _body(b""),
        method="GET",
        headers=(("Authorization", f"Bearer {'a.' * 7_000}"),),
    ),
]
