"""The machine: it knows chats, not this community's business."""
