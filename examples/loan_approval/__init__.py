"""The demo model: mortgage approval on real decisions."""
