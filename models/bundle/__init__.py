"""What a bundle holds, as values: its manifest, what it is made of, where it came from."""
