"""Refusals of the contract `schemas`, with the rule each one holds (`model`). Pure."""

from hansa.ledger.rejections import Rejection


class SchemasRejection(Rejection):
    """Refusals of the contract `schemas`."""

    CODESPACE = "schemas"


class NotAllowedToPublish(SchemasRejection):
    """The sender does not publish for its member."""

    CODE = "not_allowed_to_publish"
    RULE = "K2"
    TEXT = "The sender neither administers {member} nor holds the role schemas.publisher."
    REMEDY = "Ask an administrator of {member} to publish it, or to grant the role."


class NotTheOwner(SchemasRejection):
    """The name or the schema is somebody else's."""

    CODE = "not_the_owner"
    RULE = "K2"
    TEXT = "{name} belongs to {owner}."
    REMEDY = "Publish under a name of your own, or ask {owner}; standards are governance's."


class NameTaken(SchemasRejection):
    """Something is published under this name already."""

    CODE = "name_taken"
    RULE = "K2"
    TEXT = "{owner} publishes under the name {name} already."
    REMEDY = "Send an update that names what it replaces, or choose another name."


class NotCanonical(SchemasRejection):
    """The document is not a canonical JSON object."""

    CODE = "not_canonical"
    RULE = "K1"
    TEXT = "The document is not canonical JSON: {problem}."
    REMEDY = "Let `hansa schema publish FILE` write it: sorted keys, no spaces, no decimal numbers."


class WrongSchema(SchemasRejection):
    """The document is no JSON Schema of the league's profile."""

    CODE = "wrong_schema"
    RULE = "K1"
    TEXT = "The document is not a schema that the league publishes: {problem} at {path}."
    REMEDY = "See docs for the profile of JSON Schema 2020-12; `hansa schema check-schema` tells."


class AlreadyPublished(SchemasRejection):
    """The same document is published."""

    CODE = "already_published"
    RULE = "K1"
    TEXT = "This document is published as {name} {version}."
    REMEDY = "Use {schema}: the same document has the same id."


class NoSuchSchema(SchemasRejection):
    """No schema has this id."""

    CODE = "no_such_schema"
    RULE = "K1"
    TEXT = "There is no schema {schema}."
    REMEDY = "See `hansa schema list`."


class WrongPredecessor(SchemasRejection):
    """What the update replaces is not the version that it would follow."""

    CODE = "wrong_predecessor"
    RULE = "K3"
    TEXT = "{version} of {name} would follow {expected}, not {replaces}."
    REMEDY = "Look at the newest version and compare with it; somebody may have published since."


class WrongVersion(SchemasRejection):
    """The version does not rise."""

    CODE = "wrong_version"
    RULE = "K3"
    TEXT = "Version {version} of {name} does not rise above {newest}."
    REMEDY = "Raise PATCH or MINOR; a new MAJOR is above all others."


class Incompatible(SchemasRejection):
    """The update takes away what its predecessor accepted."""

    CODE = "incompatible"
    RULE = "K3"
    TEXT = "Not compatible with {newest}: {problem} at {path}, and {more} more."
    REMEDY = "Give it a new major version, or see `hansa schema compare` and mend it."


class TooManyVersions(SchemasRejection):
    """As many versions as one name may have."""

    CODE = "too_many_versions"
    RULE = "K3"
    TEXT = "{name} has {limit} versions."
    REMEDY = "Begin a new name and deprecate the old one with it as successor."


class AlreadyDeprecated(SchemasRejection):
    """It is deprecated, for good."""

    CODE = "already_deprecated"
    RULE = "K4"
    TEXT = "{name} {version} is deprecated."
    REMEDY = "Nothing is left to do."
