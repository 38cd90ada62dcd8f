"""OpenID4VCI 1.0 and OpenID4VP 1.0 at a member's gateway: the world's wallets get credentials here
and show them. Below: `identity.openid` (messages), `drawer` (what must be remembered meanwhile).
"""
