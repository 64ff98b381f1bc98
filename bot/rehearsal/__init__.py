"""The rehearsal room: phones on a page, stored talks, and stores that nobody will miss."""
