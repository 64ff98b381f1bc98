"""Welcome: from an invite code to a member who knows what is kept and who sees it."""

from __future__ import annotations

import secrets
from datetime import timedelta

from bot import naming
from bot.conversation import Conversation
from bot.discretion import HOW_IT_COMES
from bot.i18n import guess_language, languages, negotiate, own_name, tidy_name
from bot.messages import Choice, Ref, Text, _
from bot.store import communities, contents, invites, members, programmes
from bot.store.audiences import Audience
from bot.store.communities import Community
from bot.turn import Turn

CONSENT_VERSION = "2026-11"
TRIES = 5  # wrong codes ...
TRIES_LAST = timedelta(minutes=30)  # ... in this time

# Names that say nothing about a person; a number makes them one's own.
_ALIASES = ("Champa", "Romduol", "Lotus", "Jasmine", "Mekong", "Moon", "Rain", "Bamboo")

FIRST_STEPS = {
    "facilitator": _("You facilitate it. Write FACILITATE to see what you can do."),
    "monitor": _("Write FIGURES to see how it goes there. You get no messages from it."),
    "administrator": _("Write ADMINISTER to see its settings. You get no messages from it."),
}

welcome = Conversation("welcome")


@welcome.on("stranger")
def stranger(turn: Turn) -> None:
    """Somebody without a code: a facilitator we expect, or a person to send on kindly."""
    expected = communities.list_of(turn.db, turn.member.id)
    if expected:
        return _begin(turn, expected[0].community.id, None)
    sentence = _(
        "Hello! This is a place for members of learning groups. To come in you need an invite "
        "code. Please ask {contact}.",
        contact=programmes.contact(turn.db),
    )
    hint = negotiate(turn.inbound.language) or guess_language(turn.text)
    language = turn.member.language or hint
    known = [language] if language else list(languages())
    turn.say(*(Text(sentence.msgid, sentence.params, language=code) for code in known))


@welcome.on("code")
def code(turn: Turn) -> None:
    """Wrong, expired and used-up codes look alike."""
    since = turn.sender.wrong_codes_since
    recent = since is not None and since > turn.now - TRIES_LAST
    if recent and turn.sender.wrong_codes >= TRIES:
        return turn.say(_("Many codes were tried. Please wait half an hour, then try again."))
    if turn.text.isdecimal():  # to link an app, or for a new number
        return turn.start("phones.redeem")
    invite = invites.find(turn.db, turn.text, turn.now)
    if invite is None:
        return wrong_code(turn)
    if turn.member.state == "active":
        return _join_another(turn, invite)
    _begin(turn, invite.community_id, invite.id)


@welcome.action
def wrong_code(turn: Turn) -> None:
    since = turn.sender.wrong_codes_since
    recent = since is not None and since > turn.now - TRIES_LAST
    tries = turn.sender.wrong_codes + 1 if recent else 1
    start = since if recent and since is not None else turn.now
    members.mark_wrong_code(turn.db, turn.address_id, tries, start)
    _no_such_code(turn)


def _no_such_code(turn: Turn) -> None:
    turn.say(
        _(
            "This code does not open anything now. Please look at it once more, "
            "or ask for a new one: {contact}.",
            contact=programmes.contact(turn.db),
        )
    )


def _join_another(turn: Turn, invite: invites.Invite) -> None:
    """A member with a code: everything else is known. Nobody becomes less by an invite."""
    community = communities.get(turn.db, invite.community_id)
    membership = communities.find_membership(turn.db, turn.member.id, community.id)
    if membership and membership.is_active and invite.role in ("member", membership.role):
        return turn.say(_("You are already in {community}.", community=community.ref))
    if not invites.use(turn.db, invite.id, turn.now):
        return _no_such_code(turn)
    _join(turn, community, invite.role)


def _begin(turn: Turn, community_id: int, invite_id: int | None) -> None:
    turn.data = {"community": community_id, "invite": invite_id}
    if turn.member.language:
        return _ask_consent(turn)
    greeting = _("Hello! Please choose your language.")
    turn.ask(
        *(Text(greeting.msgid, language=code) for code in languages()),
        choices=[Choice(code, Text(own_name(code))) for code in languages()],
        then=language,
    )


@welcome.step
def language(turn: Turn) -> None:
    members.mark(turn.db, turn.member.id, language=turn.choice)
    turn.data["language"] = turn.choice
    turn.refresh_commands()
    _ask_consent(turn)


def _ask_consent(turn: Turn) -> None:
    turn.ask(
        _(
            "Welcome! Here you ask peers of other organisations a question and get answers, "
            "in Telegram or WhatsApp. Nobody needs to be an expert: "
            "\u201cI have this problem\u201d is as good as \u201cI know this\u201d."
        ),
        _(
            "What is kept: the name and organisation you give, what you send here, and how to "
            "reach you. Your group sees the name and what you send; no member sees your number. "
            "Write STOP at any time, and no more messages come."
        ),
        _("Do you agree?"),
        choices=(Choice("yes", _("I agree")), Choice("no", _("Not now"))),
        then=consent,
    )


