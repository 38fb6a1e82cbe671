"""How people and programs talk to the system."""
