"""The console's cookies: names, locks, reading and writing (RFC 6265bis). Pure."""

from typing import Final

from hansa.console.asgi import Scope, read_header

# The session's bearer token; the visitor's random name, for form tokens; the notice for the next
# page; the language chosen.
SESSION: Final = "hansa-session"
VISITOR: Final = "hansa-visitor"
NOTICE: Final = "hansa-notice"
LANGUAGE: Final = "hansa-language"
_YEAR_S: Final = 31_536_000
_VALUE_MAX: Final = 3_000
_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~")


def read_cookies(scope: Scope, *, is_secure: bool) -> dict[str, str]:
    """Our cookies of a request by their plain names. Of two of one name, the first."""
    found: dict[str, str] = {}
    for entry in read_header(scope, "cookie").replace(", ", "; ").split(";"):
        name, _sep, value = entry.strip().partition("=")
        plain = _strip_prefix(name, is_secure=is_secure)
        if plain and _CHARACTERS.issuperset(value):
            found.setdefault(plain, value)
    return found


def write_cookie(name: str, value: str, *, is_secure: bool, seconds: int | None = None) -> str:
    """A Set-Cookie value; `seconds`: how long it is kept, None: until the browser ends.

    Scripts never see it, other sites never send it (the language: they may lead here with it).
    Under TLS it is a `__Host-` cookie: of this host alone, never sent in plain.
    """
    if not _CHARACTERS.issuperset(value) or len(value) > _VALUE_MAX:
        raise ValueError("not the value of a cookie")
    text = f"{_add_prefix(name, is_secure=is_secure)}={value}; Path=/; HttpOnly"
    text += "; SameSite=Lax" if name == LANGUAGE else "; SameSite=Strict"
    if is_secure:
        text += "; Secure"
    if name == LANGUAGE:
        seconds = _YEAR_S
    return text if seconds is None else f"{text}; Max-Age={seconds}"


def drop_cookie(name: str, *, is_secure: bool) -> str:
    """A Set-Cookie value that makes the browser forget one."""
    return write_cookie(name, "", is_secure=is_secure, seconds=0)


def _add_prefix(name: str, *, is_secure: bool) -> str:
    return f"__Host-{name}" if is_secure else name


def _strip_prefix(name: str, *, is_secure: bool) -> str:
    for plain in (SESSION, VISITOR, NOTICE, LANGUAGE):
        if name == _add_prefix(plain, is_secure=is_secure):
            return plain
    return ""
