"""Media: files made here, cleaned by the real cell, kept in real vaults."""
