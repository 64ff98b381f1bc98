"""The language check: every sentence of the code, in every catalogue, fit to be read.

`python -m tests.language` checks, `python -m tests.language --update` takes new sentences in.
"""
