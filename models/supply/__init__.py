"""What a version is made of beside its artifact, and what is known against it."""
