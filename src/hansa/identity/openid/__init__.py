"""Messages of OpenID4VCI 1.0 and OpenID4VP 1.0: built, read and judged. Pure; nothing is sent."""
