"""What monitoring measures: tallies that add up over parts of a window, and the figures that are made of them."""
