"""Queries as plain functions, connection first, one file per noun."""
