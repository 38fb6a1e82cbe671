"""The demo models and the small client scripts that the README shows."""
