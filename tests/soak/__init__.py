"""The soak: everything goes wrong at once, for long, and afterwards everything is counted."""
