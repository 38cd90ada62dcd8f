"""Headers that lock every answer of the console down. Pure."""

from typing import Final

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_LOCKS: Final = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    # Not no-referrer: browsers would send forms with `Origin: null`.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(self), clipboard-write=(self), geolocation=(), microphone=(), payment=(), usb=()",
    ),
)
# A year (RFC 6797), under TLS.
_ONLY_TLS: Final = ("strict-transport-security", "max-age=31536000")


def list_locks(*, is_secure: bool) -> list[tuple[str, str]]:
    """Headers of every answer."""
    return [*_LOCKS, _ONLY_TLS] if is_secure else list(_LOCKS)
