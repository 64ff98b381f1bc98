"""Figures for /metrics; none of them has a person in it."""

from prometheus_client import Counter, Gauge, Histogram

TURNS = Counter(
    "linkline_turns_total", "Inbound events by what became of them", ["lane", "outcome"]
)
SENDS = Counter("linkline_sends_total", "Deliveries by what became of them", ["lane", "outcome"])
RECEIPTS = Counter("linkline_receipts_total", "Status callbacks", ["lane", "state"])
WAITING = Gauge("linkline_deliveries_waiting", "Deliveries that wait to be sent", ["lane"])
SEND_SECONDS = Histogram("linkline_send_seconds", "Time of one call to a provider", ["lane"])
STRANGE = Counter(
    "linkline_strange_codes_total", "Refusals that no table of ours names", ["channel"]
)
