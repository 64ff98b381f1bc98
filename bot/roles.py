"""Who may do what: one table of roles and powers, and the power that each way in needs.

A role is held in one community. A way in is a step or action of a conversation ("ask.confirm"), an
event it takes ("on code"), a command of the command line ("$ invite") or a route ("/healthz").
`tests/test_roles.py` walks all of them: a way that is missing here fails, and each role tries each
power.
"""

from __future__ import annotations

from bot.messages import Text, _

ROLES = ("member", "host", "facilitator", "monitor", "focal_point", "administrator")
ROLE_NAMES: dict[str, Text] = {
    "member": _("Member"),
    "host": _("Host"),
    "facilitator": _("Facilitator"),
    "monitor": _("Monitor"),
    "focal_point": _("Focal point"),
    "administrator": _("Administrator"),
}
# They hear what is said in their community and are counted in it; the others have other work.
TAKING_PART = ("member", "host", "facilitator")
GIVEN_BY_CHAT = ("facilitator", "host")  # by a facilitator, for a time or for good
# A focal point reads reports: only an operator names her, so that nobody makes herself one.
INVITED_BY_CHAT = ("facilitator", "monitor", "administrator")

_ANYBODY = frozenset({*ROLES, None})  # None: somebody who is in no community
_PEERS = frozenset(TAKING_PART)
_LEADS = frozenset({"host", "facilitator"})
_FACILITATES = frozenset({"facilitator"})
_SETS_UP = frozenset({"administrator"})
_NOBODY: frozenset[str | None] = frozenset()

# What needs no role: an app of hers that was linked lately has no more.
HERS = frozenset({"own", "report", "ask", "read", "answer"})

POWERS: dict[str, frozenset[str | None]] = {
    "own": _ANYBODY,  # her language, her screen, coming in, stopping, help
    "report": _ANYBODY,  # a concern, and its answers with the code
    # In a community
    "ask": _PEERS,
    "read": _PEERS,
    "answer": _PEERS,
    "desk": _LEADS,
    "unanswered": _LEADS,
    "announce": _LEADS,
    "wording": _FACILITATES,  # what the bot says in all groups of the programme
    "unreached": _FACILITATES,
    "responses": _FACILITATES,  # what was given to them, or shared, of weekly questions
    "brief": _FACILITATES,
    "admit": _FACILITATES,
    "hide": _FACILITATES,
    "move": _FACILITATES,
    "close": _FACILITATES,  # a question that is not her own
    "vouch": _FACILITATES,  # for the new number of a member
    "invite.member": _FACILITATES,
    "invite.facilitator": _FACILITATES | _SETS_UP,
    "invite.monitor": _SETS_UP,
    "invite.administrator": _SETS_UP,
    "role.accept": _PEERS,
    "role.give": _FACILITATES,
    "role.take": _FACILITATES,
    "role.hand_back": _LEADS,
    "rhythm": _FACILITATES,  # what is said every week, and when
    "rounds": _FACILITATES,  # a story is chosen, and its result is told
    "stories.export": frozenset({"facilitator", "monitor"}),  # files of stories that may be used
    "figures": frozenset({"facilitator", "monitor", "administrator"}),
    "administer": _SETS_UP,
    "report.read": frozenset({"focal_point"}),
    # Nobody's by chat
    "operate": _NOBODY,  # at the machine itself
    "provide": _NOBODY,  # a provider's call, which proves itself
    "watch": _NOBODY,  # is it alive, how much waits: says nothing of people
    "develop": _NOBODY,  # the simulator's page: only where there are no real people
}

