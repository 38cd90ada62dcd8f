"""Why a back-up is not made, or not taken: one code for each reason. Pure."""

from hansa.client.faults import ClientError


class BackupError(ClientError):
    """A back-up cannot be made or used."""

    CODE = "backup.fault"


class NotABackup(BackupError):
    """The file is something else, or of a later release."""

    CODE = "backup.not_a_backup"


class Torn(BackupError):
    """The file is shorter or longer than what was written."""

    CODE = "backup.torn"


class Altered(BackupError):
    """Bytes are not those that were written."""

    CODE = "backup.altered"


class UnsafeName(BackupError):
    """The list names a path that no back-up has: outside, absolute, twice, another's room."""

    CODE = "backup.unsafe_name"


class WrongPassphrase(BackupError):
    """The passphrase does not open it."""

    CODE = "backup.wrong_passphrase"


class PassphraseNeeded(BackupError):
    """Keys are in it, under a passphrase that was not given."""

    CODE = "backup.passphrase_needed"


class NotSealed(BackupError):
    """A passphrase was given, but nothing in the file is under one."""

    CODE = "backup.not_sealed"


class TargetTaken(BackupError):
    """Something is where it is to go: nothing is ever overwritten."""

    CODE = "backup.target_taken"


class NoRoom(BackupError):
    """The disk has less space than it needs."""

    CODE = "backup.no_room"


class Busy(BackupError):
    """Another back-up or restore of the same folder is under way."""

    CODE = "backup.busy"


class NotTheState(BackupError):
    """Whole, but what is in it is not the state that it says."""

    CODE = "backup.not_the_state"


class WrongHeight(BackupError):
    """The league cannot be where it was said to be."""

    CODE = "backup.wrong_height"
