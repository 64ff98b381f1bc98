"""Figures for /metrics; none of them has a person in it.

What is counted here is of one process; what stands in the store is measured when somebody asks
(bot/web/measures.py), so that each process says the same of it.
"""

from prometheus_client import Counter, Gauge, Histogram

# Of this process
TURNS = Counter(
    "linkline_turns_total", "Inbound events by what became of them", ["lane", "outcome"]
)
SENDS = Counter("linkline_sends_total", "Deliveries by what became of them", ["lane", "outcome"])
ERRORS = Counter("linkline_errors_total", "Calls to a provider that failed", ["lane", "error"])
RECEIPTS = Counter("linkline_receipts_total", "Status callbacks", ["lane", "state"])
NUDGES = Counter("linkline_nudges_total", "Templates that tell that something waits", ["lane"])
DIGESTS = Counter("linkline_digests_total", "Digests that were made")
SEND_SECONDS = Histogram("linkline_send_seconds", "Time of one call to a provider", ["lane"])
STRANGE = Counter(
    "linkline_strange_codes_total", "Refusals that no table of ours names", ["channel"]
)

# Of the store
STORE_UP = Gauge("linkline_store_up", "1 if the store answered; else nothing of it is told")
BACKLOG = Gauge(
    "linkline_backlog", "Deliveries that wait, up to 10,000 of a kind", ["lane", "state", "reason"]
)
BACKLOG_MORE = Gauge("linkline_backlog_more", "1 if counting ended before the line did", ["lane"])
OLDEST_DUE = Gauge("linkline_oldest_due_seconds", "How late the oldest due delivery is", ["lane"])
OWNED = Gauge("linkline_lane_owned", "1 if a worker holds the lease of a lane", ["lane"])
PAUSED = Gauge("linkline_lane_paused_seconds", "For how long the provider wants nothing", ["lane"])
HANDED = Gauge(
    "linkline_handed_last_minute", "Bubbles handed to the provider, by state", ["lane", "state"]
)
NUDGED = Gauge("linkline_nudged", "Closed windows whose member was told, and is silent", ["lane"])
PARKED = Gauge("linkline_parked_inbound", "What came in, and our code failed at", ["lane"])
FAN_OUTS = Gauge("linkline_fan_outs", "Messages that have not reached their whole audience")
FAN_OUT_LAG = Gauge("linkline_fan_out_lag_seconds", "How long the oldest of them has been on it")
MEDIA = Gauge("linkline_media", "Voices, pictures and files, by how far they are", ["state"])
