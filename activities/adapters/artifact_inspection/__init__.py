"""Says what a model file is without ever loading it; run as a child process by the static scanner."""
