"""Who and what every process of the bench knows; nothing of the bot is imported here."""

TOKEN = "123456:AAbench-token"
SECRET = "a-long-random-word"
FIRST_USER = 700_001
LANGUAGES = ("lo", "km", "en")
OPENING, WRONG_CHOICE = "pivot?", "hm"  # too short to guess: she is asked; then no answer to that
NEWS = (
    "Tomorrow at nine we meet online: how to keep the stock of a small health centre in one "
    "sheet. Bring your own file, and one question."
)
