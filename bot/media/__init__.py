"""Media: what members say, show and hand over, cleaned and kept sealed."""
