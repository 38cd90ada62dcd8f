"""Checkpoints: a header with its votes and validators, pinned or passed on as a file. Pure.

A checkpoint is a trust root of a later height than genesis (D22): light verification goes on from
it.
"""

from typing import Annotated, Final

import msgspec

from hansa.client.faults import ClientError
from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.comet.light import LightBlock, LightError, Trusted, check_light_block
from hansa.comet.validators import ValidatorSet
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.json_faults import NOT_JSON
from hansa.primitives.limits import INTEGER_MAX

# As many headers as a file carries between trust root and its own: that often may all validators
# have been replaced. Further on a checkpoint is pinned.
HEADERS_MAX: Final = 64
# Each costs a signature check; a league has tens.
VALIDATORS_MAX: Final = 1_000
# A checkpoint of a thousand validators, and as many headers of fifty.
CHECKPOINT_BYTES_MAX: Final = 4_000_000

Validators = Annotated[ValidatorSet, msgspec.Meta(max_length=VALIDATORS_MAX)]
Headers = Annotated[tuple[LightBlock, ...], msgspec.Meta(max_length=HEADERS_MAX)]


class InvalidCheckpoint(ClientError):
    """Bytes that are no checkpoint."""

    CODE = "client.checkpoint"


class CheckpointFile(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    tag="hansa.checkpoint/1",
):
    """A block's header, the commit that decided it, its validators; `headers` lead to it."""

    chain: str
    commit: Commit
    header: Header
    headers: Headers = ()
    validators: Validators

    @property
    def height(self) -> int:
        """Height of the block."""
        return self.header.height

    @property
    def hash(self) -> str:
        """The header's hash, hex: what two people compare."""
        return self.header.hash().hex()

    def trusted(self) -> Trusted:
        """What is trusted by whoever pins this."""
        return LightBlock(self.commit, self.header, self.validators).trusted()


_decoder = msgspec.json.Decoder(CheckpointFile)


def decode_checkpoint(data: bytes) -> CheckpointFile:
    """A checkpoint that holds in itself: its own validators decided it. Raises InvalidCheckpoint.

    Whether it is of the league in question only a trust root says, or a person who compares.
    """
    try:
        checkpoint = _decoder.decode(data)
        if len(data) > CHECKPOINT_BYTES_MAX or encode_canonical(checkpoint) != data:
            raise InvalidCheckpoint("this is no checkpoint: not in canonical form")
        check_numbers(checkpoint.header)
        block = LightBlock(checkpoint.commit, checkpoint.header, checkpoint.validators)
        check_light_block(checkpoint.chain, block)
    except (*NOT_JSON, LightError) as error:
        raise InvalidCheckpoint(
            f"this is no checkpoint: {str(error)[:200]}", "ask a member of the league for one"
        ) from error
    return checkpoint


def check_numbers(header: Header) -> None:
    """Check that canonical JSON can hold the header's numbers (D1). Raises a LightError."""
    numbers = (header.height, header.version.app, header.last_block_id.parts.total)
    if not all(0 <= number <= INTEGER_MAX for number in numbers):
        raise LightError("the header has a number that no header has")
