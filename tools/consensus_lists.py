"""What consensus code may use, and where it may use more, each with the reason. Only data.

Read by `tools/consensus.py`. Adding here is a decision: the same on each machine, run and Python?
"""

from typing import Final

# `module.*`: all of it; `module.member`: that alone. All are pure functions of their arguments.
MODULES: Final = frozenset(
    """
    array.array base64.b32encode base64.b64encode base64.urlsafe_b64encode binascii.a2b_base64
    bisect.* collections.Counter collections.OrderedDict collections.deque collections.abc.*
    contextlib.AbstractContextManager contextlib.contextmanager contextlib.suppress
    dataclasses.dataclass
    cryptography.exceptions.InvalidSignature
    cryptography.hazmat.primitives.asymmetric.ec.ECDSA
    cryptography.hazmat.primitives.asymmetric.ec.EllipticCurvePublicKey
    cryptography.hazmat.primitives.asymmetric.ec.SECP256R1
    cryptography.hazmat.primitives.asymmetric.utils.* cryptography.hazmat.primitives.hashes.*
    ed25519_zebra.ed_verify functools.lru_cache hashlib.sha256 hmac.compare_digest
    itertools.chain itertools.count itertools.pairwise itertools.zip_longest
    msgspec.Meta msgspec.MsgspecError msgspec.Raw msgspec.Struct msgspec.ValidationError
    msgspec.convert msgspec.field msgspec.inspect.* msgspec.json.* msgspec.structs.*
    msgspec.to_builtins re.ASCII re.DOTALL re.Match re.Pattern re.compile re.error re.fullmatch
    re.split re.sub string.ascii_letters string.digits struct.Struct types.MappingProxyType typing.*
    """.split()
)
# No float, hash, id, round, repr; no open, print, input; no eval, exec, compile, __import__; no
# getattr, setattr, vars, dir, globals, locals; nothing that counts the stack or the memory.
BUILTINS: Final = frozenset(
    """
    False None True
    abs all any bool bytearray bytes chr classmethod dict divmod enumerate filter frozenset hex int
    isinstance issubclass iter len list map max memoryview min next object ord pow property range
    reversed set slice sorted staticmethod str sum super tuple type zip
    AssertionError Exception IndexError KeyError LookupError NotImplementedError TypeError
    UnicodeDecodeError UnicodeEncodeError UnicodeError ValueError
    """.split()
)
DUNDERS: Final = frozenset({"__name__", "__doc__"})
METHODS: Final = frozenset({"__init__", "__missing__", "__str__", "__repr__"})
# What a remembered answer may depend on: values, never a state or a context.
VALUES: Final = frozenset({"str", "bytes", "int", "bool", "tuple", "type", "frozenset", "Literal"})

_EC: Final = "cryptography.hazmat.primitives.asymmetric.ec"
_ED: Final = "cryptography.hazmat.primitives.asymmetric.ed25519"
_CIPHERS: Final = "cryptography.hazmat.primitives.ciphers"
_SCHEMA: Final = "jsonschema_rs"
# Module, what, why it is safe there. One that is used no more is a fault too.
EXCEPTIONS: Final = (
    # Bytes are judged deep by their own depth, wherever a stack ends.
    ("encoding/canonical.py", "RecursionError", "such bytes are always called deep"),
    ("encoding/json_faults.py", "RecursionError", "a name for doors; see encoding/canonical.py"),
    ("encoding/canonical.py", "float", "the type of a hook that refuses every float"),
    ("encoding/canonical.py", "lru_cache:_typed", "a decoder of a type"),
    ("apps/food_trace/event_tree.py", "RecursionError", "DOCUMENT_DEPTH_MAX is far below"),
    ("apps/food_trace/contract/declaration.py", "repr", "compared within one run, never kept"),
    ("apps/food_trace/identifiers.py", "pattern", "white space is the same since Unicode 6.3"),
    ("apps/food_trace/invariants.py", "repr", "the text of a fault that stops the node"),
    ("apps/food_trace/replay/amounts.py", "fractions.Fraction /", "exact, in invariants alone"),
    ("contracts/governance/invariants.py", "repr", "the text of a fault that stops the node"),
    ("ledger/execution.py", "MemoryError OSError", "raised on: the machine's fault, no result"),
    ("ledger/model.py", "getattr", "fields that KEY names, checked where a record is declared"),
    ("ledger/model.py", "upper", "KEY names are ASCII; the text of a developer's fault"),
    ("ledger/transactions.py", "getattr", "detail of a fault, for whoever sent the bytes"),
    ("ledger/contracts.py", "__struct_config__", "msgspec's own way to tell a tag"),
    ("contracts/accreditations/handlers.py", "functools.cache", "made and dropped in one question"),
    ("crypto/sm2_curve.py", "lru_cache:_table_of", "of a point: two integers"),
    ("identity/links.py", "lru_cache:_list_pairs", "of scopes: frozen texts"),
    ("identity/did.py", "lower", "of Base32"),
    ("identity/schema_changes.py", "lower", "of JSON Schema's own keywords"),
    # Consensus packages also serve keys, readers and reports; none of this enters state.
    ("appkit/application.py", "__subclasses__", "sorted by code; read when a manifest is made"),
    ("appkit/key_shapes.py", "__func__ upper", "tells readers the form of keys"),
    ("appkit/route.py", "float", "how long a reader waits"),
    ("crypto/keys.py", f"{_EC}.EllipticCurvePrivateKey {_EC}.derive_private_key repr", "signs"),
    ("crypto/keys.py", _ED, "signs"),
    (
        "crypto/sm.py",
        f"{_CIPHERS}.Cipher {_CIPHERS}.algorithms {_CIPHERS}.modes",
        "opens envelopes",
    ),
    ("crypto/sm.py", "cryptography.exceptions.InvalidTag", "opens envelopes"),
    ("identity/json_canonical.py", "float math.isfinite json.dumps RecursionError", "RFC 8785"),
    ("identity/json_document.py", "float math.isfinite json.loads", "foreign documents"),
    ("identity/json_document.py", "json.JSONDecoder RecursionError", "foreign documents"),
    ("identity/json_schema.py", "float", "refuses them"),
    ("identity/json_validation.py", f"{_SCHEMA}.Draft202012Validator", "judges for readers"),
    ("identity/json_validation.py", f"{_SCHEMA}.ReferencingError", "judges for readers"),
    ("identity/json_validation.py", f"{_SCHEMA}.RegexOptions", "judges for readers"),
    ("identity/jws.py", "lower", "of a foreign document's header"),
    ("identity/openid/metadata.py", "upper", "a name for people"),
    ("identity/status_bits.py", "zlib.compressobj zlib.DEFLATED zlib.decompressobj", "for readers"),
    ("identity/status_bits.py", "zlib.error", "for readers"),
    ("identity/type_metadata.py", "lower", "of language tags"),
    ("identity/vc.py", "pattern", "white space is the same since Unicode 6.3"),
    ("identity/verify.py", "repr", "a report for people"),
    ("identity/verify_sd_jwt.py", "repr", "a report for people"),
)
