"""`python -m bot` is `linkline`."""

from bot.cli import main

if __name__ == "__main__":
    main()
