"""Voice into text: engines, what of their words is believed, and the scribe."""
