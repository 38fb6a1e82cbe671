"""Anybody says anything through the client, at any time: the lifecycle answers as the pure kernel does."""
