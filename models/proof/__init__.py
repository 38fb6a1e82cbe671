"""What is proved of a plan before it governs anything."""
