"""Stories of change: how they are put in words, taken back, chosen from, and taken along."""
