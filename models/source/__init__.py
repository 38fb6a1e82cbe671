"""What people write, as text: a tree with places, and what does not fit."""
