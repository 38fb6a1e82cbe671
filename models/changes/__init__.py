"""What differs between two plans, a family per module."""
