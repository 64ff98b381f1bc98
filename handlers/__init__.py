"""The business: one conversation is one file; whatever lives in this folder counts."""
