"""`hansa credential`: issue, present, verify, revoke; what is derived of the contract follows."""

from hansa.cli.derived import build_group
from hansa.cli.identity import credential_issue, credential_judge
from hansa.cli.identity.credential_show import bundle_command, present_command
from hansa.cli.identity.credential_status import reinstate, revoke, sign_lists, status, suspend
from hansa.cli.identity.wallet_key import serve_wallets
from hansa.cli.identity.wallet_offers import approve, offer, offered
from hansa.cli.identity.wallet_requests import request

command = build_group(
    "credentials",
    shown_as="credential",
    own=(
        credential_issue.command,
        present_command,
        credential_judge.command,
        bundle_command,
        revoke,
        suspend,
        reinstate,
        status,
        sign_lists,
        serve_wallets,
        offer,
        offered,
        approve,
        request,
    ),
)
