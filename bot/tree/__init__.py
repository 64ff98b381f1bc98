"""The Happy Tree: happy moments in, a picture out; it knows nothing of chats or stores."""
