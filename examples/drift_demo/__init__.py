"""The second demo: drift that nature made, and a control without any."""
