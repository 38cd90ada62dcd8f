"""Who may issue what: roots, accrediting bodies and issuers, and what counts across borders.

Rules and words: `model`, `rejections`. Handlers: `handlers`. There are none at genesis.
"""