@welcome.step
def consent(turn: Turn) -> None:
    if turn.choice == "no":
        return turn.say(
            _("That is fine. Nothing is passed on. You are welcome to come back with a code.")
        )
    members.mark(
        turn.db,
        turn.member.id,
        consent_version=CONSENT_VERSION,
        consent_language=turn.data.get("language") or turn.language,
        consent_at=turn.now,
    )
    _ask_name(turn, communities.get(turn.db, turn.data["community"]))


def _ask_name(turn: Turn, community: Community) -> None:
    suggested = _alias() if community.discreet else tidy_name(turn.inbound.name or "")
    turn.data["suggested"] = suggested
    choices = [Choice("suggested", _("{name}", name=suggested))] if suggested else []
    question = _("Which name shall the others see? You can write any name you like.")
    if community.discreet:
        question = _("Which name shall the others see? It need not be your own.")
    turn.ask(question, choices=choices, then=name, free=True)


def _alias() -> str:
    return f"{secrets.choice(_ALIASES)} {secrets.randbelow(90) + 10}"


@welcome.step
def name(turn: Turn) -> None:
    chosen = turn.data["suggested"] if turn.choice else tidy_name(turn.text)
    fault = naming.fault(chosen)
    if fault is not None:
        return turn.again(fault)
    turn.data["name"] = chosen
    if communities.get(turn.db, turn.data["community"]).discreet:
        return _finish(turn, None)
    turn.ask(
        _("Which organisation do you work with?"),
        choices=(Choice("skip", _("Skip")),),
        then=organisation,
        free=True,
    )


@welcome.step
def organisation(turn: Turn) -> None:
    _finish(turn, None if turn.choice else tidy_name(turn.text, 80) or None)


def _finish(turn: Turn, organisation_name: str | None) -> None:
    community = communities.get(turn.db, turn.data["community"])
    invite_id, over = turn.data["invite"], communities.has_ended(turn.db, community.id)
    if over or (invite_id is not None and not invites.use(turn.db, invite_id, turn.now)):
        return _no_such_code(turn)
    role = _role(turn, community)
    members.mark(
        turn.db,
        turn.member.id,
        state="active",
        name=turn.data["name"],
        timezone=community.timezone,
        organisation=organisation_name,
    )
    _join(turn, community, role, has_organisation=organisation_name is not None)


def _role(turn: Turn, community: Community) -> str:
    """That of her invite, or a higher one that the programme file names her with."""
    invite_id = turn.data["invite"]
    role = "member" if invite_id is None else invites.get_role(turn.db, invite_id)
    expected = communities.find_membership(turn.db, turn.member.id, community.id)
    if role == "member" and expected is not None and expected.is_active:
        return expected.role
    return role


def _join(turn: Turn, community: Community, role: str, *, has_organisation: bool = False) -> None:
    waits = community.approval and role == "member"
    state = "waiting" if waits else "active"
    membership_id = communities.join(turn.db, turn.member.id, community.id, role, state, turn.now)
    if waits:
        _ask_facilitators(turn, community, membership_id, has_organisation=has_organisation)
        return turn.say(
            _(
                "Thank you. A facilitator will welcome you to {community}. "
                "You can already write a question: it is kept until then.",
                community=community.ref,
            )
        )
    said = [_("Welcome to {community}! It is good that you are here.", community=community.ref)]
    said += contents.purpose_lines(turn.db, community.id, discreet=community.discreet)
    if role in FIRST_STEPS:
        said.append(FIRST_STEPS[role])
    if community.discreet:
        said.append(HOW_IT_COMES)
    turn.say(*said)
    turn.start("menu.start")


def _ask_facilitators(
    turn: Turn, community: Community, membership_id: int, *, has_organisation: bool
) -> None:
    who: dict[str, object] = {
        "name": Ref("members", turn.member.id),
        "community": community.ref,
    }
    request = _("{name} would like to join {community}.", **who)
    if has_organisation and not community.discreet:
        request = _(
            "{name} ({organisation}) would like to join {community}.",
            organisation=Ref("organisations", turn.member.id),
            **who,
        )
    choices = [
        Choice(f"admission.admit:{membership_id}", _("Welcome")),
        Choice(f"admission.decline:{membership_id}", _("Not this time")),
    ]
    waiting = communities.list_waiting(turn.db, community.id)
    if len(waiting) > 1:
        all_of_them = _("Welcome all {n}", n=len(waiting))
        choices.append(Choice(f"admission.admit_all:{waiting[-1]}", all_of_them))
    turn.tell(
        Audience("facilitators", community.id),
        request,
        choices=choices,
        community_id=community.id,
    )
