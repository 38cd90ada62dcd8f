"""The gateway: REST over a node's ledger and its read model (D12). Start with `application.py`.

May import the node, the index, the catalog and what lies below; holds nobody's private key.

    POST /v1/transactions                        JWS bytes -> 202 {id, state, status}
    GET  /v1/transactions[/{id}]                 list of what one may see; status, ?wait=SECONDS
    GET  /v1/transactions/{id}/bytes             the signed bytes (its signers)
    GET  /v1/transactions/{id}/messages/{n}/receipt     the hansa.receipt/1 file, byte for byte
    POST /v1/drafts                              read a transaction between its signers, and try it
    GET  /v1/blocks[/{height}]                   blocks; …/deadlines/{n}/receipt
    GET  /v1/messages, /v1/events                results and events that one may see
    GET  /v1/events/stream                       server-sent events, resumed by Last-Event-ID
    GET  /v1/apps[/{app}]                        what an application says of itself
    POST /v1/apps/{app}/messages/{Type}          prepare: the canonical message and what to sign
    GET  /v1/apps/{app}/tables/{name}[/totals]   an application's table
    GET  /v1/apps/{app}/{kind}                   records: ?after=&limit=&prefix=&FIELD=
    GET  /v1/apps/{app}/{kind}/{key…}            one record; ?proof=true: the file that proves it
    GET  /v1/history/{app}/{kind}/{key…}         its versions
    GET  /v1/proofs/{app}/{kind}/{key…}          the hansa.proof/1 file: presence or absence
    POST /v1/sessions/challenge, /v1/sessions    sign in; GET, DELETE /v1/sessions/current
    GET  /v1/status, /v1/health, /metrics, /openapi.json

Lists answer {items, next}; `next` is the opaque cursor for `?after=`, null at the end.
"""
