"""Every table. Times are UTC in integer microseconds; what tells who is who is sealed."""

from bot.columns import metadata
from bot.models.outbox import (
    HELD,
    SETTLED,
    UNDER_WAY,
    WAITING,
    deliveries,
    dispatches,
    lanes,
    messages,
    occurrences,
    prompts,
    showings,
)
from bot.models.people import (
    address_keys,
    addresses,
    communities,
    help_contacts,
    invites,
    members,
    memberships,
    programmes,
    secrets,
)
from bot.models.talks import bubbles, conversations, follows, inbox, posts, threads

__all__ = [
    "HELD",
    "SETTLED",
    "UNDER_WAY",
    "WAITING",
    "address_keys",
    "addresses",
    "bubbles",
    "communities",
    "conversations",
    "deliveries",
    "dispatches",
    "follows",
    "help_contacts",
    "inbox",
    "invites",
    "lanes",
    "members",
    "memberships",
    "messages",
    "metadata",
    "occurrences",
    "posts",
    "programmes",
    "prompts",
    "secrets",
    "showings",
    "threads",
]
