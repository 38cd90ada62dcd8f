"""Every limit of the gateway, each with its reason."""

from hansa.primitives.limits import TRANSACTION_BYTES_MAX

# The largest body is a transaction; a little more lets its own check say what is wrong.
BODY_BYTES_MAX = TRANSACTION_BYTES_MAX + 1_024
# A document of many events for an application's own address: one job, several transactions.
LARGE_BODY_BYTES_MAX = 16_000_000
# Bodies larger than a transaction at once: each is in memory whole.
LARGE_BODIES_MAX = 4
# A session statement, a challenge: a few hundred bytes each.
SMALL_BODY_BYTES_MAX = 4_096
# Address line with its filters; servers and proxies stop at 8 KiB as well.
TARGET_BYTES_MAX = 8_000
# A client that needs longer to send its request holds a place that others need.
BODY_WITHIN_S = 20.0
HEAD_WITHIN_S = 10.0
# A reader that takes nothing for so long is gone, and one that takes less than so much in it too.
SEND_WITHIN_S = 30.0
SEND_BYTES_MIN = 16_384
# Open connections; beyond, the one that has been idle for longest makes room. Of the files that a
# process may open, so many are for the storage, the read model and what the gateway itself dials.
CONNECTIONS_MAX = 10_000
FILES_KEPT = 1_024
# Requests at work at once; more would only wait for the same threads.
REQUESTS_MAX = 500
# Held status requests; beyond, the present status is answered at once.
WAITERS_MAX = 2_000
WAIT_S_MAX = 30.0
# Event streams at once, and of one account.
STREAMS_MAX = 200
STREAMS_PER_ACCOUNT_MAX = 8
# Strangers share as many streams as ten accounts.
STREAMS_OF_STRANGERS_MAX = 80
# A websocket is only spoken to: what its client says is a ping, or nothing.
SOCKET_BYTES_MAX = 4_096
# A duty of an application looks again at the latest after this, and after a fault.
DUTY_S_MAX = 60.0
DUTY_FAULT_S = 5.0
# Proxies close what is silent for a minute.
HEARTBEAT_S = 15.0
# Events taken from the read model at once for one stream: its only buffer.
STREAM_PAGE = 100
# A challenge is signed by a program at once, or by a person with a device.
CHALLENGE_MS = 120_000
# A session outlasts one sitting, not a day.
SESSION_MS = 900_000
SESSIONS_MAX = 10_000
SESSIONS_PER_ACCOUNT_MAX = 16
# Filters and group columns of one question.
FILTERS_MAX = 8
# No field by which one would filter is longer.
FILTER_CHARACTERS_MAX = 600
