"""What people say about time, in three languages and any digits: what they mean by it."""