# A conversation whose every step is open to all that one power covers stands here as a whole;
# where its parts differ, or a role is needed, each stands alone, so that a new one must be judged.
WAYS: dict[str, str] = {
    **dict.fromkeys(
        [
            "back.*", "cancel.*", "clear.*", "discreet.*", "doubt.*", "forget.*", "groups.*",
            "calendar.*", "help.*", "hours.*", "language.*", "leave.*", "menu.*", "mute.*",
            "lookback.*", "mydata.*", "open.*", "opinions.*", "pace.*", "pause.*", "phones.*",
            "profile.*", "reflect.*", "reflections.*", "secret.*", "settings.*",
            "start.*", "stop.*", "support.*", "tip.*", "unfinished.*", "unmute.*", "waiting.*",
            "weekly.*", "welcome.*", "zone.*",
            "on code", "on doubted", "on edit", "on group", "on stale", "on stopped",
            "on stranger",
        ],
        "own",
    ),
    "report.*": "report",
    "receipts.*": "report",
    "on receipt": "report",
    # Any member plans a session; whose it is to change or to call off is looked at there.
    **dict.fromkeys(["session.*", "place.*", "details.*", "changes.*"], "ask"),
    **dict.fromkeys(
        ["ask.*", "nameless.ask", "nameless.undo", "nameless.edit", "opening.send",
         "writing.meaning", "writing.new", "writing.wrote", "on text"],
        "ask",
    ),
    **dict.fromkeys(["nameless.check", "nameless.sure"], "ask"),
    **dict.fromkeys(
        ["nameless.reply", "nameless.confirm", "nameless.add", "nameless.helps"], "answer"
    ),
    "nameless.close": "read",
    **dict.fromkeys(
        [
            "answers.begin", "answers.forwarded", "answers.helps", "answers.looking",
            "answers.publish", "answers.write", "on thread", "responses.*", "readers.*",
            "on response", "followups.leave", "nameless.outcome", "outcomes.begin",
            "outcomes.confirm", "outcomes.not_tried", "outcomes.partly", "outcomes.sentence",
            "outcomes.worked",
        ],
        "answer",
    ),
    **dict.fromkeys(
        ["drafting.*", "ideas.*", "on proposal", "parts.*", "proposals.*", "votes.*",
         "visits.*"],
        "answer",
    ),
    "confide.readers": "own",  # her own words: to take them back she needs no role
    "confide.me": "own",
    "confide.withdraw": "own",
    **dict.fromkeys(
        ["confide.facilitators", "confide.community", "confide.place", "confide.confirm"], "ask"
    ),
    "signup.*": "answer",
    **dict.fromkeys(["captions.begin", "captions.wrote"], "answer"),  # of what came to her
    **dict.fromkeys(
        ["captions.right", "captions.no_text", "captions.correct", "captions.corrected",
         "captions.describe", "captions.described", "captions.skip", "likes.*", "voice.*"],
        "own",  # under her own voice and photo, and for herself
    ),
    # Her own words, whatever became of her role; what she chooses is looked at each time.
    **dict.fromkeys(["stories.*", "consents.*", "mystories.*", "checking.leave"], "own"),
    **dict.fromkeys(["checking.answer", "checking.answered"], "own"),
    **dict.fromkeys(["selection.*", "on tale"], "read"),
    **dict.fromkeys(
        [
            "rounds.show", "rounds.begin", "rounds.domain", "rounds.period", "rounds.closing",
            "rounds.where", "rounds.confirm", "checking.ask", "checking.asked",
            "checking.publish", "checking.decide", "checking.decided", "checking.settle",
        ],
        "rounds",
    ),
    **dict.fromkeys(["exports.start", "exports.begin", "exports.use"], "stories.export"),
    **dict.fromkeys(["sessions.start", "sessions.show"], "read"),
    "sessions.comers": "own",  # of those she holds, or that are held where she has a desk
    "market.*": "read",
    "happy.*": "answer",
    **dict.fromkeys(["tree.start", "tree.of", "tree.show", "tree.words", "tree.older"], "read"),
    "tree.gone": "own",
    "tree.hide": "hide",
    "tree.confirm_hiding": "hide",
    "leaves.*": "own",  # her own words, whatever became of her role
    "interest.*": "read",
    "standing.*": "own",  # her own words, whatever became of her role
    "market.hide": "hide",
    **dict.fromkeys(
        [f"concealing.{each}" for each in ("begin", "older", "ask", "why", "confirm")], "hide"
    ),
    "market.confirm_hiding": "hide",
    "offering.*": "ask",
    "myanswers.*": "own",  # her own words, whatever became of her role
    **dict.fromkeys(
        ["given.show", "given.older", "given.read", "given.hide", "given.confirm"], "responses"
    ),
    "given.gone": "own",
    **dict.fromkeys(
        [
            "heavy.later", "heavy.read", "heavy.skip", "peers.more", "peers.read", "peers.start",
            "reached.list_mine", "reached.show", "reached.start", "share.card", "threads.close",
            "threads.follow", "threads.gone", "threads.list_mine", "threads.mine", "threads.show",
            "threads.start", "threads.unfollow", "on no_thread",
        ],
        "read",
    ),
    **dict.fromkeys(
        [
            "library.one", "library.own", "library.show", "own.begin", "own.confirm",
            "own.fallback", "own.kind", "own.put_back", "own.remove", "own.translate",
            "own.write", "pick.begin", "pick.chosen", "rest.begin", "rest.end",
            "rest.until", "rhythm.begin", "rhythm.date", "rhythm.dates", "rhythm.deed",
            "rhythm.send", "rhythm.show", "rhythm.start", "rhythm.unskip",
            "schedule.after", "schedule.first", "schedule.hour", "schedule.kind",
            "schedule.last", "schedule.often", "schedule.order", "schedule.place",
            "schedule.show", "schedule.weekday", "schedule.what",
        ],
        "rhythm",
    ),
    **dict.fromkeys(
        ["attendance.*", "harvest.*", "hosting.*", "notes.*", "replies.*", "tasks.*", "on session"],
        "own",  # of sessions she may come to, holds or writes the notes of: looked at each time
    ),
    "facilitate.start": "desk",
    "facilitate.desk": "desk",
    "facilitate.choose": "own",  # of those communities where she has the power it is for
    "facilitate.chosen": "own",
    "facilitate.refuse": "own",
    "facilitate.more": "desk",
    "facilitate.unanswered": "unanswered",
    "unanswered.start": "unanswered",
    "facilitate.unreached": "unreached",
    "unreached.start": "unreached",
    "unreached.show": "unreached",
    "unreached.choose": "unreached",
    "unreached.week": "unreached",
    **dict.fromkeys(["brief.start", "brief.given"], "brief"),
    **dict.fromkeys(
        [
            "announce.start", "announce.begin", "announce.write", "announce.confirm",
            "announce.translate",
        ],
        "announce",
    ),
    **dict.fromkeys(
        [
            "admission.admit", "admission.admit_all", "admission.decline", "welcome.admit",
            "welcome.decline", "opening.send_waiting",
        ],
        "admit",
    ),
    **dict.fromkeys(
        ["moderation.begin", "moderation.post", "moderation.why", "moderation.confirm"], "hide"
    ),
    **dict.fromkeys(["moderation.move", "moderation.place", "opening.tell_again"], "move"),
    **dict.fromkeys(["vouch.start", "vouch.begin", "vouch.name"], "vouch"),
    # The one who comes with a new number, and the one who keeps the old one.
    "vouch.arrive": "own",
    "vouch.stop": "own",
    "invites.start": "invite.member",
    "invites.show": "invite.member",
    "invites.end": "invite.member",  # or whatever it was made with: that of its own role
    "invites.cofacilitator": "invite.facilitator",
    "invites.for_role": "administer",
    "invites.role": "administer",
    **dict.fromkeys(
        [
            "cofacilitator.begin", "cofacilitator.name", "cofacilitator.role",
            "cofacilitator.lasts",
        ],
        "role.give",
    ),
    "cofacilitator.accept": "role.accept",
    "cofacilitator.refuse": "role.accept",
    **dict.fromkeys(
        [
            "wording.start", "wording.begin", "wording.find", "wording.choose", "wording.write",
            "wording.confirm", "wording.undo",
        ],
        "wording",
    ),
    "roles.start": "own",
    "announce.undo": "own",  # her own words, whatever became of her role
    "reached.announcement": "own",
    "roles.hand_back": "role.hand_back",
    "roles.handed": "role.hand_back",
    **dict.fromkeys(["roles.take", "roles.whose", "roles.taken"], "role.take"),
    **dict.fromkeys(["figures.start", "figures.show"], "figures"),
    "administer.refuse": "own",
    "figures.refuse": "own",
    "concerns.refuse": "own",
    **dict.fromkeys(["administer.start", "administer.desk", "administer.rules"], "administer"),
    **dict.fromkeys(
        [
            "concerns.start", "concerns.read", "concerns.answer", "concerns.answering",
            "concerns.close",
        ],
        "report.read",
    ),
    **dict.fromkeys(
        [
            "$ run", "$ web", "$ worker", "$ migrate", "$ load", "$ invite", "$ doctor", "$ audit",
            "$ keys", "$ keys rotate", "$ keys status", "$ erase", "$ forget", "$ seed",
            "$ whatsapp", "$ whatsapp templates", "$ whatsapp reconcile",
            "$ why",
            "$ backup", "$ restore", "$ ledger", "$ lanes",
            "$ content", "$ content export", "$ content import", "$ content coverage",
            "$ stories", "$ stories export",
        ],
        "operate",
    ),
    **dict.fromkeys(
        [
            "/webhooks/{channel}", "/files/{token}/{name}", "/calendar/{uid}.ics",
        ],
        "provide",
    ),
    **dict.fromkeys(["/", "/healthz", "/metrics"], "watch"),
    **dict.fromkeys(
        ["/simulator/*", "/simulator/files/{key}/{name}", "/favicon.ico", "/static"], "develop"
    ),
}  # fmt: skip


def may(role: str | None, power: str) -> bool:
    """Whether a role has a power; a power that is none raises KeyError."""
    return role in POWERS[power]


def power_of(way: str) -> str | None:
    """What is needed to go this way; None = nobody has thought about it yet."""
    if way in WAYS:
        return WAYS[way]
    for sign in (".", "/"):
        head, found, _rest = way.rpartition(sign)
        if found and f"{head}{sign}*" in WAYS:
            return WAYS[f"{head}{sign}*"]
    return None
