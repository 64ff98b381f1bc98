"""Speed and size, as ratios to a peer and to the bare limit, measured in one run."""
