"""Strict local stand-ins for Telegram and Twilio, and the phones of the people who write."""
